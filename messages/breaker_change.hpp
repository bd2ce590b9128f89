#pragma once
// A breaker that opened, tried again, or closed: for the record.
#include "messages/schema.hpp"

namespace esper {

enum class BreakerState : std::uint8_t { closed, open, half_open };
ESPER_ENUM_NAMES(BreakerState, "closed", "open", "half_open");

/// Enters with the turn that commits next after the change.
struct BreakerChange {
  std::string name;    ///< as docs/breakers.md lists it
  std::string region;  ///< its number; "" where the breaker is no region's
  BreakerState state{};
  std::string cause;           ///< of the opening; "" when it closed
  std::uint64_t unrecorded{};  ///< changes before this one that were too many to be kept

  static constexpr auto schema = record(
      "BreakerChange", field("name", &BreakerChange::name), field("region", &BreakerChange::region),
      field("state", &BreakerChange::state), field("cause", &BreakerChange::cause),
      field("unrecorded", &BreakerChange::unrecorded));
};

}  // namespace esper
