#pragma once
// What an adaptation costs: risk times disruption, in whole thousandths.
#include "messages/budget.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// v = clip((sigma / sigma_base - 1) / 2, 0, 1). Without a base yet (<= 0 or not finite) it is 0;
/// a sigma that is not finite gives 1.
[[nodiscard]] double volatility(double sigma, double sigma_base);

/// What a price is made from. NaN counts as the dearest value.
struct PriceInputs {
  double base_risk{};         ///< r0 of the risk sheet, [0, 1]
  double volatility{};        ///< v, [0, 1]
  double downstream{};        ///< share of the host's operations downstream, [0, 1]
  double relative_norm{};     ///< |f| / |h|: the sheet's, or measured
  double parameters_share{};  ///< parameters added over the region's
  bool on_graph{};            ///< a scaffold trained on the task's graph
};

/// risk       = min(1, r0 * (1 + v))
/// disruption = downstream * (weight_norm * min(1, |f|/|h|) + weight_parameters *
///              min(1, parameters) + weight_on_graph if on-graph), at most 1
/// energy     = max(price_min, ceil(1000 * risk * disruption)) thousandths
[[nodiscard]] Price price_of(const PriceInputs& inputs, const BudgetConfig& budget);

/// A price as it is charged, stage by stage.
struct PriceShares {
  Energy germinate, graft, stabilise;
};

/// Three whole parts, none negative, that sum to `whole` (>= 0).
[[nodiscard]] PriceShares shares_of(Energy whole, const BudgetConfig& budget);

}  // namespace esper
