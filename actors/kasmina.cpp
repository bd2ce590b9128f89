// Kasmina executes: committed turns go to the executor in order, none twice.
#include "actors/role_states.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds full_ring_pause{5};
/// Turns that may wait for room in the executor's ring; the journal keeps the others.
constexpr std::size_t waiting_max = 64;

class Kasmina {
 public:
  Kasmina(SelfOf<KasminaHandle, KasminaState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void recover() const {
    const Recover question{.role = Role::kasmina,
                           .region = {},
                           .epoch = epoch_,
                           .released = context_->executor.released()};
    ask(self_, *context_, context_->peers.journal, question, context_->retry(),
        [*this](const Recovery& past) {
          auto& state = self_->state;
          const auto taken = std::min(past.releases.size(), waiting_max);
          state.waiting.assign(past.releases.begin(),
                               past.releases.begin() + static_cast<std::ptrdiff_t>(taken));
          state.behind = taken < past.releases.size();
          state.recovered = true;
          hand_over();
        });
  }

  /// A turn that comes while the journal is being asked is in its answer, or comes after it.
  void take(const TurnRelease& turn) const {
    auto& state = self_->state;
    if (!state.recovered) return;
    const Window newest =
        state.waiting.empty() ? context_->executor.released() : state.waiting.back().turn;
    if (turn.turn <= newest) return;
    if (turn.turn == newest + 1 && state.waiting.size() < waiting_max)
      state.waiting.push_back(turn);
    else
      state.behind = true;
    hand_over();
  }

  void nudge() const {
    self_->state.nudged = false;
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
  void hand_over() const {
    auto& state = self_->state;
    while (!state.waiting.empty() && context_->executor.release(state.waiting.front()))
      state.waiting.pop_front();
    if (!state.waiting.empty()) {
      if (!std::exchange(state.nudged, true)) self_->delayed_send(self_, full_ring_pause, Nudge{});
    } else if (std::exchange(state.behind, false)) {
      state.recovered = false;
      recover();
    }
  }

  SelfOf<KasminaHandle, KasminaState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

KasminaHandle::behavior_type kasmina(SelfOf<KasminaHandle, KasminaState> self,
                                     const ControlContextPtr& context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::kasmina, RegionId{});
  const Kasmina role(self, context, epoch);
  role.recover();
  return {
      [=](const TurnRelease& turn) {
        const Delivery delivery(context->lanes.kasmina.queue());
        delay->pause();
        role.take(turn);
      },
      [=](Nudge) {
        delay->hold();
        role.nudge();
      },
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
