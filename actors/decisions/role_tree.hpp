#pragma once
// The tree of a node's roles as data: in which order they start and, in reverse, stop; what falls
// with whom; how long a stop waits.
#include <array>
#include <cstddef>
#include <cstdint>

#include "messages/result.hpp"
#include "messages/turn.hpp"

namespace esper {

enum class RestartRule : std::uint8_t {
  one_for_one,   ///< the role alone
  rest_for_one,  ///< all that started after it is stopped and started again with it
};

struct RolePlace {
  Role role{};
  RestartRule rule{};
  /// Without the role no turn closes, and lockstep must not wait for one.
  bool closes_turns{};
  /// For the role's last handler to end; then the stop goes on without it, and says so.
  std::uint32_t stop_ms_max{};
};

/// In start order. The journal's actor keeps the open turn in its memory alone: what started after
/// it has sent it parts and been answered by it, and asks again when it starts anew.
inline constexpr std::array<RolePlace, 9> role_tree{{
    {Role::journal, RestartRule::rest_for_one, true, 5'000},
    {Role::oona, RestartRule::one_for_one, true, 5'000},
    {Role::kasmina, RestartRule::one_for_one, true, 5'000},
    {Role::urza, RestartRule::one_for_one, true, 5'000},
    {Role::narset, RestartRule::one_for_one, true, 5'000},  // one for each region
    {Role::tamiyo, RestartRule::one_for_one, true, 5'000},
    {Role::elesh, RestartRule::one_for_one, false, 1'000},  // may be deep in a measurement
    {Role::emrakul, RestartRule::one_for_one, false, 5'000},
    {Role::tolaria, RestartRule::one_for_one, true, 5'000},
}};

/// Position of the role in start order. Errors: InvariantViolation for a role outside the tree.
[[nodiscard]] constexpr std::size_t order_of(Role role) {
  for (std::size_t i = 0; i < role_tree.size(); ++i)
    if (role_tree[i].role == role) return i;
  throw InvariantViolation("a role without a place in the tree");
}

[[nodiscard]] constexpr const RolePlace& place_of(Role role) { return role_tree[order_of(role)]; }

/// `other` is stopped and started again when `fallen` is.
[[nodiscard]] constexpr bool falls_with(Role other, Role fallen) {
  return place_of(fallen).rule == RestartRule::rest_for_one && order_of(other) > order_of(fallen);
}

}  // namespace esper
