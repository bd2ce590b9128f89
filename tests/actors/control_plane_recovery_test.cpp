// Each role killed in every stage of a seed, against a twin of the same seed that nobody disturbed.
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "actors/decisions/role_tree.hpp"
#include "tests/actors/control_plane_rig.hpp"
#include "tests/journalled.hpp"

namespace esper {

namespace {

constexpr std::uint64_t windows = 48;

void close_windows(Rig& rig, ControlPlane& plane, Window last) {
  while (rig.trainer.closed() < last) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(last, patience));
}

/// The run that nobody disturbs; made once.
const std::vector<JournalEntry>& undisturbed() {
  static const std::vector<JournalEntry> entries = [] {
    Rig rig;
    ControlPlane plane(rig.config, rig.host, rig.seams());
    close_windows(rig, plane, Window{windows});
    REQUIRE(plane.stop().restarts == 0);
    return rig.journal.entries();
  }();
  return entries;
}

/// After the turn of `window` the seed stands in `stage`.
struct Moment {
  SeedId seed;
  RegionId region;
  Window window;
};

/// The undisturbed run's first moment, at least five windows before its end, at which a seed
/// stands in `stage` and none of its region's commands is under way.
Moment quiet_moment(Stage stage) {
  const auto commands = journalled<AdaptationCommand>(undisturbed());
  const auto outcomes = journalled<Outcome>(undisturbed());
  for (Window window{1}; window.value + 5 < windows; window = window + 1) {
    std::map<SeedId, Outcome> last;
    for (const auto& [at, region, outcome] : outcomes)
      if (at <= window && outcome.refusal == CommandRefusal::none) last[outcome.seed] = outcome;
    for (const auto& [seed, outcome] : last) {
      const bool quiet = std::none_of(commands.begin(), commands.end(),
                                      [&, of = outcome.region](const auto& given) {
                                        return given.window == window && given.region == of;
                                      });
      if (quiet && outcome.stage == stage) return {seed, outcome.region, window};
    }
  }
  return {};
}

/// What tells one incarnation's decisions from another's, and nothing else.
nlohmann::json without_incarnation(nlohmann::json json) {
  if (json.is_object()) {
    json.erase("epoch");
    json.erase("sequence");
  }
  if (json.is_structured())
    for (auto& part : json) part = without_incarnation(part);
  return json;
}

/// Everything decided and everything that it was decided from, of all roles; without the entries
/// that say that a role came back.
std::vector<std::string> decided(const std::vector<JournalEntry>& entries) {
  std::vector<std::string> lines;
  for (const auto& entry : entries)
    if (entry.kind != Restart::schema.name && entry.kind != SeedStatus::schema.name)
      lines.push_back("window " + std::to_string(entry.window.value) + " " +
                      std::string{name_of(entry.role)} + " " + std::to_string(entry.region.value) +
                      " " + entry.kind + " " +
                      without_incarnation(nlohmann::json::parse(entry.payload)).dump());
  return lines;
}

std::string first_difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    std::string left = i < a.size() ? a[i] : "nothing";
    const std::string right = i < b.size() ? b[i] : "nothing";
    if (left != right) return left.append("\n  against\n").append(right);
  }
  return "";
}

/// A region's account in one turn.
struct Standing {
  Energy held, forecast;  ///< of its lease, and of its open reservations
  std::uint32_t seeds{};
  LedgerBalance balance;
  friend bool operator==(const Standing& a, const Standing& b) {
    return a.held == b.held && a.forecast == b.forecast && a.seeds == b.seeds &&
           canonical(a.balance) == canonical(b.balance);
  }
};

Standing standing(const std::vector<JournalEntry>& entries, RegionId region, Window window) {
  Standing found;
  for (const auto& report : journalled<RegionReport>(entries))
    if (report.window == window && report.region == region)
      found = {report.said.held, report.said.forecast, report.said.seeds, {}};
  for (const auto& part : journalled<StrategyPart>(entries))
    if (part.window == window) found.balance = part.said.balance;
  return found;
}

/// With its death all that started after it starts again.
bool takes_others(Role role) { return place_of(role).rule == RestartRule::rest_for_one; }

/// Some region's command is under way: a restart of its Narset has it refused, as of an older
/// epoch.
bool commands_under_way(Window window) {
  const auto commands = journalled<AdaptationCommand>(undisturbed());
  return std::ranges::any_of(commands, [&](const auto& given) { return given.window == window; });
}

