// Tamiyo Prime translates; decisions/strategy decides.
#include "actors/roles.hpp"
#include "actors/turn_answer.hpp"
#include "actors/turn_replay.hpp"

namespace esper {

namespace {

struct TamiyoState {
  std::optional<Strategy> strategy;
  TurnAnswer<TurnReports, StrategyPart> answer;
  const char* name = "tamiyo";
};

class Tamiyo {
 public:
  Tamiyo(TamiyoHandle::stateful_pointer<TamiyoState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void begin() const {
    self_->state.strategy.emplace(strategy_settings(context_->config, context_->host));
    ask(self_, *context_, context_->peers.journal,
        Recover{.role = Role::tamiyo, .region = {}, .epoch = epoch_, .released = {}},
        4 * context_->retry(), [*this](const Recovery& past) {
          fold(past.turns);
          send(self_->state.answer.past_known(
              [*this](const TurnReports& turn) { return answer(turn); }));
        });
  }

  void take(const TurnReports& turn) const {
    send(self_->state.answer.to(turn, [*this](const TurnReports& asked) { return answer(asked); }));
  }

 private:
  [[nodiscard]] StrategyPart answer(const TurnReports& turn) const {
    return decide(*self_->state.strategy, turn, epoch_);
  }

  void send(const StrategyPart* part) const {
    if (part != nullptr) context_->lanes.journal.send(*part, self_->context());
  }

  void fold(const std::vector<TurnRecord>& turns) const {
    for (const auto& turn : turns) (void)decide_again(*self_->state.strategy, turn);
  }

  TamiyoHandle::stateful_pointer<TamiyoState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

TamiyoHandle::behavior_type tamiyo(TamiyoHandle::stateful_pointer<TamiyoState> self,
                                   const ControlContextPtr& context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(context->config, Role::tamiyo, RegionId{});
  const Tamiyo role(self, context, epoch);
  role.begin();
  return {
      [=](const TurnReports& turn) {
        const Delivery delivery(context->lanes.tamiyo.queue());
        delay->pause();
        role.take(turn);
      },
      [=](Nudge) { role.begin(); },
  };
}

}  // namespace

caf::strong_actor_ptr start_tamiyo(caf::local_actor& parent, const ControlContextPtr& context,
                                   Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(tamiyo, context, epoch));
}

}  // namespace esper
