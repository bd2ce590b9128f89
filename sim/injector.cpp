#include "sim/injector.hpp"

#include "actors/fault_override.hpp"

namespace esper::sim {

namespace {

constexpr std::uint64_t window_ms = 1'000;

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
      const auto region = region_of(states_[place].fault);
      for (auto& seed : seeds) {
        if (seed.region != region) continue;
        const auto drawn = stream.below(6);
        if (drawn == 0) seed.stage = static_cast<Stage>(stream.below(8));
        if (drawn == 1) seed.alpha = stream.uniform();
        if (drawn == 2) seed.seed.value += 1;
      }
      const auto last =
          std::ranges::find_if(seeds.rbegin(), seeds.rend(),
                               [&](const SeedStatus& seed) { return seed.region == region; });
      if (last != seeds.rend() && stream.below(2) == 0) seeds.erase(std::next(last).base());
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
  if (states_[place].fault.at_window > trainer_.window().value)
    return awaiting_window_.push_back(place);
  if (states_[place].fault.after_events == 0) return strike(place);
  armed_[place] = states_[place].fault.after_events;
}

void Injector::before_message() {
  if (!awaiting_window_.empty() && trainer_.window() > newest_) {
    newest_ = trainer_.window();
    for (const auto place : std::exchange(awaiting_window_, {})) arm(place);
  }
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
  Override given = override_of(fault);
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

void Injector::spoil(WindowReport& report) {
  std::vector<Fault> holding;
  std::vector<std::size_t> places;
  for (const auto place : spoiling_)
    if (world_.now_ms() <= until_ms_[place]) {
      holding.push_back(states_[place].fault);
      places.push_back(place);
    }
  if (!spoiler_.spoil(report, holding)) return;
  for (const auto place : places) fired(place);
  std::erase_if(spoiling_, [&](auto place) { return world_.now_ms() > until_ms_[place]; });
}

void Injector::heal() {
  healed_ = true;
  awaiting_window_.clear();
  armed_.clear();
  spoiling_.clear();
  until_ms_.clear();
  disk_.heal();
  network_.heal();
}

}  // namespace esper::sim
