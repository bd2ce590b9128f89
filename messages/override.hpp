#pragma once
// What a person tells a live run: an input at a turn's boundary, journalled with who and why.
#include "messages/budget.hpp"

namespace esper {

enum class OverrideKind : std::uint8_t {
  posture,  ///< Tamiyo's posture is this one, whatever the reports say
  grant,    ///< each mint grants the region this much, as far as the treasury has it
  freeze,   ///< the region's Narset commands nothing, and no surgery reaches into it
  escape,   ///< every unfossilised seed of the region to alpha 0, once
};
ESPER_ENUM_NAMES(OverrideKind, "posture", "grant", "freeze", "escape");

struct Override {
  std::uint64_t id{};  ///< counted from 1 in each process of a run
  OverrideKind kind{};
  RegionId region;    ///< grant, freeze, escape
  Posture posture{};  ///< posture
  Energy energy;      ///< grant: a cycle's
  Window from;        ///< whose turn takes it in; decided on from that turn on
  Window until;       ///< the last window that it holds for
  std::string who;    ///< the user that asked, as the operating system says
  std::string why;

  static constexpr auto schema = record(
      "Override", field("id", &Override::id), field("kind", &Override::kind),
      field("region", &Override::region), field("posture", &Override::posture),
      field("energy", &Override::energy), field("from", &Override::from),
      field("until", &Override::until), field("who", &Override::who), field("why", &Override::why));
};

}  // namespace esper
