#include "sim/world.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

namespace esper {

namespace {

using Clock = caf::detail::test_actor_clock;

std::uint64_t ms_of(Clock::time_point instant, bool up) {
  const auto nanoseconds =
      std::chrono::duration_cast<std::chrono::nanoseconds>(instant.time_since_epoch()).count();
  constexpr std::int64_t per_ms = 1'000'000;
  return static_cast<std::uint64_t>((nanoseconds + (up ? per_ms - 1 : 0)) / per_ms);
}

struct TestingConfig : caf::actor_system_config {
  TestingConfig() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

}  // namespace

struct World::Parts {
  TestingConfig config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::map<Timer, std::function<void()>> timers;
  std::map<caf::actor_id, ActorName> names;
  std::map<std::string, caf::actor_addr> present;  ///< by role, the newest incarnation
  std::map<std::string, std::uint64_t> paused_until_ms;
};

World::World(std::uint64_t seed) : order_(seed, "world.order"), parts_(std::make_unique<Parts>()) {
  auto& clock = parts_->scheduler.clock();
  clock.current_time += std::chrono::hours(1);
  begun_ms_ = ms_of(clock.now(), false);
}

World::~World() {
  before = {};
  parts_->timers.clear();
  parts_->paused_until_ms.clear();
  // An actor left alive would block the system's end for ever.
  for (auto& [role, address] : parts_->present)
    if (const auto actor = caf::actor_cast<caf::strong_actor_ptr>(address))
      caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
  settle();
  parts_->scheduler.clock().cancel_all();
  settle();
  parts_->system.await_actors_before_shutdown(false);
}

caf::actor_system& World::system() { return parts_->system; }

void World::at(std::uint64_t ms, std::function<void()> what) {
  parts_->timers.emplace(Timer{std::max(ms, now_ms_), ++timers_made_}, std::move(what));
}

void World::name(const caf::strong_actor_ptr& actor, ActorName name) {
  parts_->present[name.role] = caf::actor_cast<caf::actor_addr>(actor);
  parts_->names[actor->id()] = std::move(name);
}

void World::pause(const std::string& role, std::uint64_t until_ms) {
  auto& until = parts_->paused_until_ms[role];
  until = std::max(until, until_ms);
  at(until, [] {});  // so that time stops there and its messages are looked at
}

bool World::kill(const std::string& role) {
  const auto found = parts_->present.find(role);
  if (found == parts_->present.end()) return false;
  const auto actor = caf::actor_cast<caf::strong_actor_ptr>(found->second);
  if (!actor) return false;
  const auto* living = dynamic_cast<caf::local_actor*>(actor->get());
  if (living == nullptr || living->getf(caf::abstract_actor::is_terminated_flag)) return false;
  caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
  const auto& jobs = parts_->scheduler.jobs;
  const auto* job = dynamic_cast<caf::resumable*>(actor->get());
  const auto place = std::find(jobs.begin(), jobs.end(), job);
  if (place != jobs.end()) handle(static_cast<std::size_t>(place - jobs.begin()));
  return true;
}

void World::jump(std::uint64_t ms) {
  skew_ms_ += ms;
  move_clock(now_ms_);
}

bool World::paused(std::size_t place) const {
  const auto& until_ms = parts_->paused_until_ms;
  if (until_ms.empty()) return false;
  const auto* actor = dynamic_cast<const caf::local_actor*>(parts_->scheduler.jobs[place]);
  if (actor == nullptr) return false;
  const auto name = parts_->names.find(actor->id());
  if (name == parts_->names.end()) return false;
  const auto until = until_ms.find(name->second.role);
  return until != until_ms.end() && now_ms_ < until->second;
}

void World::handle(std::size_t place) {
  auto& jobs = parts_->scheduler.jobs;
  if (place > 0) std::swap(jobs[place], jobs.front());
  auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front());
  WorldEvent event;
  event.count = ++events_;
  event.at_ms = now_ms_;
  if (actor != nullptr) {
    if (const auto name = parts_->names.find(actor->id()); name != parts_->names.end())
      event.to = &name->second;
    if (const auto* element = actor->peek_at_next_mailbox_element())
      event.content = &element->content();
  }
  if (before) before(event);
  try {
    parts_->scheduler.try_run_once();
  } catch (const std::exception& thrown) {
    escaped_.emplace_back(thrown.what());
  }
}

/// One message, or one timer that is due: drawn among all that could be next.
bool World::step() {
  auto& timers = parts_->timers;
  const std::size_t jobs = parts_->scheduler.jobs.size();
  const bool due = !timers.empty() && timers.begin()->first.at_ms <= now_ms_;
  const std::size_t choices = jobs + (due ? 1 : 0);
  if (choices == 0) return false;
  const auto begin = order_.below(choices);
  for (std::size_t i = 0; i < choices; ++i) {
    const std::size_t place = (begin + i) % choices;
    if (place == jobs) {
      const auto what = std::move(timers.begin()->second);
      timers.erase(timers.begin());
      what();
      return true;
    }
    if (paused(place)) continue;
    handle(place);
    return true;
  }
  return false;
}

void World::settle() {
  while (step()) {
  }
}

std::uint64_t World::next_ms() const {
  std::uint64_t next = std::numeric_limits<std::uint64_t>::max();
  if (!parts_->timers.empty()) next = parts_->timers.begin()->first.at_ms;
  if (const auto& schedule = parts_->scheduler.clock().schedule(); !schedule.empty()) {
    const std::uint64_t due = ms_of(schedule.begin()->first, true) - begun_ms_;
    next = std::min(next, due > skew_ms_ ? due - skew_ms_ : now_ms_);
  }
  return std::max(next, now_ms_);
}

void World::move_clock(std::uint64_t ms) {
  now_ms_ = ms;
  auto& clock = parts_->scheduler.clock();
  const Clock::time_point instant{std::chrono::milliseconds{begun_ms_ + now_ms_ + skew_ms_}};
  clock.advance_time(std::max(instant - clock.current_time, Clock::duration_type{0}));
}

void World::run_until(std::uint64_t ms) {
  settle();
  for (auto next = next_ms(); next <= ms; next = next_ms()) {
    move_clock(next);
    settle();
  }
  move_clock(ms);
  settle();
}

}  // namespace esper
