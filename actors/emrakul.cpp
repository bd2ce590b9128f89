// Emrakul translates; decisions/pruning_planner decides.
#include "actors/decisions/pruning_planner.hpp"
#include "actors/role_states.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

class Emrakul {
 public:
  Emrakul(SelfOf<EmrakulHandle, EmrakulState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  /// It remembers nothing of before: the plan that it was to make is skipped.
  void recover() const {
    if (self_->state.recovered) return;
    ask(self_, *context_, context_->peers.journal,
        Recover{.role = Role::emrakul, .region = {}, .epoch = epoch_, .released = {}},
        context_->retry(), [*this](const Recovery&) { self_->state.recovered = true; });
  }

  void take(const ImportanceReport& report) const {
    auto& state = self_->state;
    state.elesh_fell = report.checkpoint == 0;
    if (!state.elesh_fell || !state.importance) state.importance = report;  // the old still counts
    if (state.waiting && (state.elesh_fell || report.checkpoint >= state.waiting->checkpoint))
      answer(*std::exchange(state.waiting, std::nullopt), report.problem);
  }

  void take(const PlanningTurn& turn) const {
    auto& state = self_->state;
    if (state.answered && state.answered->window == turn.window) return send(*state.answered);
    const bool measured = state.importance && state.importance->checkpoint >= turn.checkpoint;
    const bool may_wait =
        epoch_.value <= 1 && !state.elesh_fell && context_->config.pace.mode == Pace::lockstep;
    if (measured || !may_wait) return answer(turn, "importance was not measured in time");
    state.waiting = turn;
  }

 private:
  void answer(const PlanningTurn& turn, const std::string& problem) const {
    auto& state = self_->state;
    state.answered =
        plan_pruning(turn, state.importance, problem, context_->config, context_->host);
    send(*state.answered);
  }

  void send(const PruningPart& part) const { context_->lanes.journal.send(part, self_->context()); }

  SelfOf<EmrakulHandle, EmrakulState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

EmrakulHandle::behavior_type emrakul(SelfOf<EmrakulHandle, EmrakulState> self,
                                     const ControlContextPtr& context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::emrakul, RegionId{});
  const Emrakul role(self, context, epoch);
  role.recover();
  const auto handled = [=](const auto& message) {
    const Delivery delivery(context->lanes.emrakul.queue());
    delay->pause();
    role.take(message);
  };
  return {
      [=](const PlanningTurn& turn) { handled(turn); },
      [=](const ImportanceReport& report) { handled(report); },
      [=](Nudge) {
        delay->hold();
        role.recover();
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_emrakul(caf::local_actor& parent, const ControlContextPtr& context,
                                    Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(emrakul, context, epoch));
}

}  // namespace esper
