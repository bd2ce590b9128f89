#pragma once
// Faults as a seed draws them for a simulation; messages/fault.hpp has their kinds.
#include <vector>

#include "messages/fault.hpp"

namespace esper::sim {

using esper::Fault;
using esper::FaultKind;

/// Why a kind cannot befall a simulation; "": it can.
[[nodiscard]] std::string impossible_simulated(FaultKind kind);

/// Every role of a run with so many regions, by name.
[[nodiscard]] std::vector<std::string> role_names(std::uint32_t regions);

/// At least one in every virtual minute of [0, until_ms), most of them at a moment at which
/// messages are under way. Sorted by time.
[[nodiscard]] std::vector<Fault> drawn_faults(std::uint64_t seed, std::uint32_t regions,
                                              std::uint64_t until_ms);

}  // namespace esper::sim
