#include "actors/decisions/pricing.hpp"

#include "actors/decisions/amounts.hpp"
#include "actors/decisions/planted.hpp"

#include <algorithm>

namespace esper {
namespace {

/// Smallest integer not below `value`, which is in [0, 1000].
std::int64_t ceiling(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) < value ? whole + 1 : whole;
}

}  // namespace

double volatility(double sigma, double sigma_base) {
  if (!(sigma_base > 0) || !finite(sigma_base)) return 0;
  if (!finite(sigma)) return 1;
  return clip((sigma / sigma_base - 1) / 2, 0, 1);
}

Price price_of(const PriceInputs& inputs, const BudgetConfig& budget) {
  Price price;
  price.volatility = clip(inputs.volatility, 0, 1);
  price.risk = clip(clip(inputs.base_risk, 0, 1) * (1 + price.volatility), 0, 1);
  price.downstream = clip(inputs.downstream, 0, 1);
  price.relative_norm = inputs.relative_norm;
  price.parameters = inputs.parameters_share;
  const double weight_norm = budget.weight_norm * (planted(Planted::price_weight) ? 2 : 1);
  const double weight = weight_norm * clip(inputs.relative_norm, 0, 1) +
                        budget.weight_parameters * clip(inputs.parameters_share, 0, 1) +
                        (inputs.on_graph ? budget.weight_on_graph : 0);
  price.disruption = clip(price.downstream * weight, 0, 1);
  price.energy = {std::max(budget.price_min, ceiling(1000 * price.risk * price.disruption))};
  return price;
}

PriceShares shares_of(Energy whole, const BudgetConfig& budget) {
  const Energy germinate = share_of(whole, budget.germinate_share);
  const Energy graft = std::min(share_of(whole, budget.graft_share), whole - germinate);
  return {germinate, graft, whole - germinate - graft};
}

}  // namespace esper
