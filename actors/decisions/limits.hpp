#pragma once
// Hard bounds on growth, whatever the energy. A refusal names its limit and both figures.
#include <limits>
#include <string>

#include "messages/adaptation.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// What a model takes, or what a seed adds to it.
struct Footprint {
  std::uint64_t parameters{};
  std::uint64_t operations_per_sample{};
  std::uint64_t memory_bytes{};
  std::uint64_t seeds{};  ///< unfossilised
};

/// `refusal` is none when everything fits; else the first limit that does not.
struct LimitVerdict {
  CommandRefusal refusal{CommandRefusal::none};
  std::uint64_t limit{};
  std::uint64_t wanted{};  ///< present and added together
};

namespace detail {

[[nodiscard]] constexpr std::uint64_t sum_without_overflow(std::uint64_t a, std::uint64_t b) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  return a > most - b ? most : a + b;
}

}  // namespace detail

/// May `added` join `present`? A limit of 0 is no bound. `overhead_paused`: isolated seeds stand
/// still for their cost, so no other may join them.
[[nodiscard]] inline LimitVerdict within_limits(const LimitConfig& limits, const Footprint& present,
                                                const Footprint& added, bool overhead_paused) {
  struct Bound {
    CommandRefusal refusal;
    std::uint64_t limit, present, added;
  };
  const Bound bounds[]{
      {CommandRefusal::limit_parameters, limits.parameters_max, present.parameters,
       added.parameters},
      {CommandRefusal::limit_operations, limits.operations_per_sample_max,
       present.operations_per_sample, added.operations_per_sample},
      {CommandRefusal::limit_memory, limits.memory_bytes_max, present.memory_bytes,
       added.memory_bytes},
      {CommandRefusal::limit_seeds, limits.seeds_max, present.seeds, added.seeds},
  };
  for (const Bound& bound : bounds) {
    const std::uint64_t wanted = detail::sum_without_overflow(bound.present, bound.added);
    if (bound.limit > 0 && wanted > bound.limit) return {bound.refusal, bound.limit, wanted};
  }
  if (overhead_paused) return {CommandRefusal::limit_overhead, 0, 0};
  return {};
}

/// One sentence for people; "" when nothing was refused.
[[nodiscard]] inline std::string told(const LimitVerdict& verdict) {
  const auto figures = [&](const char* name) {
    return std::string{name} + " would be " + std::to_string(verdict.wanted) + ", the limit is " +
           std::to_string(verdict.limit);
  };
  switch (verdict.refusal) {
    case CommandRefusal::limit_parameters:
      return figures("parameters");
    case CommandRefusal::limit_operations:
      return figures("operations per sample");
    case CommandRefusal::limit_memory:
      return figures("memory bytes");
    case CommandRefusal::limit_seeds:
      return figures("unfossilised seeds");
    case CommandRefusal::limit_overhead:
      return "isolated seeds are paused: shadow and gate passes are over limits.overhead_ratio_max";
    default:
      return {};
  }
}

}  // namespace esper
