#pragma once
// Three simulated nodes under one supervisor on the lead: every third region's Narset lives on
// each. A Narset whose node can't be reached starts again on the lead, with a higher epoch.
#include <map>

#include "actors/control_tree.hpp"
#include "sim/far.hpp"

namespace esper::sim {

class Nodes {
 public:
  /// Places the Narsets of `tree` and puts links between them and the rest.
  Nodes(World& world, Network& network, ControlTree& tree);
  ~Nodes();
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  /// Every actor there is gone at once, and nobody says so; back after a while.
  void lose(const std::string& node, std::uint64_t duration_ms);
  [[nodiscard]] static std::vector<std::string> far_nodes() { return {"b", "c"}; }
  [[nodiscard]] static std::string home_of(RegionId region);

 private:
  struct Placed {
    std::string node;
    caf::strong_actor_ptr actor, stand_in;
    Epoch epoch;
  };
  void place(Child& child, const ControlContextPtr& lead);
  [[nodiscard]] ControlContextPtr make_context(const std::string& node,
                                               const ControlContextPtr& lead,
                                               caf::actor_system& system);
  [[nodiscard]] caf::strong_actor_ptr start_far(caf::local_actor& parent, RegionId region,
                                                Epoch epoch, const std::string& node,
                                                const std::shared_ptr<LaneQueue>& lane);
  void give_up(const std::string& node);

  World& world_;
  Network& network_;
  caf::actor_system& system_;
  std::map<std::string, ControlContextPtr> contexts_;  ///< of the far nodes
  std::map<RegionId, Placed> placed_;                  ///< newest incarnation on a far node
  std::map<std::string, std::uint64_t> dead_until_ms_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace esper::sim
