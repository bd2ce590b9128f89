#include "actors/chaos_desk.hpp"

#include <charconv>

namespace esper {

std::optional<std::pair<Role, RegionId>> role_named(std::string_view name) {
  const auto dot = name.find('.');
  const auto role = enum_from<Role>(name.substr(0, dot));
  if (!role || *role == Role::supervisor || (*role == Role::narset) != (dot != name.npos))
    return std::nullopt;
  RegionId region;
  if (dot != name.npos) {
    const auto end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + dot + 1, end, region.value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  }
  return std::pair{*role, region};
}

void ChaosDesk::show_busy() { busy_ = !held_.empty(); }

void ChaosDesk::hold(const InjectedFault& fault, Clock::time_point until) {
  const std::lock_guard lock(mutex_);
  Held held{fault, until, {}};
  if (fault.fault.kind == FaultKind::pause) held.role = role_named(fault.fault.target);
  held_.insert_or_assign(fault.number, std::move(held));
  show_busy();
}

void ChaosDesk::lift(std::uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    held_.erase(number);
    show_busy();
  }
  changed_.notify_all();
}

void ChaosDesk::lift_all() {
  {
    const std::lock_guard lock(mutex_);
    held_.clear();
    ++lifts_;
    show_busy();
  }
  changed_.notify_all();
}

void ChaosDesk::lift_pauses(Role role, RegionId region) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(held_, [&](const auto& one) {
      return one.second.role == std::pair{role, region};
    });
    show_busy();
  }
  changed_.notify_all();
}

void ChaosDesk::strike(const InjectedFault& fault) {
  if (!struck_.insert(fault.number).second) return;
  untold_.push_back(fault);
}

void ChaosDesk::note(const InjectedFault& fault) {
  const std::lock_guard lock(mutex_);
  strike(fault);
}

bool ChaosDesk::has_struck(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return struck_.contains(number);
}

bool ChaosDesk::holds(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return held_.contains(number);
}

const ChaosDesk::Held* ChaosDesk::pause_of(Role role, RegionId region) const {
  for (const auto& [number, held] : held_)
    if (held.role == std::pair{role, region} && Clock::now() < held.until) return &held;
  return nullptr;
}

void ChaosDesk::handles(Role role, RegionId region) {
  handled_.fetch_add(1, std::memory_order_relaxed);
  if (!busy_.load(std::memory_order_relaxed)) return;
  std::unique_lock lock(mutex_);
  while (const Held* pause = pause_of(role, region)) {
    strike(pause->fault);
    const auto until = pause->until;  // the place may go while this waits
    changed_.wait_until(lock, until);
  }
}

std::optional<InjectedFault> ChaosDesk::find(FaultKind kind, bool spent) {
  if (!busy_.load(std::memory_order_relaxed)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  for (auto place = held_.begin(); place != held_.end(); ++place) {
    if (place->second.fault.fault.kind != kind || Clock::now() >= place->second.until) continue;
    auto found = place->second.fault;
    strike(found);
    if (spent) held_.erase(place);
    show_busy();
    return found;
  }
  return std::nullopt;
}

std::optional<InjectedFault> ChaosDesk::meet(FaultKind kind) { return find(kind, false); }

std::optional<InjectedFault> ChaosDesk::spend(FaultKind kind) { return find(kind, true); }

void ChaosDesk::wait(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  const auto before = lifts_;
  changed_.wait_for(lock, duration, [&] { return lifts_ != before; });
}

void ChaosDesk::spoil(WindowReport& report) {
  const std::lock_guard lock(mutex_);
  std::vector<Fault> holding;
  std::vector<InjectedFault> injected;
  for (const auto& [number, held] : held_)
    if (spoils_telemetry(held.fault.fault.kind) && Clock::now() < held.until) {
      holding.push_back(held.fault.fault);
      injected.push_back(held.fault);
    }
  if (!spoiler_.spoil(report, holding)) return;
  for (const auto& fault : injected) strike(fault);
}

std::vector<InjectedFault> ChaosDesk::due(Window window) {
  const std::lock_guard lock(mutex_);
  if (window > window_) {
    window_ = window;
    told_ = std::exchange(untold_, {});
  }
  return told_;
}

}  // namespace esper
