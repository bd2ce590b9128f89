#include "runtime/account.hpp"

#include <algorithm>
#include <map>

#include "actors/decisions/cycles.hpp"
#include "messages/json.hpp"
#include "messages/turn.hpp"
#include "runtime/journal_kinds.hpp"

namespace esper {
namespace {

bool is_final(const std::string& fate) {
  return fate == "fossilised" || fate == "culled" || fate == "retired";
}

/// Reads entries in sequence order and keeps the books of the report.
class Accountant {
 public:
  explicit Accountant(std::uint32_t cycle_windows) : cycle_windows_(cycle_windows) {}

  void take(const JournalEntry& entry) {
    account_.windows = std::max(account_.windows, entry.window.value);
    window_ = entry.window;
    scaffolds_.take(entry);
    surgeries_.take(entry);
    windows_.take(entry);
    lives_.take(entry);
    map_.take(entry);
    visit_payload<HostDescription>(entry, [&](const auto& host) { host_ = host; });
    visit_payload<StrategyPart>(entry, [&](const auto& part) { strategy(part); });
    visit_payload<RegionReport>(entry, [&](const auto& report) { region(report); });
    visit_payload<GateVerdict>(entry, [&](const auto& verdict) { gate(verdict, entry.region); });
    visit_payload<AdaptationCommand>(entry, [&](const auto& command) { this->command(command); });
    visit_payload<Outcome>(entry, [&](const auto& outcome) { this->outcome(outcome); });
    visit_payload<OpportunityProposal>(entry,
                                       [&](const auto& proposal) { this->proposal(proposal); });
    visit_payload<TurnApplied>(entry,
                               [&](const auto& applied) { account_.late_turns += applied.late; });
    visit_payload<Restart>(entry, [&](const auto& restart) {
      count(account_.restarts, role_text(restart.role, restart.region));
    });
    visit_payload<Absence>(entry, [&](const auto& absence) {
      count(account_.absences, role_text(absence.role, absence.region) + ": " + absence.reason);
    });
  }

  RunAccount finish() {
    auto& energy = account_.energy;
    Energy lapsed_before;
    for (auto& [cycle, one] : cycles_) {
      one.cycle = {cycle};
      for (const auto& region : one.regions) {
        one.granted += region.granted;
        one.reserved += region.reserved;
        one.spent += region.spent;
        energy.granted += region.granted;
        energy.refused += region.refused;
        asked_and_met_ += region.reserved;
      }
      if (const auto ended = balances_.find(cycle); ended != balances_.end()) {
        one.available = ended->second.available;
        one.lapsed = ended->second.lapsed - lapsed_before;
        lapsed_before = ended->second.lapsed;
      }
      account_.cycles.push_back(one);
    }
    account_.window_list = windows_.windows();
    account_.lives = lives_.lives();
    finish_seeds();
    account_.map = map_.map(account_.lives);
    account_.scaffolds = scaffolds_.scaffolds();
    account_.troubles = scaffolds_.troubles();
    account_.checkpoints = surgeries_.checkpoints();
    account_.surgeries = surgeries_.surgeries();
    account_.layers = surgeries_.layers();
    for (const SurgeryAccount& surgery : account_.surgeries)
      if (surgery.result == "kept")
        for (CycleAccount& cycle : account_.cycles)
          if (cycle.cycle.value == cycle_number(surgery.window)) cycle.compacted += surgery.price;
    const auto asked = energy.refused + asked_and_met_;
    if (asked > Energy{})
      energy.refused_share =
          static_cast<double>(energy.refused.thousandths) / static_cast<double>(asked.thousandths);
    return std::move(account_);
  }

 private:
  [[nodiscard]] std::string region_name(RegionId region) const {
    return region.value < host_.regions.size() ? host_.regions[region.value].name
                                               : std::to_string(region.value);
  }
  [[nodiscard]] std::string slot_name(SlotId slot) const {
    return slot.value < host_.slots.size() ? host_.slots[slot.value].name
                                           : std::to_string(slot.value);
  }
  [[nodiscard]] std::string role_text(Role role, RegionId region) const {
    auto text = std::string{name_of(role)};
    return role == Role::narset ? text + " " + region_name(region) : text;
  }

  static void count(std::vector<Counted>& counts, const std::string& what) {
    const auto found = std::find_if(counts.begin(), counts.end(),
                                    [&](const Counted& one) { return one.what == what; });
    if (found == counts.end())
      counts.push_back({what, 1});
    else
      ++found->count;
  }

