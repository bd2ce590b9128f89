#pragma once
// Rules that one test build can spoil, so that a checker is seen to find it. In every other build
// nothing is planted and each question is a constant. Asked in .cpp files alone: a function in a
// header would be one thing in that build and another in the libraries that it is linked with.
#include <cstdint>

namespace esper {

enum class Planted : std::uint8_t {
  none,
  price_weight,   ///< a norm weighs twice in every price
  throttle_rate,  ///< spending takes half as much off the pruning allowance
  proposal_rank,  ///< proposals are ranked without regard to their uncertainty
};

#ifdef ESPER_PLANTED
inline Planted planted_now = Planted::none;
[[nodiscard]] inline bool planted(Planted bug) { return planted_now == bug; }
#else
[[nodiscard]] constexpr bool planted(Planted) { return false; }
#endif

}  // namespace esper
