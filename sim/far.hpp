#pragma once
// Stand-ins for actors on another node: what is sent to them crosses a link, or does not.
#include <functional>

#include "actors/lane.hpp"
#include "sim/network.hpp"

namespace esper::sim {

/// Both ends of a way between two nodes.
struct Way {
  Network* network{};
  World* world{};
  std::string from, to;
};

/// Letters of the lane in front of it are carried into the lane on the other side; requests reach
/// `peer`, and their answers come back the same way. It can be monitored: `end` is its death.
class Far : public caf::monitorable_actor {
 public:
  Far(caf::actor_config& config, Way way, std::shared_ptr<LaneQueue> near_lane,
      std::shared_ptr<LaneQueue> far_lane, caf::strong_actor_ptr peer);

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* context) override;
  const char* name() const override { return "far"; }
  void end(caf::error reason);

  [[nodiscard]] static caf::strong_actor_ptr make(caf::actor_system& system, Way way,
                                                  std::shared_ptr<LaneQueue> near_lane,
                                                  std::shared_ptr<LaneQueue> far_lane,
                                                  caf::strong_actor_ptr peer);
  [[nodiscard]] static Far& of(const caf::strong_actor_ptr& handle) {
    return static_cast<Far&>(*handle->get());
  }

 private:
  void carry_letter(const Envelope& letter);
  void carry_request(caf::mailbox_element& element);

  Way way_;
  std::shared_ptr<LaneQueue> near_lane_, far_lane_;  ///< null: it takes requests alone
  caf::strong_actor_ptr peer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace esper::sim
