#include "sim/injector.hpp"

#include <algorithm>
#include <limits>

namespace esper::sim {

namespace {

constexpr std::uint64_t window_ms = 1'000;

RegionId region_of(const Fault& fault) {
  const auto dot = fault.target.find('.');
  return {static_cast<std::uint32_t>(std::stoul(fault.target.substr(dot + 1)))};
}

}  // namespace

Injector::Injector(World& world, SimulatedTrainer& trainer, SimulatedDisk& disk, OverrideDesk& desk,
                   Coverage& coverage, Network& network, std::uint32_t regions)
    : world_(world),
      trainer_(trainer),
      disk_(disk),
      desk_(desk),
      coverage_(coverage),
      network_(network),
      regions_(regions) {
  disk_.struck = [this](DiskTrouble) {
    if (disk_by_) fired(*disk_by_);
  };
  network_.troubled = [this](const std::string& node) {
    for (const auto& [place, until_ms] : until_ms_)
      if (states_[place].fault.target == "node." + node) fired(place);
  };
  trainer_.silent = [this] {
    for (const auto& [place, until_ms] : until_ms_)
      if (states_[place].fault.kind == FaultKind::kasmina_silent && world_.now_ms() < until_ms) {
        fired(place);
        return true;
      }
    return false;
  };
  trainer_.lie = [this](std::vector<SeedStatus>& seeds) {
    for (const auto& [place, until_ms] : until_ms_) {
      if (states_[place].fault.kind != FaultKind::kasmina_lies || world_.now_ms() >= until_ms)
        continue;
      fired(place);
      RandomStream stream(place, "sim.lies", world_.now_ms());
      for (auto& seed : seeds) {
        const auto drawn = stream.below(6);
        if (drawn == 0) seed.stage = static_cast<Stage>(stream.below(8));
        if (drawn == 1) seed.alpha = stream.uniform();
        if (drawn == 2) seed.seed.value += 1;
      }
      if (!seeds.empty() && stream.below(2) == 0) seeds.pop_back();
    }
  };
}

void Injector::schedule(const std::vector<Fault>& faults) {
  for (const auto& fault : faults) {
    const std::size_t place = states_.size();
    states_.push_back({fault, false});
    world_.at(fault.at_ms, [this, place] { arm(place); });
  }
}

void Injector::arm(std::size_t place) {
  if (healed_) return;
  if (states_[place].fault.after_events == 0) return strike(place);
  armed_[place] = states_[place].fault.after_events;
}

void Injector::before_message() {
  if (armed_.empty()) return;
  std::vector<std::size_t> due;
  for (auto& [place, left] : armed_)
    if (--left == 0) due.push_back(place);
  for (const auto place : due) {
    armed_.erase(place);
    strike(place);
  }
}

void Injector::fired(std::size_t place) {
  if (std::exchange(states_[place].fired, true)) return;
  coverage_.count("fault/" + std::string{name_of(states_[place].fault.kind)});
  if (struck) struck(states_[place].fault);
}

void Injector::trouble_disk(std::size_t place, DiskTrouble trouble) {
  disk_by_ = place;
  disk_.trouble(trouble);
}

void Injector::override_by(const Fault& fault) {
  const Window now = trainer_.window();
  Override given;
  given.kind = fault.kind == FaultKind::escape   ? OverrideKind::escape
               : fault.kind == FaultKind::freeze ? OverrideKind::freeze
               : fault.kind == FaultKind::grant  ? OverrideKind::grant
                                                 : OverrideKind::posture;
  if (given.kind != OverrideKind::posture) given.region = region_of(fault);
  given.posture = static_cast<Posture>((fault.at_ms / 7) % 4);
  given.energy = {static_cast<std::int64_t>(fault.at_ms % 90)};
  given.from = now + 1;
  given.until = now + 1 + fault.duration_ms / window_ms;
  given.who = "tester";
  given.why = "a simulated person";
  (void)desk_.submit(std::move(given));
}

void Injector::strike(std::size_t place) {
  const Fault fault = states_[place].fault;
  const std::uint64_t until_ms = world_.now_ms() + fault.duration_ms;
  until_ms_[place] = until_ms;
  switch (fault.kind) {
    case FaultKind::kill:
      if (!world_.kill(fault.target)) {  // it is down: its next incarnation dies instead
        armed_[place] = 5;
        return;
      }
      return fired(place);
    case FaultKind::kill_all:
      for (const auto& role : role_names(regions_)) (void)world_.kill(role);
      return fired(place);
    case FaultKind::pause:
      world_.pause(fault.target, until_ms);
      return fired(place);
    case FaultKind::clock_jump:
      fired(place);
      return world_.jump(fault.duration_ms);
    case FaultKind::kasmina_lies:  // to whom asks: a Narset that comes back
      (void)world_.kill("narset." + std::to_string(region_of(fault).value));
      return;
    case FaultKind::kasmina_silent:
      return;  // fires when it is asked
    case FaultKind::disk_slow:
      disk_.wait = [this, fault] { world_.pause("journal", world_.now_ms() + fault.duration_ms); };
      return trouble_disk(place, DiskTrouble::slow);
    case FaultKind::disk_full:
      world_.at(until_ms, [this] { disk_.heal(); });
      return trouble_disk(place, DiskTrouble::full);
    case FaultKind::disk_torn:
      return trouble_disk(place, DiskTrouble::torn);
    case FaultKind::disk_crash_before:
      return trouble_disk(place, DiskTrouble::crash_before);
    case FaultKind::disk_crash_after:
      return trouble_disk(place, DiskTrouble::crash_after);
    case FaultKind::shake:
    case FaultKind::melt:
      trainer_.weather(region_of(fault))
          .disturb(fault.kind == FaultKind::melt ? Weather::melting : Weather::shaking,
                   static_cast<std::uint32_t>(1 + fault.duration_ms / window_ms));
      return fired(place);
    case FaultKind::blow_up:
      trainer_.weather(region_of(fault)).blow_up();
      return fired(place);
    case FaultKind::escape:
    case FaultKind::freeze:
    case FaultKind::grant:
    case FaultKind::posture:
      override_by(fault);
      return fired(place);
    case FaultKind::turn_twice:
      trainer_.repeat_next_turn();
      return fired(place);
    case FaultKind::node_lost:
    case FaultKind::link_cut:
    case FaultKind::link_lossy:
    case FaultKind::link_doubling:
    case FaultKind::link_slow:
      return strike_node(place);
    default:
      spoiling_.push_back(place);
  }
}

void Injector::strike_node(std::size_t place) {
  const Fault& fault = states_[place].fault;
  const std::string node = fault.target.substr(fault.target.find('.') + 1);
  if (fault.kind == FaultKind::node_lost) {
    if (lose_node_) lose_node_(node, fault.duration_ms);
    return fired(place);
  }
  if (fault.kind == FaultKind::link_cut) return network_.cut(node, fault.duration_ms);
  constexpr std::uint32_t third = 33;
  LinkTrouble trouble;
  if (fault.kind == FaultKind::link_lossy) trouble.lose = third;
  if (fault.kind == FaultKind::link_doubling) trouble.twice = third;
  if (fault.kind == FaultKind::link_slow) trouble.delay_ms_max = 800;
  network_.set(node, trouble);
  world_.at(until_ms_[place], [this, node] { network_.set(node, {}); });
}

/// A turn that is opened again gets the same numbers again.
void Injector::spoil(WindowReport& report) {
  if (const auto again = told_.find(report.window); again != told_.end()) {
    report.regions = again->second;
    return;
  }
  const auto honest = report.regions;
  for (const auto place : spoiling_)
    if (world_.now_ms() <= until_ms_[place]) {
      spoil_region(report, states_[place].fault);
      fired(place);
    }
  std::erase_if(spoiling_, [&](auto place) { return world_.now_ms() > until_ms_[place]; });
  before_ = honest;
  told_[report.window] = report.regions;
  if (told_.size() > 4) told_.erase(told_.begin());
}

void Injector::spoil_region(WindowReport& report, const Fault& fault) {
  const RegionId region = region_of(fault);
  const auto seen = std::find_if(report.regions.begin(), report.regions.end(),
                                 [&](const auto& one) { return one.region == region; });
  if (seen == report.regions.end()) return;
  using Limits = std::numeric_limits<double>;
  const auto set = [&](double value) {
    seen->loss_mean = seen->loss_sigma = seen->jitter = seen->drift = seen->diversity = value;
    seen->gradient_norm_max = seen->signal_rms = value;
    for (auto& seed : seen->seeds) {
      seed.gate.loss_with = seed.relative_norm = value;
      seed.alpha = value;
    }
  };
  switch (fault.kind) {
    case FaultKind::telemetry_nan:
      return set(Limits::quiet_NaN());
    case FaultKind::telemetry_absurd: {
      RandomStream stream(fault.at_ms, "sim.absurd", report.window.value);
      constexpr double absurd[]{
          Limits::max(), Limits::lowest(), Limits::denorm_min(), Limits::infinity(), -1.0, 1e30};
      set(absurd[stream.below(std::size(absurd))]);
      seen->steps_covered = static_cast<std::uint32_t>(stream.next());
      return;
    }
    case FaultKind::telemetry_stale:
      for (const auto& older : before_)
        if (older.region == region) *seen = older;
      return;
    default: {  // doubled
      const auto copy = *seen;
      report.regions.insert(seen, copy);
    }
  }
}

void Injector::heal() {
  healed_ = true;
  armed_.clear();
  spoiling_.clear();
  until_ms_.clear();
  disk_.heal();
  network_.heal();
}

}  // namespace esper::sim
