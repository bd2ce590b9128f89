#pragma once
// How a role answers turns. A plain value: what it answers is the caller's decision.
#include <optional>
#include <utility>

#include "messages/units.hpp"

namespace esper {

/// Each turn is decided once, the newest is answered again when it is asked again, an older one not
/// at all. A turn that comes before the role knows its past waits; of several only the newest.
template <typename Turn, typename Part>
class TurnAnswer {
 public:
  /// The part to send; null: none yet, or none any more. `decide(turn)` is called for a new turn.
  template <typename Decide>
  [[nodiscard]] const Part* to(const Turn& turn, const Decide& decide) {
    if (turn.window < newest_ || turn.window <= past_) return nullptr;
    if (!past_known_) {
      if (!waiting_ || turn.window >= waiting_->window) waiting_ = turn;
      return nullptr;
    }
    if (!part_ || turn.window > newest_) {
      part_ = decide(turn);
      newest_ = turn.window;
    }
    return &*part_;
  }

  /// The role knows its past now, up to the turn of `committed`: the part for the turn that waited,
  /// if one did and is not part of that past, in which it was missed.
  template <typename Decide>
  [[nodiscard]] const Part* past_known(Window committed, const Decide& decide) {
    past_known_ = true;
    past_ = committed;
    const auto waited = std::exchange(waiting_, std::nullopt);
    return waited ? to(*waited, decide) : nullptr;
  }

 private:
  friend struct StateFields;  // tests' list of all fields

  bool past_known_ = false;
  std::optional<Turn> waiting_;
  std::optional<Part> part_;
  Window newest_;  ///< that `part_` answers
  Window past_;    ///< the newest turn that was over when the role learnt its past
};

}  // namespace esper
