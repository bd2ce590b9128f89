// Oona's lanes: nothing lost, doubled or reordered; telemetry collapses to the newest.
#include "actors/lane.hpp"

#include <catch2/catch.hpp>

#include "actors/decisions/random.hpp"
#include "actors/stable_handle.hpp"
#include "messages/handles.hpp"
#include "tests/test_seed.hpp"

namespace esper {

namespace {

using ReceiverHandle = caf::typed_actor<caf::reacts_to<Nudge>>;

struct Received {
  std::mutex mutex;
  std::vector<std::uint64_t> windows;
};

ReceiverHandle::behavior_type receiver(ReceiverHandle::pointer, std::shared_ptr<LaneQueue> lane,
                                       std::shared_ptr<Received> received, std::uint64_t poison) {
  return {[=](Nudge nudge) {
    const Delivery delivery(*lane);
    if (nudge.window.value == poison) throw std::runtime_error("poison");
    const std::lock_guard lock(received->mutex);
    received->windows.push_back(nudge.window.value);
  }};
}

bool balanced(const LaneCounts& counts) {
  return counts.sent == counts.delivered + counts.collapsed + counts.dead + counts.waiting;
}

std::vector<std::uint64_t> counted_to(std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

}  // namespace

SCENARIO("a command lane at ten times its credit keeps every command in order", "[oona]") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  constexpr std::size_t credit = 16, sent = 10 * credit;
  auto lane = std::make_shared<LaneQueue>("test", LaneKind::command, credit, sent);
  auto received = std::make_shared<Received>();
  GIVEN("a receiver that has not started") {
    const auto handle = StableHandle::make(system);
    lane->set_target(handle);
    const Lane<ReceiverHandle> sender(lane);
    for (std::uint64_t i = 1; i <= sent; ++i) REQUIRE(sender.send(Nudge{{i}}));
    CHECK(lane->counts().waiting == sent);
    WHEN("it starts") {
      const auto actor = system.spawn(receiver, lane, received, 0u);
      StableHandle::set_target(handle, caf::actor_cast<caf::strong_actor_ptr>(actor));
      lane->receiver_restarted();
      while (lane->counts().waiting > 0) std::this_thread::yield();
      THEN("it has each once, in order") { CHECK(received->windows == counted_to(sent)); }
    }
    WHEN("more comes than the backlog holds") {
      for (std::uint64_t i = 0; i < credit; ++i) REQUIRE(sender.send(Nudge{}));
      THEN("the sender is told and the letter is dead") {
        CHECK_FALSE(sender.send(Nudge{}));
        CHECK(lane->counts().dead == 1);
        CHECK(balanced(lane->counts()));
      }
    }
    lane->close();
    CHECK(balanced(lane->counts()));
    StableHandle::set_target(handle, nullptr);
  }
}

SCENARIO("a receiver that dies on a command is sent it again, and the rest after it", "[oona]") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto lane = std::make_shared<LaneQueue>("test", LaneKind::command, 4, 100);
  auto received = std::make_shared<Received>();
  const auto handle = StableHandle::make(system);
  lane->set_target(handle);
  const auto start = [&](std::uint64_t poison) {
    const auto actor = system.spawn(receiver, lane, received, poison);
    StableHandle::set_target(handle, caf::actor_cast<caf::strong_actor_ptr>(actor));
    return actor;
  };
  caf::scoped_actor self{system};
  const auto first = start(5);
  self->monitor(first);
  const Lane<ReceiverHandle> sender(lane);
  for (std::uint64_t i = 1; i <= 20; ++i) REQUIRE(sender.send(Nudge{{i}}));
  self->receive([](const caf::down_msg&) {});
  CHECK(received->windows == counted_to(4));
  const auto second = start(0);
  lane->receiver_restarted();
  while (lane->counts().waiting > 0) std::this_thread::yield();
  CHECK(received->windows == counted_to(20));
  CHECK(lane->counts().delivered == 20);
  StableHandle::set_target(handle, nullptr);
}

SCENARIO("a telemetry lane keeps the newest and stays flat", "[oona]") {
  auto lane = std::make_shared<LaneQueue>("test", LaneKind::telemetry, 2, 1);
  RandomStream random(test_seed(), "lane");
  const Lane<ReceiverHandle> sender(lane);
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    REQUIRE(sender.send(Nudge{{i}}));
    if (random.below(10) == 0) lane->delivered();
    REQUIRE(lane->counts().waiting <= 3);
    REQUIRE(balanced(lane->counts()));
  }
  CHECK(lane->counts().collapsed > 0);
}

}  // namespace esper
