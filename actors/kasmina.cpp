// Kasmina executes: committed turns go to the executor in order, none twice.
#include <deque>

#include "actors/roles.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds full_ring_pause{5};

struct KasminaState {
  std::deque<TurnRelease> waiting;  ///< the executor's ring was full; bounded by one turn a window
  bool recovered = false;
  const char* name = "kasmina";
};

class Kasmina {
 public:
  Kasmina(KasminaHandle::stateful_pointer<KasminaState> self, ControlContextPtr context,
          Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void recover() const {
    self_
        ->request(context_->peers.journal, context_->retry(),
                  Recover{.role = Role::kasmina,
                          .region = {},
                          .epoch = epoch_,
                          .released = context_->executor.released()})
        .then(
            [*this](const Recovery& past) {
              auto& waiting = self_->state.waiting;
              waiting.insert(waiting.begin(), past.releases.begin(), past.releases.end());
              self_->state.recovered = true;
              hand_over();
            },
            [*this](const caf::error&) { self_->delayed_send(self_, context_->retry(), Nudge{}); });
  }

  void hand_over() const {
    auto& waiting = self_->state.waiting;
    while (!waiting.empty() && context_->executor.release(waiting.front())) waiting.pop_front();
    if (!waiting.empty()) self_->delayed_send(self_, full_ring_pause, Nudge{});
  }

  void take(const TurnRelease& turn) const {
    self_->state.waiting.push_back(turn);
    if (self_->state.recovered) hand_over();
  }

  void nudge() const {
    if (self_->state.recovered)
      hand_over();
    else
      recover();
  }

  [[nodiscard]] RegionSeeds read(const ReadSeeds& asked) const {
    context_->executor.fence(asked.region, asked.epoch);
    RegionSeeds found;
    for (const auto& seed : context_->executor.seeds())
      if (seed.region == asked.region) found.seeds.push_back(seed);
    return found;
  }

 private:
  KasminaHandle::stateful_pointer<KasminaState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

KasminaHandle::behavior_type kasmina(KasminaHandle::stateful_pointer<KasminaState> self,
                                     ControlContextPtr context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(context->config, Role::kasmina, RegionId{});
  const Kasmina role(self, context, epoch);
  role.recover();
  return {
      [=](const TurnRelease& turn) {
        const Delivery delivery(context->lanes.kasmina.queue());
        delay->pause();
        role.take(turn);
      },
      [=](Nudge) { role.nudge(); },
      [=](const ReadSeeds& asked) -> RegionSeeds {
        delay->pause();
        return role.read(asked);
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_kasmina(caf::local_actor& parent, const ControlContextPtr& context,
                                    Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(kasmina, context, epoch));
}

}  // namespace esper
