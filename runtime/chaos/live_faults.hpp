#pragma once
// Which faults can befall a living run, and how much of it they reach at once. Pure.
#include <string>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/fault.hpp"
#include "messages/host.hpp"

namespace esper {

/// A living run as faults find it.
struct LiveShape {
  std::vector<std::string> roles;  ///< by name, in start order: "journal", …, "narset.0", …
  std::uint32_t regions{};
  std::uint32_t threads{};  ///< that the roles without a thread of their own share
};
[[nodiscard]] LiveShape live_shape(const RunConfig& config, const HostDescription& host);

/// Why the kind cannot befall any living run; "": it can.
[[nodiscard]] std::string impossible_live(FaultKind kind);
/// Why this fault cannot befall that one: also a role or a region that it does not have, a duration
/// that is missing or too much.
[[nodiscard]] std::string impossible_live(const Fault& fault, const LiveShape& shape);

/// Where most is struck at once.
struct Blast {
  std::uint32_t widest{};  ///< roles that are killed or paused, and other faults, at once
  std::size_t place{};     ///< of the fault with which it comes to that
};
/// A kill is counted for `restart_ms`, a role's ordinary way back; a death of the journal's actor
/// also takes all that started after it.
inline constexpr std::uint64_t restart_ms = 1'000;
[[nodiscard]] Blast blast_of(const std::vector<Fault>& faults, const LiveShape& shape);

/// The most roles without a thread of their own that are paused at once: each holds one of the
/// shared threads.
[[nodiscard]] std::uint32_t threads_held(const std::vector<Fault>& faults);

/// When the last of them is over, milliseconds.
[[nodiscard]] std::uint64_t end_ms(const std::vector<Fault>& faults);

}  // namespace esper
