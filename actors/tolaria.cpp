// Tolaria's control side: opens one turn per closed window, in order, one at a time.
#include "actors/role_states.hpp"
#include "actors/roles.hpp"
#include "actors/turn_entries.hpp"

namespace esper {

namespace {

/// How long one look for a closed window lasts. The thread is this actor's own.
constexpr std::chrono::milliseconds look{20};
/// In virtual time, which stands still while anyone looks: between two looks.
constexpr std::chrono::milliseconds virtual_look{50};

class Tolaria {
 public:
  Tolaria(SelfOf<TolariaHandle, TolariaState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void recover() const {
    ask(self_, *context_, context_->peers.journal,
        Recover{.role = Role::tolaria, .region = {}, .epoch = epoch_, .released = {}},
        context_->retry(), [*this](const Recovery& past) {
          auto& state = self_->state;
          state.committed = past.committed;
          state.answers = past.answers;
          state.recovered = true;
          // A process that goes on from a checkpoint has its copy, and an Elesh that was not told.
          if (past.copy) context_->lanes.elesh.send(*past.copy, self_->context());
          self_->send(self_, Nudge{});
        });
  }

  /// A nudge with a window number asks whether that turn is still open.
  void nudge(Window asked) const {
    auto& state = self_->state;
    if (!state.recovered) return recover();
    if (state.open) {
      if (state.open->window == asked) send_turn();
      return;
    }
    if (asked.value > 0) return;  // that turn has closed
    WindowReport report;
    const auto patience = context_->virtual_time ? std::chrono::milliseconds{} : look;
    if (!context_->executor.next_window(report, patience)) return look_again();
    if (report.window <= state.committed) {  // committed while this role was down
      context_->executor.finish_window(report.window);
      return self_->send(self_, Nudge{});
    }
    if (context_->filter) context_->filter(report);
    if (context_->overrides != nullptr) report.overrides = context_->overrides->due(report.window);
    if (context_->chaos != nullptr) report.faults = context_->chaos->due(report.window);
    watch_checkpoints(report.device);
    state.open = std::move(report);
    send_turn();
  }

  void committed(const TurnCommitted& turn) const {
    auto& state = self_->state;
    if (turn.window <= state.committed) return;
    state.committed = turn.window;
    state.answers = turn.answers;
    context_->executor.finish_window(turn.window);
    state.open.reset();
    self_->send(self_, Nudge{});
  }

 private:
  void look_again() const {
    if (context_->virtual_time)
      self_->delayed_send(self_, virtual_look, Nudge{});
    else
      self_->send(self_, Nudge{});
  }

  /// The trainer goes on without checkpoints on disk; whoever runs it should know.
  void watch_checkpoints(const DeviceTelemetry& device) const {
    auto& breaker = self_->state.checkpoints;
    const auto& control = context_->config.control;
    if (!breaker)
      breaker.emplace("checkpoint.disk", BreakerPolicy{.failures_max = 1,
                                                       .backoff_first = control.backoff_ms_first,
                                                       .backoff_max = control.backoff_ms_max});
    const auto now = now_ms(*self_);
    if (!breaker->pass(now)) return;
    if (device.checkpoint_failures > 0)
      breaker->failed(now, "a checkpoint could not be written");
    else
      breaker->succeeded();
    context_->breakers.show(*breaker, "", BreakerReach::turns_go_on);
  }

  void send_turn() const {
    const auto& report = *self_->state.open;
    context_->lanes.journal.send(TurnOpened{report}, self_->context());
    for (const auto& [region, turn] : region_turns(report, self_->state.answers))
      context_->lanes.narsets.at(region.value).send(turn, self_->context());
    if (report.checkpoint && report.checkpoint->measurable)
      context_->lanes.elesh.send(*report.checkpoint, self_->context());
    self_->delayed_send(self_, context_->retry(), Nudge{report.window});
  }

  SelfOf<TolariaHandle, TolariaState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

TolariaHandle::behavior_type tolaria(SelfOf<TolariaHandle, TolariaState> self,
                                     const ControlContextPtr& context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::tolaria, RegionId{});
  const Tolaria role(self, context, epoch);
  role.recover();
  return {
      [=](const TurnCommitted& turn) {
        const Delivery delivery(context->lanes.tolaria.queue());
        delay->pause();
        role.committed(turn);
      },
      [=](Nudge nudge) {
        delay->hold();
        role.nudge(nudge.window);
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_tolaria(caf::local_actor& parent, const ControlContextPtr& context,
                                    Epoch epoch) {
  if (context->virtual_time)
    return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(tolaria, context, epoch));
  return caf::actor_cast<caf::strong_actor_ptr>(
      parent.spawn<caf::detached>(tolaria, context, epoch));
}

}  // namespace esper
