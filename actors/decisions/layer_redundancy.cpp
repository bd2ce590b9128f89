#include "actors/decisions/layer_redundancy.hpp"

#include <algorithm>

#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/number.hpp"

namespace esper {
namespace {

/// A layer that stands, outside zones, and what was measured of it.
struct Standing {
  const ResidualLayer* layer{};
  const LayerImportance* measured{};
};

/// Importance of all layers of one kind, and how many they are.
struct Kind {
  double sum{};
  double count{};
};

Kind kind_of(const std::vector<Standing>& all, const std::string& kind) {
  Kind found;
  for (const Standing& one : all) {
    if (one.layer->kind != kind) continue;
    found.sum += one.measured->importance;
    found.count += 1;
  }
  return found;
}

struct Candidate {
  RedundantLayer redundant;
  double similarity{};
};

}  // namespace

std::vector<RedundantLayer> redundant_layers(const HostDescription& host,
                                             const std::vector<LayerImportance>& measured,
                                             const CompactionConfig& config) {
  std::vector<Standing> standing;
  for (const ResidualLayer& layer : host.residual_layers)
    for (const LayerImportance& one : measured)
      if (one.layer == layer.name && !layer.removed && !one.diagnostics_only)
        standing.push_back({&layer, &one});
  std::vector<Candidate> candidates;
  for (const auto& [layer, numbers] : standing) {
    const Kind kind = kind_of(standing, layer->kind);
    if (!(kind.sum > 0) || last_of_region(host, *layer)) continue;
    const double importance = numbers->importance * kind.count / kind.sum;
    if (numbers->similarity > config.layer_similarity_min &&
        importance < config.layer_importance_max)
      candidates.push_back({{layer->name, importance, clip(numbers->importance / kind.sum, 0, 1)},
                            numbers->similarity});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     if (a.redundant.importance != b.redundant.importance)
                       return a.redundant.importance < b.redundant.importance;
                     return a.similarity > b.similarity;
                   });
  std::vector<RedundantLayer> redundant;
  for (Candidate& candidate : candidates) redundant.push_back(std::move(candidate.redundant));
  return redundant;
}

}  // namespace esper
