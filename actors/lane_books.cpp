#include "actors/lane_books.hpp"

#include "actors/stable_handle.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

void report(const ControlContext& context, const DeadLetter& letter) {
  context.metrics.add("esper_dead_letters_total", letter.lane, "",
                      static_cast<double>(letter.count));
  context.log.write(LogLevel::warning, "dead_letter", to_json(letter, Floats::plain).dump());
}

}  // namespace

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
    report(context, letter);
  }
  return refused;
}

void report_peers(const ControlContext& context) {
  const auto look = [&](const char* name, const auto& peer) {
    if (!peer) return;
    if (const auto count = StableHandle::take_dropped(caf::actor_cast<caf::strong_actor_ptr>(peer));
        count > 0)
      report(context, {.lane = name, .reason = "receiver_down", .count = count});
  };
  look("journal.direct", context.peers.journal);
  look("kasmina.direct", context.peers.kasmina);
  look("urza.direct", context.peers.urza);
  look("oona.direct", context.peers.oona);
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
  report_peers(context_);
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