  [[nodiscard]] std::uint64_t cycle_number(Window window) const {
    return cycle_of(window, cycle_windows_).value;
  }

  RegionCycle& books(std::uint64_t cycle, RegionId region) {
    auto& regions = cycles_[cycle].regions;
    while (regions.size() <= region.value)
      regions.push_back(
          {region_name({static_cast<std::uint32_t>(regions.size())}), {}, {}, {}, {}});
    return regions[region.value];
  }

  void strategy(const StrategyPart& part) {
    if (part.mint) {
      auto& cycle = cycles_[part.mint->cycle.value];
      cycle.minted += part.mint->minted;
      cycle.posture = name_of(part.mint->posture);
      cycle.headroom = part.mint->headroom;
      cycle.treasury += part.mint->treasury;
      cycle.emergency += part.mint->emergency;
      cycle.safety += part.mint->safety;
      cycle.compaction += part.mint->compaction;
    }
    if (part.pruning) {
      cycles_[part.pruning->cycle.value].allowance = part.pruning->allowance;
      if (part.pruning->cycle.value > 1)
        cycles_[part.pruning->cycle.value - 1].forecast = part.pruning->forecast;
    }
    for (const auto& answers : part.answers) {
      if (answers.allocation)
        books(answers.allocation->cycle.value, answers.region).granted +=
            answers.allocation->energy;
      for (const auto& verdict : answers.verdicts) judge(verdict);
    }
    for (const auto& refused : part.refused) count(account_.refusals, "ledger: " + refused);
    balances_[cycle_number(part.window)] = part.balance;
    auto& energy = account_.energy;
    energy.minted = part.balance.minted;
    energy.available = part.balance.available;
    energy.reserved = part.balance.reserved;
    energy.spent = part.balance.spent;
    energy.lapsed = part.balance.lapsed;
  }

  void judge(const Verdict& verdict) {
    for (auto& proposal : account_.proposals) {
      if (proposal.id != verdict.proposal || proposal.region != region_name(verdict.region))
        continue;
      proposal.verdict = name_of(verdict.kind);
      proposal.amount = verdict.amount;
      proposal.score = verdict.score;
      proposal.reason = verdict.reason;
      if (verdict.kind == VerdictKind::approved)
        funded_[&proposal - account_.proposals.data()] = verdict.until;
    }
  }

  void region(const RegionReport& report) {
    auto& cycle = books(cycle_number(report.window), report.region);
    cycle.refused = std::max(cycle.refused, report.refused);  // counted up within the cycle
    for (const auto& movement : report.movements) {
      if (movement.kind == MovementKind::reserve) cycle.reserved += movement.energy;
      if (movement.kind == MovementKind::settle || movement.kind == MovementKind::draw)
        cycle.spent += movement.energy;
      auto& whole = cycles_[cycle_number(report.window)];
      if (movement.kind == MovementKind::draw) whole.drawn += movement.energy;
      if (movement.kind == MovementKind::give_back) whole.given_back += movement.energy;
    }
    for (const auto& realised : report.returns)
      for (auto& proposal : account_.proposals)
        if (proposal.id == realised.proposal && proposal.region == region_name(realised.region))
          proposal.realised_gain = realised.realised_gain;
  }

  SeedAccount& seed(SeedId id, RegionId region, SlotId slot) {
    for (auto& known : account_.seeds)
      if (id.value != 0 && known.seed == id && known.region == region_name(region)) return known;
    account_.seeds.push_back({id, region_name(region), slot_name(slot), "", "", "", 0, 0, "",
                              window_, 0, 0, std::nullopt, std::nullopt, std::nullopt});
    return account_.seeds.back();
  }

  /// A funded proposal pays for one seed of its design in its slot, until it expires.
  void fund(SeedAccount& seed) {
    for (auto funded = funded_.begin(); funded != funded_.end(); ++funded) {
      const auto& proposal = account_.proposals[static_cast<std::size_t>(funded->first)];
      if (proposal.region != seed.region || proposal.slot != seed.slot ||
          proposal.blueprint != seed.blueprint || funded->second < window_)
        continue;
      seed.proposal = proposal.id;
      seed.predicted_gain = proposal.predicted_gain;
      funded_.erase(funded);
      return;
    }
  }