/// Kills the role once and waits until a new incarnation takes part in turns again, and so those of
/// all that fell with it.
void kill_and_wait(Rig& rig, ControlPlane& plane, Role role, RegionId region) {
  const auto restarts = plane.restarts();
  const auto reads = rig.journal.reads();
  plane.kill(role, region);
  REQUIRE(wait_until([&] { return plane.restarts() > restarts; }));
  // Both are part of the next turn from the moment that the journal has told them their past.
  for (std::uint32_t i = 0; i < rig.host.regions.size(); ++i)
    if (takes_others(role) || (role == Role::narset && region.value == i))
      REQUIRE(wait_until([&] { return rig.trainer.fence_of(RegionId{i}).value > 1; }));
  if (role == Role::tamiyo) REQUIRE(wait_until([&] { return rig.journal.reads() > reads; }));
}

std::vector<SeedStatus> seeds_of(const std::vector<SeedStatus>& all, RegionId region) {
  std::vector<SeedStatus> own;
  for (const auto& seed : all)
    if (seed.region == region) own.push_back(seed);
  return own;
}

std::string text_of(const std::vector<SeedStatus>& seeds) {
  std::string text;
  for (const auto& seed : seeds) text += canonical(seed) + "\n";
  return text;
}

/// Each reservation is made once and resolved at most once.
void check_nothing_charged_twice(const Rig& rig) {
  for (const auto& [id, times] : rig.trainer.applied()) CHECK(times == 1);
  CHECK(rig.journal.refused_movements() == std::vector<std::string>{});
  std::set<std::pair<RegionId, std::uint64_t>> made, resolved;
  for (const auto& report : journalled<RegionReport>(rig.journal.entries()))
    for (const auto& movement : report.said.movements) {
      auto& seen = movement.kind == MovementKind::reserve ? made : resolved;
      if (movement.kind != MovementKind::top_up)
        CHECK(seen.emplace(report.region, movement.reservation).second);
    }
  for (const auto& one : resolved) CHECK(made.contains(one));
}

/// The undisturbed run's first command of that kind that leaves time for what follows from it.
auto first_given(CommandKind kind) {
  const auto commands = journalled<AdaptationCommand>(undisturbed());
  const auto given = std::find_if(commands.begin(), commands.end(), [&](const auto& one) {
    return one.said.kind == kind && one.window.value + 5 < windows;
  });
  REQUIRE(given != commands.end());
  return *given;
}

}  // namespace

SCENARIO(
    "each role killed in every stage of a seed: it comes back to the same stage, lease and "
    "reservations, and the next turn is decided",
    "[control_plane][recovery]") {
  const auto stage = GENERATE(Stage::dormant, Stage::train_isolated, Stage::grafting,
                              Stage::stabilising, Stage::fossilised, Stage::embargoed);
  const auto role = GENERATE(Role::narset, Role::tamiyo, Role::kasmina, Role::tolaria, Role::urza,
                             Role::oona, Role::journal);
  INFO(name_of(role) << " killed while a seed is " << name_of(stage));
  const auto moment = quiet_moment(stage);
  const auto region = moment.region;
  const auto window = moment.window;
  REQUIRE(window.value > 0);
  INFO("after window " << window.value << ", region " << region.value);
  const bool alive = stage != Stage::dormant && stage != Stage::embargoed;
  const bool paid = alive && stage != Stage::fossilised;
  const Standing before = standing(undisturbed(), region, window);
  CHECK((!paid || before.forecast > Energy{}));  // there are reservations to come back to

  Rig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  close_windows(rig, plane, window);
  CHECK(standing(rig.journal.entries(), region, window) == before);
  const auto seeds = rig.trainer.seeds();
  const auto stands = std::find_if(seeds.begin(), seeds.end(),
                                   [&](const SeedStatus& one) { return one.seed == moment.seed; });
  REQUIRE((stands != seeds.end()) == alive);
  if (alive) REQUIRE(stands->stage == stage);

  kill_and_wait(rig, plane, role, role == Role::narset ? region : RegionId{});
  CHECK(text_of(rig.trainer.seeds()) == text_of(seeds));
  close_windows(rig, plane, window + 1);

  const Window next = window + 1;
  const bool unnoticed = !takes_others(role) || !commands_under_way(window);
  const bool same =
      standing(rig.journal.entries(), region, next) == standing(undisturbed(), region, next);
  CHECK((same || !unnoticed));
  CHECK(journalled<StrategyPart>(rig.journal.entries()).back().window == next);
  std::string read_back;
  for (const auto& status : journalled<SeedStatus>(rig.journal.entries()))
    if (status.window == next) read_back += canonical(status.said) + "\n";
  std::string standing_seeds;  // by region, as the journal has them
  for (std::uint32_t i = 0; i < rig.host.regions.size(); ++i)
    if (takes_others(role) || (role == Role::narset && region.value == i))
      standing_seeds += text_of(seeds_of(seeds, RegionId{i}));
  CHECK(read_back == standing_seeds);

  close_windows(rig, plane, Window{windows});
  const auto end = plane.stop();
  const std::uint64_t roles = role_tree.size() - 1 + rig.host.regions.size();
  CHECK(end.restarts == (takes_others(role) ? roles : 1));
  CHECK_FALSE(end.gave_up);
  check_nothing_charged_twice(rig);
  const auto restarts = journalled<Restart>(rig.journal.entries());
  REQUIRE(restarts.size() == end.restarts);
  CHECK(std::ranges::any_of(restarts, [&](const auto& one) { return one.said.role == role; }));
  for (const auto& restart : restarts) CHECK(restart.said.epoch == Epoch{2});
  // Nothing that any role decided afterwards differs: no turn was missed and nothing forgotten.
  CHECK(journalled<Absence>(rig.journal.entries()).empty());
  if (unnoticed)
    CHECK(first_difference(decided(rig.journal.entries()), decided(undisturbed())) == "");
}

