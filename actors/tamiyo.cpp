// Tamiyo Prime translates; decisions/strategy decides.
#include "actors/decisions/strategy.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

struct TamiyoState {
  std::optional<Strategy> strategy;
  bool ready = false;
  std::optional<TurnReports> waiting;
  std::optional<StrategyPart> last;
  const char* name = "tamiyo";
};

class Tamiyo {
 public:
  Tamiyo(TamiyoHandle::stateful_pointer<TamiyoState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void begin() const {
    const auto& config = context_->config;
    self_->state.strategy.emplace(
        StrategySettings{.budget = config.budget,
                         .allocation = config.allocation,
                         .time = config.time,
                         .gates = config.gates,
                         .regions = static_cast<std::uint32_t>(context_->host.regions.size())});
    self_
        ->request(context_->peers.journal, 4 * context_->retry(),
                  Recover{.role = Role::tamiyo, .region = {}, .epoch = epoch_, .released = {}})
        .then(
            [*this](const Recovery& past) {
              fold(past.turns);
              auto& state = self_->state;
              state.ready = true;
              if (state.waiting) take(*state.waiting);
              state.waiting.reset();
            },
            [*this](const caf::error&) {
              self_->delayed_send(self_, context_->retry() / 10, Nudge{});
            });
  }

  void take(const TurnReports& turn) const {
    auto& state = self_->state;
    if (!state.ready) {
      state.waiting = turn;
      return;
    }
    if (state.last && turn.window < state.last->window) return;
    if (!state.last || turn.window > state.last->window)
      state.last = decide(*state.strategy, turn.window, epoch_, turn.reports, turn.proposals);
    context_->lanes.journal.send(*state.last);
  }

 private:
  void fold(const std::vector<TurnRecord>& turns) const {
    for (const auto& turn : turns)
      if (turn.present)
        (void)decide(*self_->state.strategy, turn.window, turn.epoch, turn.reports, turn.proposals);
      else
        miss(*self_->state.strategy, turn.window, turn.reports, turn.proposals);
  }

  TamiyoHandle::stateful_pointer<TamiyoState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

TamiyoHandle::behavior_type tamiyo(TamiyoHandle::stateful_pointer<TamiyoState> self,
                                   ControlContextPtr context, Epoch epoch) {
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
