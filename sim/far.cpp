#include "sim/far.hpp"

namespace esper::sim {

namespace {

/// Where the answer to a carried request goes: back over the link, to who asked.
class Return : public caf::monitorable_actor {
 public:
  Return(caf::actor_config& config, Way way, caf::strong_actor_ptr asker)
      : caf::monitorable_actor(config), way_(std::move(way)), asker_(std::move(asker)) {}

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    way_.network->carry(way_.to, way_.from,
                        [asker = asker_, id = element->mid,
                         content = element->move_content_to_message()]() mutable {
                          asker->enqueue(caf::make_mailbox_element(nullptr, id, {}, content),
                                         nullptr);
                        });
  }
  const char* name() const override { return "return"; }

 private:
  Way way_;
  caf::strong_actor_ptr asker_;
};

}  // namespace

Far::Far(caf::actor_config& config, Way way, std::shared_ptr<LaneQueue> near_lane,
         std::shared_ptr<LaneQueue> far_lane, caf::strong_actor_ptr peer)
    : caf::monitorable_actor(config),
      way_(std::move(way)),
      near_lane_(std::move(near_lane)),
      far_lane_(std::move(far_lane)),
      peer_(std::move(peer)) {}

caf::strong_actor_ptr Far::make(caf::actor_system& system, Way way,
                                std::shared_ptr<LaneQueue> near_lane,
                                std::shared_ptr<LaneQueue> far_lane, caf::strong_actor_ptr peer) {
  caf::actor_config config;
  return caf::make_actor<Far, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system,
                                                     config, std::move(way), std::move(near_lane),
                                                     std::move(far_lane), std::move(peer));
}

void Far::carry_letter(const Envelope& letter) {
  const std::shared_ptr<const Envelope> copy{letter.duplicate(), LetsGo{}};
  way_.network->carry(way_.from, way_.to, [copy, lane = far_lane_] {
    (void)lane->push(EnvelopePtr{copy->duplicate()}, nullptr);
  });
  // It is on the wire: the lane on this side has its credit back, but not within its own call.
  way_.world->at(way_.world->now_ms(), [alive = alive_, lane = near_lane_] {
    if (*alive) lane->delivered();
  });
}

void Far::carry_request(caf::mailbox_element& element) {
  caf::actor_config config;
  auto& system = home_system();
  auto back = element.sender ? caf::make_actor<Return, caf::strong_actor_ptr>(
                                   system.next_actor_id(), system.node(), &system, config, way_,
                                   element.sender)
                             : caf::strong_actor_ptr{};
  auto content = element.move_content_to_message();
  const auto delivery =
      content.match_elements<caf::exit_msg>() ? Delivery::sure : Delivery::may_be_lost;
  way_.network->carry(
      way_.from, way_.to,
      [peer = peer_, back, id = element.mid, content] {
        peer->enqueue(caf::make_mailbox_element(back, id, {}, content), nullptr);
      },
      delivery);
}

void Far::enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) {
  if (!*alive_) return;
  if (const auto* letter = dynamic_cast<const Envelope*>(element.get()))
    carry_letter(*letter);
  else
    carry_request(*element);
}

void Far::end(caf::error reason) {
  if (!std::exchange(*alive_, false)) return;
  cleanup(std::move(reason), nullptr);
}

}  // namespace esper::sim
