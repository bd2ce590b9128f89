// Tamiyo Prime translates; decisions/strategy decides.
#include "actors/decisions/planted.hpp"
#include "actors/role_states.hpp"
#include "actors/roles.hpp"
#include "actors/turn_replay.hpp"

namespace esper {

namespace {

class Tamiyo {
 public:
  Tamiyo(SelfOf<TamiyoHandle, TamiyoState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void begin() const {
    self_->state.strategy.emplace(strategy_settings(context_->config, context_->host));
    ask(self_, *context_, context_->peers.journal,
        Recover{.role = Role::tamiyo, .region = {}, .epoch = epoch_, .released = {}},
        4 * context_->retry(), [*this](const Recovery& past) {
          fold(past.turns);
          send(self_->state.answer.past_known(
              past.committed, [*this](const TurnReports& turn) { return answer(turn); }));
        });
  }

  void take(const TurnReports& turn) const {
    send(self_->state.answer.to(turn, [*this](const TurnReports& asked) { return answer(asked); }));
  }

 private:
  [[nodiscard]] StrategyPart answer(const TurnReports& turn) const {
    auto part = decide(*self_->state.strategy, turn, epoch_);
    const auto& thrash = self_->state.strategy->thrash;
    for (std::size_t region = 0; region < thrash.size(); ++region)
      context_->breakers.show(thrash[region], std::to_string(region), BreakerReach::decided);
    return part;
  }

  void send(const StrategyPart* part) const {
    if (part != nullptr) context_->lanes.journal.send(*part, self_->context());
  }

  void fold(const std::vector<TurnRecord>& turns) const {
    const std::size_t forgotten = planted(Planted::past_forgotten) && !turns.empty() ? 1 : 0;
    for (std::size_t i = 0; i + forgotten < turns.size(); ++i)
      (void)decide_again(*self_->state.strategy, turns[i]);
  }

  SelfOf<TamiyoHandle, TamiyoState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

TamiyoHandle::behavior_type tamiyo(SelfOf<TamiyoHandle, TamiyoState> self,
                                   const ControlContextPtr& context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::tamiyo, RegionId{});
  const Tamiyo role(self, context, epoch);
  role.begin();
  return {
      [=](const TurnReports& turn) {
        const Delivery delivery(context->lanes.tamiyo.queue());
        delay->pause();
        role.take(turn);
      },
      [=](Nudge) {
        delay->hold();
        role.begin();
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_tamiyo(caf::local_actor& parent, const ControlContextPtr& context,
                                   Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(tamiyo, context, epoch));
}

}  // namespace esper
