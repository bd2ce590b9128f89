#include "sim/cluster_simulation.hpp"

namespace esper::sim::cluster {

ShrunkCluster shrink_cluster(const ClusterResult& failed) {
  const auto invariant = failed.violations.front().invariant;
  ShrunkCluster best;
  best.result = failed;
  for (std::uint32_t place = 1; place <= failed.faults.size(); ++place) best.kept.push_back(place);
  const auto still_fails = [&](const std::vector<std::uint32_t>& kept) {
    ClusterOptions options;
    options.seed = failed.seed;
    options.faults.emplace();
    for (const auto place : kept) options.faults->push_back(failed.faults[place - 1]);
    ++best.runs;
    auto result = simulate_cluster(options);
    if (result.passed() || result.violations.front().invariant != invariant) return false;
    best.kept = kept;
    best.result = std::move(result);
    return true;
  };
  // Halves first, then one by one.
  for (std::size_t part = std::max<std::size_t>(best.kept.size() / 2, 1);; part /= 2) {
    for (std::size_t begin = 0; begin < best.kept.size();) {
      auto kept = best.kept;
      const auto end = std::min(begin + part, kept.size());
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(begin),
                 kept.begin() + static_cast<std::ptrdiff_t>(end));
      if (!still_fails(kept)) begin = end;
    }
    if (part <= 1) return best;
  }
}

}  // namespace esper::sim::cluster
