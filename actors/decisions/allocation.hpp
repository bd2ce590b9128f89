#pragma once
// Who gets the cycle's energy. Every policy has one form: (regions' state, capacity, constraint)
// -> grants, in whole seeds: a seed's price is granted whole or not at all.
#include <variant>
#include <vector>

#include "actors/decisions/ridge_regression.hpp"
#include "messages/budget.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// One region's state as a policy sees it. Numbers that are not finite count as 0.
struct RegionState {
  RegionId region;
  Energy asked;            ///< price of the seed it would plant next; 0: it asks for none
  Energy refused;          ///< of this cycle's asks, those without energy
  double volatility{};     ///< v, [0, 1]
  double confidence{};     ///< of its risk sheets, [0, 1]
  double expected_gain{};  ///< nats per sample
};

struct AllocationConstraint {
  Cycle cycle;
  Posture posture{};
};

/// What became of a region's adaptations in the cycle that ends.
struct RegionResults {
  RegionId region;
  std::uint32_t wins{}, losses{};
  std::uint32_t regressions{};  ///< of the losses
  double calibration{1};        ///< realised over predicted gain of its proposals, [0, 2]
};

/// A region gets at most this many seeds a cycle; it could not raise more at once, and what is not
/// dealt stays for proposals.
constexpr std::uint32_t seeds_per_cycle_max = 4;

/// Whole seeds, round robin over the regions that ask; another region begins each cycle.
class UniformAllocator {
 public:
  [[nodiscard]] std::vector<Energy> deal(const std::vector<RegionState>& regions, Energy capacity,
                                         const AllocationConstraint& constraint);
  void learn(const std::vector<RegionResults>&) {}
  [[nodiscard]] double risk_price() const { return 0; }
};

/// Linear contextual bandit with knapsack. Two regressions over the context
///   [1, volatility, win share, confidence, backlog, expected gain]
/// learn a funded seed's gain (1 for a win that met its prediction, 0 for a loss) and its chance
/// of a regression. A region's worth is
///   gain (upper confidence bound in explore, mean else) - (1 + mu) * regression
/// and energy goes by worth per price, halved, thirded, … by the seeds that it has already been
/// dealt; never to a worth of 0 or less, but for one probing seed a cycle where no region is worth
/// more (none in crisis). mu is a learned dual variable:
///   mu <- max(0, mu + rate * (regressions per resolved seed - target)).
/// source  Badanidiyuru et al. 2013, arXiv:1305.2545; Agrawal, Devanur 2015, arXiv:1507.06738
class BanditAllocator {
 public:
  BanditAllocator(const AllocationConfig& config, std::uint32_t regions);

  [[nodiscard]] std::vector<Energy> deal(const std::vector<RegionState>& regions, Energy capacity,
                                         const AllocationConstraint& constraint);
  void learn(const std::vector<RegionResults>& results);
  /// mu.
  [[nodiscard]] double risk_price() const { return risk_price_; }

 private:
  friend struct StateFields;  // tests' list of all fields

  static constexpr std::size_t features = 6;
  using Model = RidgeRegression<features>;
  struct Arm {
    Model::Vector context{};  ///< of the last deal
    bool dealt{};
    double wins{1}, resolved{2};
  };

  [[nodiscard]] Model::Vector context_of(const RegionState& state) const;

  AllocationConfig config_;
  Model gain_, regression_;
  std::vector<Arm> arms_;
  double risk_price_{};
};

using Allocator = std::variant<UniformAllocator, BanditAllocator>;

[[nodiscard]] Allocator make_allocator(const AllocationConfig& config, std::uint32_t regions);

/// One grant per state, in order; their sum is at most `capacity`, each a multiple of what the
/// region asked.
[[nodiscard]] std::vector<Energy> deal(Allocator& allocator,
                                       const std::vector<RegionState>& regions, Energy capacity,
                                       const AllocationConstraint& constraint);
void learn(Allocator& allocator, const std::vector<RegionResults>& results);
[[nodiscard]] double risk_price(const Allocator& allocator);

}  // namespace esper
