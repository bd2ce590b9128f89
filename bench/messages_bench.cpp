// Messages through Oona's lanes against the same messages through bare CAF: rate and round trip,
// interleaved, medians. Aim: at least 0.9 of CAF's. Actors are started before anything is timed.
#include <future>

#include "actors/lane.hpp"
#include "bench/interleaved.hpp"
#include "messages/configuration.hpp"
#include "messages/handles.hpp"

namespace esper {

namespace {

constexpr std::uint64_t messages = 200'000, round_trips = 100'000;
constexpr int repetitions = 25;
/// As a lane ships, and so large that the receiver seldom waits for more.
constexpr std::size_t shipped_credit = ControlConfig{}.credit, wide_credit = 4'096;

using PeerHandle = caf::typed_actor<caf::reacts_to<Nudge>>;
using PeerPointer = PeerHandle::pointer;

struct Finish {
  std::promise<void> reached;
};
using FinishPtr = std::shared_ptr<Finish>;

std::shared_ptr<LaneQueue> make_lane(std::size_t credit) {
  return std::make_shared<LaneQueue>("bench", LaneKind::command, credit, messages);
}

/// Waits until `begin` has led to a message that says so.
template <typename Begin>
void until_finished(Finish& finish, const Begin& begin) {
  finish.reached = {};
  auto reached = finish.reached.get_future();
  begin();
  reached.wait();
}

/// One sender, a thread that is no actor; the last message ends it.
PeerHandle::behavior_type sink(PeerPointer, FinishPtr finish) {
  return {[=](Nudge nudge) {
    if (nudge.window.value == messages) finish->reached.set_value();
  }};
}
PeerHandle::behavior_type lane_sink(PeerPointer, FinishPtr finish, LaneQueue* lane) {
  return {[=](Nudge nudge) {
    { const Delivery delivery(*lane); }
    if (nudge.window.value == messages) finish->reached.set_value();
  }};
}

/// Two actors that send one message to and fro.
struct Partner {
  PeerHandle actor;
};
PeerHandle::behavior_type player(PeerPointer self, FinishPtr finish, Partner* partner) {
  return {[=](Nudge nudge) {
    if (nudge.window.value == 2 * round_trips) return finish->reached.set_value();
    self->send(partner->actor, Nudge{nudge.window + 1});
  }};
}
PeerHandle::behavior_type lane_player(PeerPointer self, FinishPtr finish, LaneQueue* mine,
                                      const Lane<PeerHandle>* theirs) {
  return {[=](Nudge nudge) {
    const Delivery delivery(*mine);
    if (nudge.window.value == 2 * round_trips) return finish->reached.set_value();
    theirs->send(Nudge{nudge.window + 1}, self->context());
  }};
}

/// Median over the repetitions, each beside its own.
double share(const Arm& bare, const Arm& laned) {
  std::vector<double> shares;
  for (std::size_t i = 0; i < bare.seconds.size(); ++i)
    shares.push_back(bare.seconds[i] / laned.seconds[i]);
  return quantile(shares, 0.5);
}

void measure(caf::actor_system& system) {
  const auto started = [](LaneQueue& lane, const PeerHandle& actor) {
    lane.receiver_started(caf::actor_cast<caf::strong_actor_ptr>(actor));
  };
  const auto finish = std::make_shared<Finish>();
  const auto bare = system.spawn(sink, finish);
  const Lane<PeerHandle> shipped(make_lane(shipped_credit)), wide(make_lane(wide_credit));
  const auto shipped_sink = system.spawn(lane_sink, finish, &shipped.queue());
  const auto wide_sink = system.spawn(lane_sink, finish, &wide.queue());
  started(shipped.queue(), shipped_sink);
  started(wide.queue(), wide_sink);

  Partner first, second;
  first.actor = system.spawn(player, finish, &second);
  second.actor = system.spawn(player, finish, &first);
  const Lane<PeerHandle> to_first(make_lane(shipped_credit)), to_second(make_lane(shipped_credit));
  const auto lane_first = system.spawn(lane_player, finish, &to_first.queue(), &to_second);
  const auto lane_second = system.spawn(lane_player, finish, &to_second.queue(), &to_first);
  started(to_first.queue(), lane_first);
  started(to_second.queue(), lane_second);

  const auto arm = [&](const auto& begin) {
    return [&, begin] { until_finished(*finish, begin); };
  };
  std::vector<Arm> arms{{"rate, CAF",
                         arm([&] {
                           for (std::uint64_t i = 1; i <= messages; ++i)
                             caf::anon_send(bare, Nudge{{i}});
                         }),
                         {}},
                        {"rate, Oona",
                         arm([&] {
                           for (std::uint64_t i = 1; i <= messages; ++i) shipped.send(Nudge{{i}});
                         }),
                         {}},
                        {"rate, wide credit",
                         arm([&] {
                           for (std::uint64_t i = 1; i <= messages; ++i) wide.send(Nudge{{i}});
                         }),
                         {}},
                        {"round trip, CAF", arm([&] { caf::anon_send(first.actor, Nudge{}); }), {}},
                        {"round trip, Oona", arm([&] { to_first.send(Nudge{}); }), {}}};
  run_interleaved(arms, repetitions);
  const double rate = share(arms[0], arms[1]), wide_rate = share(arms[0], arms[2]),
               trip = share(arms[3], arms[4]);
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const double each = quantile(arms[i].seconds, 0.5) / (i < 3 ? messages : round_trips);
    std::printf("%-18s %7.1f ns each, %6.2f million a second (median of %d)\n",
                arms[i].name.c_str(), 1e9 * each, 1e-6 / each, repetitions);
  }
  std::printf(
      "Oona's share of CAF's message rate: %.2f (credit %zu; %.2f with %zu), of its round-trip "
      "rate: "
      "%.2f (aim 0.90)\n",
      rate, shipped_credit, wide_rate, wide_credit, trip);
  for (const auto& actor :
       {bare, shipped_sink, wide_sink, first.actor, second.actor, lane_first, lane_second})
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  for (const auto* used : {&shipped, &wide, &to_first, &to_second}) used->queue().receiver_lost();
  first.actor = second.actor = nullptr;
}

}  // namespace

}  // namespace esper

int main() {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system{config};
  esper::measure(system);
}