SCENARIO(
    "a Narset that comes back while its commands are being applied: what it is told counts, not "
    "what it read before",
    "[control_plane][recovery]") {
  const auto kind = GENERATE(CommandKind::germinate, CommandKind::graft, CommandKind::advance,
                             CommandKind::stabilise, CommandKind::fossilise, CommandKind::cull,
                             CommandKind::lift_embargo);
  INFO("being applied: " << name_of(kind));
  const auto given = first_given(kind);

  Rig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  close_windows(rig, plane, given.window);
  rig.trainer.at_next_boundary([&] { kill_and_wait(rig, plane, Role::narset, given.region); });
  close_windows(rig, plane, Window{windows});
  CHECK(plane.stop().restarts == 1);
  check_nothing_charged_twice(rig);
  CHECK(first_difference(decided(rig.journal.entries()), decided(undisturbed())) == "");
}

SCENARIO(
    "a Narset killed with a command under way: it is refused as of an older epoch, its seed goes "
    "on and nothing is charged twice",
    "[control_plane][recovery]") {
  const auto kind = GENERATE(CommandKind::germinate, CommandKind::graft, CommandKind::advance,
                             CommandKind::stabilise, CommandKind::fossilise, CommandKind::cull,
                             CommandKind::lift_embargo);
  INFO("under way: " << name_of(kind));
  const auto given = first_given(kind);

  Rig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  close_windows(rig, plane, given.window);
  kill_and_wait(rig, plane, Role::narset, given.region);
  close_windows(rig, plane, Window{windows});
  plane.stop();

  check_nothing_charged_twice(rig);
  const auto entries = rig.journal.entries();
  std::size_t refused = 0, repeated = 0;
  std::set<SeedId> condemned;
  for (const auto& verdict : journalled<GateVerdict>(entries))
    if (!verdict.said.passed) condemned.insert(verdict.said.seed);
  for (const auto& [window, region, outcome] : journalled<Outcome>(entries)) {
    if (outcome.command == given.said.id)
      refused += outcome.refusal == CommandRefusal::old_epoch;
    else
      CHECK((outcome.refusal == CommandRefusal::none ||
             outcome.refusal == CommandRefusal::old_epoch));
    repeated += window > given.window + 1 && outcome.kind == kind && outcome.region == region &&
                outcome.slot == given.said.slot && outcome.refusal == CommandRefusal::none;
    // Whoever leaves was condemned by a gate with its number: none was lost to the restart.
    if (outcome.stage == Stage::embargoed && outcome.refusal == CommandRefusal::none)
      CHECK(condemned.contains(outcome.seed));
  }
  CHECK(refused == 1);
  CHECK(repeated > 0);
}

}  // namespace esper
