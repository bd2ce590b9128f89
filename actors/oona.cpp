// Oona carries: lanes do the carrying (lane.hpp), this actor keeps their books and dead letters.
#include "actors/roles.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds sample_period{250};

struct OonaState {
  std::uint64_t dead_letters = 0;
  const char* name = "oona";
};

void sample(const ControlContext& context, const LaneQueue& lane) {
  const LaneCounts counts = lane.counts();
  auto& metrics = context.metrics;
  metrics.set("esper_lane_waiting_messages", lane.name(), "", static_cast<double>(counts.waiting));
  metrics.set("esper_lane_sent_messages", lane.name(), "", static_cast<double>(counts.sent));
  metrics.set("esper_lane_collapsed_messages", lane.name(), "",
              static_cast<double>(counts.collapsed));
  metrics.set("esper_lane_dead_messages", lane.name(), "", static_cast<double>(counts.dead));
}

OonaHandle::behavior_type oona(OonaHandle::stateful_pointer<OonaState> self,
                               ControlContextPtr context) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(context->config, Role::oona, RegionId{});
  self->delayed_send(self, sample_period, Nudge{});
  return {
      [=](const DeadLetter& letter) {
        delay->pause();
        self->state.dead_letters += letter.count;
        context->log.write(LogLevel::warning, "dead_letter", to_json(letter, Floats::plain).dump());
      },
      [=](Nudge) {
        sample(*context, context->lanes.journal.queue());
        sample(*context, context->lanes.tolaria.queue());
        sample(*context, context->lanes.tamiyo.queue());
        sample(*context, context->lanes.kasmina.queue());
        for (const auto& lane : context->lanes.narsets) sample(*context, lane.queue());
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