  void finish_seeds() {
    for (auto& seed : account_.seeds)  // a scaffold's G2 counts its updates
      for (const auto& life : account_.lives)
        if (life.scaffold && life.seed == seed.seed && life.region == seed.region)
          seed.isolated_gain.reset();
    for (auto& seed : account_.seeds)
      for (const auto& proposal : account_.proposals)
        if (seed.proposal != 0 && proposal.id == seed.proposal && proposal.region == seed.region &&
            proposal.realised_gain)
          seed.realised_gain = proposal.realised_gain;
  }

  void gate(const GateVerdict& verdict, RegionId region) {
    const bool refused_at_birth = verdict.gate == "G0" && !verdict.passed;
    auto& known = seed(refused_at_birth ? SeedId{} : verdict.seed, region, verdict.slot);
    if (is_final(known.fate)) return;
    known.blueprint = verdict.blueprint.empty() ? known.blueprint : verdict.blueprint;
    known.gate = verdict.gate;
    known.measured = verdict.measured;
    known.threshold = verdict.threshold;
    known.reason = verdict.reason;
    known.window = window_;
    // A seed whose passes were not finite was counted, not measured.
    if (verdict.gate == "G2" && verdict.reason.find("not finite") == std::string::npos)
      known.isolated_gain = verdict.measured;
    if (verdict.gate == "G5" && verdict.passed) known.realised_gain = verdict.measured;
    if (refused_at_birth) known.fate = "refused";
  }

  void command(const AdaptationCommand& command) {
    if (command.kind != CommandKind::germinate) return;
    auto& known = seed(command.seed, command.id.region, command.slot);
    known.blueprint = command.blueprint;
    fund(known);
  }

  void outcome(const Outcome& outcome) {
    if (outcome.refusal != CommandRefusal::none) return refusal(outcome);
    if (outcome.seed.value == 0) return;
    auto& known = seed(outcome.seed, outcome.region, outcome.slot);
    if (known.parameters == 0) known.parameters = outcome.parameters;
    if (is_final(known.fate)) return;
    known.fate = name_of(outcome.stage);
    if (outcome.stage == Stage::embargoed || outcome.stage == Stage::dormant) known.fate = "culled";
    if (outcome.kind == CommandKind::retire) known.fate = "retired";
    if (outcome.reflex) {
      known.gate = "reflex";
      known.reason = outcome.cause;
    }
    if (is_final(known.fate)) known.window = window_;
  }

  /// The executor's last word on a germination that G0 had let pass; other refused commands only
  /// count.
  void refusal(const Outcome& outcome) {
    const std::string name{name_of(outcome.refusal)};
    count(account_.refusals, std::string{name_of(outcome.kind)} + ": " + name);
    if (outcome.kind != CommandKind::germinate || outcome.seed.value == 0) return;
    auto& known = seed(outcome.seed, outcome.region, outcome.slot);
    if (!known.fate.empty()) return;
    known.fate = "refused";
    known.gate = name.starts_with("limit_") ? "limit" : "executor";
    known.measured = known.threshold = 0;
    known.reason = name + (outcome.detail.empty() ? "" : ": " + outcome.detail);
    known.window = window_;
  }

  void proposal(const OpportunityProposal& proposal) {
    account_.proposals.push_back({proposal.id,
                                  region_name(proposal.region),
                                  slot_name(proposal.slot),
                                  proposal.blueprint,
                                  proposal.cycle,
                                  proposal.ask,
                                  proposal.predicted_gain,
                                  "",
                                  {},
                                  0,
                                  "",
                                  {}});
  }

  std::uint32_t cycle_windows_;
  Window window_;
  HostDescription host_;
  std::map<std::uint64_t, CycleAccount> cycles_;
  Energy asked_and_met_;
  ScaffoldAccountant scaffolds_;
  SurgeryAccountant surgeries_;
  WindowAccountant windows_;
  LifeAccountant lives_;
  MapAccountant map_;
  std::map<std::uint64_t, LedgerBalance> balances_;  ///< by cycle, as of its last turn
  std::map<std::ptrdiff_t, Window> funded_;  ///< approved proposals, by place, with their expiry
  RunAccount account_;
};

}  // namespace

RunAccount account_of(const std::vector<JournalEntry>& entries, std::uint32_t cycle_windows) {
  Accountant accountant{cycle_windows};
  for (const auto& entry : entries) accountant.take(entry);
  return accountant.finish();
}

}  // namespace esper
