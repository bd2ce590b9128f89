// Elesh translates; the executor measures, on a copy, while training goes on.
#include "actors/role_states.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

class Elesh {
 public:
  Elesh(SelfOf<EleshHandle, EleshState> self, ControlContextPtr context)
      : self_(self), context_(std::move(context)) {}

  /// The same checkpoint is announced again while its turn stays open.
  void measure(const CheckpointReady& ready) const {
    auto& state = self_->state;
    if (ready.checkpoint <= state.measured) return;
    state.measured = ready.checkpoint;
    auto report = context_->executor.measure_importance(ready.checkpoint);
    if (!report) {
      report.emplace();
      report->problem = "there is no copy of this checkpoint";
    }
    report->checkpoint = ready.checkpoint;
    context_->lanes.emrakul.send(*report, self_->context());
    context_->metrics.add("esper_importance_reports_total", "elesh", "", 1);
  }

 private:
  SelfOf<EleshHandle, EleshState> self_;
  ControlContextPtr context_;
};

EleshHandle::behavior_type elesh(SelfOf<EleshHandle, EleshState> self,
                                 const ControlContextPtr& context) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::elesh, RegionId{});
  const Elesh role(self, context);
  return {
      [=](const CheckpointReady& ready) {
        const Delivery delivery(context->lanes.elesh.queue());
        delay->pause();
        role.measure(ready);
      },
      [=](Nudge) { delay->hold(); },
  };
}

}  // namespace

caf::strong_actor_ptr start_elesh(caf::local_actor& parent, const ControlContextPtr& context,
                                  Epoch) {
  if (context->virtual_time)
    return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(elesh, context));
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn<caf::detached>(elesh, context));
}

}  // namespace esper
