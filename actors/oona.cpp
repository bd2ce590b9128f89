// Oona carries: lanes do the carrying (lane.hpp), this actor keeps their books and dead letters.
#include "actors/role_states.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds sample_period{250};

OonaHandle::behavior_type oona(SelfOf<OonaHandle, OonaState> self,
                               const ControlContextPtr& context) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::oona, RegionId{});
  self->state.books.emplace(*context);
  self->delayed_send(self, sample_period, Nudge{});
  return {
      [=](Nudge) {
        delay->pause();
        self->state.books->sample(now_ms(*self));
        self->delayed_send(self, sample_period, Nudge{});
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_oona(caf::local_actor& parent, const ControlContextPtr& context,
                                 Epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(oona, context));
}

}  // namespace esper
