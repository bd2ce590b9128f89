#pragma once
// The Narsets of one node. They spend from leases that are renewed from afar, and go on for as long
// as nobody tells them otherwise, also when another was started in their place.
#include "sim/cluster_checks.hpp"
#include "sim/cluster_world.hpp"

namespace esper::sim::cluster {

class Narsets {
 public:
  Narsets(World& world, Checks& checks, NodeId self, std::uint64_t process)
      : world_(world), checks_(checks), self_(self), process_(process) {}

  void take(const Assign& assign);
  void take(const Report& report);

 private:
  struct Narset {
    HeldLease lease;
    std::uint64_t commands{};
    std::vector<Command> open;  ///< without an outcome
  };
  void spend(RegionId region, Narset& narset, Window window);

  World& world_;
  Checks& checks_;
  NodeId self_;
  std::uint64_t process_;
  Epoch prime_;
  std::pair<std::uint64_t, std::uint64_t> newest_;  ///< of reports: epoch and step
  std::map<RegionId, Narset> narsets_;
};

}  // namespace esper::sim::cluster
