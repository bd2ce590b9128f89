#pragma once
// One seed of a cluster, from start to verdict: several nodes, one database, faults; then all
// heals, and training must come to its last step.
#include "sim/cluster_fault.hpp"
#include "sim/findings.hpp"

namespace esper::sim::cluster {

struct ClusterOptions {
  std::uint64_t seed{1};
  std::optional<std::vector<ClusterFault>> faults;  ///< nothing: drawn from the seed
  bool lines_kept{};                                ///< for a readable trace
};

struct ClusterResult {
  std::uint64_t seed{};
  std::uint64_t hash{};  ///< over everything that happened
  std::vector<ClusterFault> faults;
  std::vector<Violation> violations;  ///< none: passed
  std::uint64_t events{}, virtual_ms{}, steps{}, groups{}, joined{}, moves{}, takeovers{};
  std::uint64_t applied{};         ///< changes, on all replicas of a group at once
  std::vector<std::string> lines;  ///< the trace, where it was to be kept

  [[nodiscard]] bool passed() const { return violations.empty(); }
};

[[nodiscard]] ClusterResult simulate_cluster(const ClusterOptions& options);
/// The faults that it will meet.
[[nodiscard]] std::vector<ClusterFault> cluster_faults_of(const ClusterOptions& options);

struct ShrunkCluster {
  std::vector<std::uint32_t> kept;  ///< places among the seed's faults, counted from 1
  ClusterResult result;
  std::uint32_t runs{};
};
/// Fewer of a failing seed's faults, as long as the same promise breaks.
[[nodiscard]] ShrunkCluster shrink_cluster(const ClusterResult& failed);

}  // namespace esper::sim::cluster
