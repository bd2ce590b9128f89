// Messages through one of Oona's lanes against the same messages through bare CAF: rate and round
// trip, interleaved, medians. Aim: at least 0.9 of CAF's.
#include <future>

#include "actors/lane.hpp"
#include "bench/interleaved.hpp"
#include "messages/handles.hpp"

namespace esper {

namespace {

constexpr std::uint64_t messages = 100'000;
constexpr int repetitions = 15;

using SinkHandle = caf::typed_actor<caf::reacts_to<Nudge>>;

struct Finish {
  std::promise<void> reached;
};

/// Tells `finish` at the last message; credits `lane` when there is one.
SinkHandle::behavior_type sink(SinkHandle::pointer, LaneQueue* lane, std::shared_ptr<Finish> finish,
                               std::uint64_t last) {
  return {[=](Nudge nudge) {
    if (lane != nullptr) lane->delivered();
    if (nudge.window.value == last) finish->reached.set_value();
  }};
}

/// `count` messages at once, or one after the other's handling (a round trip) for `ping`.
void through(caf::actor_system& system, bool with_lane, bool ping) {
  const std::uint64_t count = ping ? messages / 10 : messages;
  LaneQueue queue("bench", LaneKind::command, 4096, messages);
  auto finish = std::make_shared<Finish>();
  const auto receiver = system.spawn(sink, with_lane ? &queue : nullptr, finish, ping ? 0 : count);
  queue.set_target(caf::actor_cast<caf::strong_actor_ptr>(receiver));
  const auto send = [&](Nudge nudge) {
    if (with_lane)
      queue.push(caf::make_message(nudge));
    else
      caf::anon_send(receiver, nudge);
  };
  if (ping) {
    for (std::uint64_t i = 0; i < count; ++i) {
      finish->reached = {};
      auto reached = finish->reached.get_future();
      send(Nudge{});
      reached.wait();
    }
  } else {
    auto reached = finish->reached.get_future();
    for (std::uint64_t i = 1; i <= count; ++i) send(Nudge{{i}});
    reached.wait();
  }
  caf::anon_send_exit(receiver, caf::exit_reason::user_shutdown);
  system.await_all_actors_done();
}

}  // namespace

}  // namespace esper

int main() {
  using namespace esper;
  caf::actor_system_config config;
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system{config};
  std::vector<Arm> arms{{"rate, CAF", [&] { through(system, false, false); }, {}},
                        {"rate, Oona", [&] { through(system, true, false); }, {}},
                        {"round trip, CAF", [&] { through(system, false, true); }, {}},
                        {"round trip, Oona", [&] { through(system, true, true); }, {}}};
  run_interleaved(arms, repetitions);
  const double rate = quantile(arms[0].seconds, 0.5) / quantile(arms[1].seconds, 0.5);
  const double trip = quantile(arms[2].seconds, 0.5) / quantile(arms[3].seconds, 0.5);
  for (auto& arm : arms)
    std::printf("%-18s %8.1f ms (median of %d)\n", arm.name.c_str(),
                1e3 * quantile(arm.seconds, 0.5), repetitions);
  std::printf("Oona's share of CAF's message rate: %.2f, of its round-trip rate: %.2f (aim 0.90)\n",
              rate, trip);
}
