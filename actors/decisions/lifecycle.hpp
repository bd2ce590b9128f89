#pragma once
// A seed's life as one table: which command is legal from which stage, and where it leads.
#include "messages/adaptation.hpp"
#include "messages/result.hpp"

namespace esper {

/// Stages in which a seed's output may reach the host's.
[[nodiscard]] constexpr bool on_graph(Stage stage) {
  return stage == Stage::grafting || stage == Stage::stabilising || stage == Stage::weaning;
}

/// The stage that a seed reaches when `kind` is carried out in `before`. `escape` is legal in any
/// stage and changes none: it moves alpha alone. That only scaffolds wean, freeze, fold and retire,
/// and only growth seeds fossilise, is the executor's to check: it knows the design.
/// Errors: illegal_stage; nothing may be changed then.
[[nodiscard]] inline Result<Stage, CommandRefusal> after(Stage before, CommandKind kind) {
  switch (kind) {
    case CommandKind::germinate:
      if (before == Stage::dormant) return Stage::train_isolated;
      break;
    case CommandKind::graft:
      if (before == Stage::train_isolated) return Stage::grafting;
      break;
    case CommandKind::advance:
      if (before == Stage::grafting) return Stage::grafting;
      break;
    case CommandKind::hold:
      if (before == Stage::grafting || before == Stage::weaning) return before;
      break;
    case CommandKind::stabilise:
      if (before == Stage::grafting) return Stage::stabilising;
      break;
    case CommandKind::fossilise:
      if (before == Stage::stabilising) return Stage::fossilised;
      break;
    case CommandKind::cull:
      if (on_graph(before) || before == Stage::train_isolated || before == Stage::sunset)
        return Stage::embargoed;
      break;
    case CommandKind::roll_back:
      if (on_graph(before)) return Stage::embargoed;
      break;
    case CommandKind::escape:
      return before;
    case CommandKind::lift_embargo:
      if (before == Stage::embargoed) return Stage::dormant;
      break;
    case CommandKind::freeze:
      if (before == Stage::stabilising) return Stage::stabilising;
      break;
    case CommandKind::fold:
      if (before == Stage::stabilising) return Stage::sunset;
      break;
    case CommandKind::wean:
      if (on_graph(before)) return Stage::weaning;
      break;
    case CommandKind::sunset:
      if (before == Stage::weaning) return Stage::sunset;
      break;
    case CommandKind::retire:
      if (before == Stage::sunset) return Stage::dormant;
      break;
  }
  return CommandRefusal::illegal_stage;
}

}  // namespace esper
