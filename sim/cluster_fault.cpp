#include "sim/cluster_fault.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::uint64_t faults_min = 6, faults_more = 20;

std::uint64_t duration_of(ClusterFaultKind kind, RandomStream& random) {
  switch (kind) {
    case ClusterFaultKind::poison:
      return 0;
    case ClusterFaultKind::lossy:
    case ClusterFaultKind::doubling:
    case ClusterFaultKind::slow:
      return 1'000 + random.below(9'000);
    case ClusterFaultKind::partition:
      return 200 + random.below(20'000);
    default:
      // As often shorter as longer than it takes to be given up, and than a lease.
      return random.below(2) == 0 ? 100 + random.below(2'000) : 2'000 + random.below(12'000);
  }
}

}  // namespace

Shape drawn_shape(std::uint64_t seed) {
  RandomStream random(seed, "cluster.shape");
  Shape shape;
  const auto nodes = static_cast<NodeId>(3 + random.below(4));
  const auto trainers = static_cast<NodeId>(1 + random.below(std::min(nodes, 4U)));
  for (NodeId node = 0; node < nodes; ++node) {
    shape.nodes.push_back({std::string(1, static_cast<char>('a' + node)), node < trainers});
    if (node < trainers) shape.trainers.push_back(node);
    if (node > 0) shape.homes.push_back(node);
  }
  shape.banks.push_back(0);
  if (random.below(4) > 0) shape.banks.push_back(1);
  shape.last_step = std::uint64_t{1} << 40U;
  return shape;
}

std::vector<ClusterFault> drawn_cluster_faults(std::uint64_t seed, const Shape& shape,
                                               std::uint64_t until_ms) {
  RandomStream random(seed, "cluster.faults");
  std::vector<ClusterFault> faults(faults_min + random.below(faults_more));
  const auto places = shape.nodes.size();
  for (auto& fault : faults) {
    fault.kind = static_cast<ClusterFaultKind>(
        random.below(static_cast<std::uint64_t>(ClusterFaultKind::poison) + 1));
    // All replicas gone at once is rare, and hides what else is wrong.
    if (fault.kind == ClusterFaultKind::crash_trainers && random.below(3) > 0)
      fault.kind = ClusterFaultKind::crash;
    fault.at_ms = random.below(until_ms);
    fault.duration_ms = std::min(duration_of(fault.kind, random), until_ms - fault.at_ms);
    fault.node = static_cast<NodeId>(random.below(places));
    fault.mask = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << (places + 1)));
  }
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& one, const auto& other) { return one.at_ms < other.at_ms; });
  return faults;
}

std::string kind_name(ClusterFaultKind kind) {
  constexpr const char* names[]{"crash",    "crash_ready", "crash_ahead", "crash_trainers",
                                "pause",    "partition",   "one_way",     "lossy",
                                "doubling", "slow",        "poison"};
  return names[static_cast<std::size_t>(kind)];
}

std::string told(const ClusterFault& fault, const Shape& shape) {
  std::string text = std::to_string(fault.at_ms) + " ms: " + kind_name(fault.kind);
  const auto masked = [&] {
    std::string names;
    for (NodeId node = 0; node <= shape.nodes.size(); ++node)
      if ((fault.mask >> node & 1U) != 0)
        names += " " + (node < shape.nodes.size() ? shape.nodes[node].node : "database");
    return names;
  };
  switch (fault.kind) {
    case ClusterFaultKind::partition:
      text += " of" + masked();
      break;
    case ClusterFaultKind::one_way:
      text += " from " + shape.nodes[fault.node].node + " to" + masked();
      break;
    case ClusterFaultKind::crash:
    case ClusterFaultKind::crash_ready:
    case ClusterFaultKind::crash_ahead:
    case ClusterFaultKind::pause:
    case ClusterFaultKind::poison:
      text += " " + shape.nodes[fault.node].node;
      break;
    default:
      break;
  }
  if (fault.duration_ms > 0) text += " for " + std::to_string(fault.duration_ms) + " ms";
  return text;
}

}  // namespace esper::sim::cluster
