#include "actors/lane_books.hpp"

#include "messages/json.hpp"

namespace esper {

bool report_lane(const ControlContext& context, LaneQueue& lane) {
  const LaneCounts counts = lane.counts();
  const auto set = [&](std::string_view name, std::uint64_t count) {
    context.metrics.set(name, lane.name(), "", static_cast<double>(count));
  };
  set("esper_lane_waiting_messages", counts.waiting);
  set("esper_lane_sent_messages", counts.sent);
  set("esper_lane_delivered_messages", counts.delivered);
  set("esper_lane_collapsed_messages", counts.collapsed);
  set("esper_lane_dead_messages", counts.dead);
  bool refused = false;
  for (const auto& letter : lane.take_dead_letters()) {
    refused = refused || letter.reason == name_of(DeathCause::backlog_full);
    context.metrics.add("esper_dead_letters_total", lane.name(), "",
                        static_cast<double>(letter.count));
    context.log.write(LogLevel::warning, "dead_letter", to_json(letter, Floats::plain).dump());
  }
  return refused;
}

LaneBooks::LaneBooks(ControlContext& context) : context_(context) {
  const auto& control = context.config.control;
  for (LaneQueue* lane : context.lanes.all())
    books_.push_back({lane, Breaker("lane." + lane->name(),
                                    BreakerPolicy{.failures_max = 1,
                                                  .backoff_first = control.backoff_ms_first,
                                                  .backoff_max = control.backoff_ms_max})});
}

void LaneBooks::sample(std::uint64_t now_ms) {
  for (auto& book : books_) {
    const bool refused = report_lane(context_, *book.lane);
    if (!book.receiver.pass(now_ms)) continue;
    if (refused)
      book.receiver.failed(now_ms, std::string{name_of(DeathCause::backlog_full)});
    else
      book.receiver.succeeded();
    context_.breakers.show(book.receiver, "", BreakerReach::turns_go_on);
  }
}

}  // namespace esper
