#include "sim/check_ledger.hpp"

#include <utility>

namespace esper::sim {

namespace {

std::string told(Energy energy) { return std::to_string(energy.thousandths); }

}  // namespace

void LedgerCheck::wrong(const char* invariant, RegionId region, const std::string& what) {
  findings_.report(invariant, "region " + std::to_string(region.value) + ": " + what);
}

void LedgerCheck::move(const Movement& movement, RegionId region, Window window) {
  const Key key{region, movement.reservation};
  const auto name = "reservation " + std::to_string(movement.reservation);
  auto& account = regions_[region];
  const Energy energy = movement.energy;
  if (energy < Energy{}) return wrong("LEDGER-2", region, "a negative amount was moved");
  switch (movement.kind) {
    case MovementKind::reserve:
      if (!charged_.insert(movement.command).second)
        wrong("LEDGER-2", region,
              "command " + std::to_string(movement.command.sequence) + " was charged twice");
      if (!ever_.insert(key).second) wrong("LEDGER-2", region, name + " was made twice");
      if (energy > account.lease)
        wrong("LEDGER-2", region,
              name + " takes " + told(energy) + " of a lease with " + told(account.lease));
      account.lease -= energy;
      open_[key] = {energy, window};
      return;
    case MovementKind::settle:
    case MovementKind::release: {
      const auto found = open_.find(key);
      if (found == open_.end())
        return wrong("LEDGER-2", region, name + " is resolved and was not open");
      const Energy spent = movement.kind == MovementKind::settle ? energy : Energy{};
      if (spent > found->second.energy)
        wrong("LEDGER-2", region, name + " spends more than it holds");
      spent_ += spent;
      spent_since_mint_ += spent;
      account.lease += found->second.energy - spent;
      open_.erase(found);
      return;
    }
    case MovementKind::draw:
      if (!drawn_by_.insert(movement.command).second)
        wrong("LEDGER-2", region, "a draw was charged twice");
      if (energy > account.escrow)
        wrong("LEDGER-2", region,
              "draws " + told(energy) + " of an escrow with " + told(account.escrow));
      account.escrow -= energy;
      spent_ += energy;
      spent_since_mint_ += energy;
      return;
    case MovementKind::give_back:
      account.escrow = {};
      return;
    case MovementKind::top_up:
      return;  // an ask; it may be refused, as when its seed has left
    case MovementKind::expire:
      return wrong("LEDGER-2", region, "a region lets a reservation expire by itself");
  }
}

void LedgerCheck::answer(const Answers& answers) {
  auto& account = regions_[answers.region];
  for (const auto& top_up : answers.top_ups)
    if (const auto found = open_.find({answers.region, top_up.reservation}); found != open_.end())
      found->second.energy += top_up.energy;
  for (const auto expired : answers.expired)
    if (open_.erase({answers.region, expired}) == 0)
      wrong("LEDGER-2", answers.region, "an expired reservation was not open");
  if (answers.emergency_reclaimed) account.escrow = {};
  if (answers.allocation) {
    account.lease = answers.allocation->energy;
    account.until = answers.allocation->until;
  }
  for (const auto& verdict : answers.scaffolds)
    if (verdict.answer == ScaffoldAnswer::granted) {
      if (account.escrow > Energy{})
        wrong("LEDGER-2", answers.region, "emergency energy was granted over another's");
      account.escrow = verdict.amount;
    }
  for (const auto& verdict : answers.verdicts)
    if (verdict.kind == VerdictKind::approved) account.lease += verdict.amount;
}

void LedgerCheck::judge(const StrategyPart& part) {
  const auto& balance = part.balance;
  if (balance.minted != balance.available + balance.reserved + balance.spent + balance.lapsed)
    findings_.report("LEDGER-1", "window " + std::to_string(part.window.value) + ": minted " +
                                     told(balance.minted) + ", available " +
                                     told(balance.available) + ", reserved " +
                                     told(balance.reserved) + ", spent " + told(balance.spent) +
                                     ", lapsed " + told(balance.lapsed));
  for (const auto& [name, energy] :
       {std::pair{"available", balance.available}, std::pair{"reserved", balance.reserved},
        std::pair{"spent", balance.spent}, std::pair{"lapsed", balance.lapsed}})
    if (energy < Energy{}) findings_.report("LEDGER-2", std::string{name} + " is negative");
  const auto same = [&](const char* name, Energy says, Energy counted) {
    if (says != counted)
      findings_.report("LEDGER-1", "window " + std::to_string(part.window.value) + ": " + name +
                                       " " + told(says) + ", by its movements " + told(counted));
  };
  Energy reserved;
  for (const auto& [key, open] : open_) reserved += open.energy;
  for (const auto& [id, plan] : plans_) reserved += plan.energy;
  same("minted", balance.minted, minted_);
  same("spent", balance.spent, spent_);
  same("reserved", balance.reserved, reserved);
  for (const auto& refused : part.refused)
    if (refused.find(": top_up of") == std::string::npos && !refused.starts_with("plan "))
      findings_.report("LEDGER-2", "the ledger refused what a region had booked: " + refused);
}

void LedgerCheck::take(const SeenTurn& turn) {
  for (auto& [region, account] : regions_)
    if (account.until < turn.window) account.lease = {};
  for (const auto& report : turn.reports)
    for (const auto& movement : report.movements) move(movement, report.region, turn.window);
  for (const auto& outcome : turn.surgeries) {
    const auto plan = plans_.find(outcome.plan);
    const bool kept = outcome.refusal == SurgeryRefusal::none;
    if (plan == plans_.end()) {
      if (kept)
        findings_.report("LEDGER-2", "plan " + std::to_string(outcome.plan) +
                                         " was carried out, and nothing was set aside for it");
      continue;
    }
    if (kept) spent_ += plan->second.energy;
    plans_.erase(plan);
  }
  // An order of which a whole cycle after its boundary told nothing cannot be carried out any more.
  std::erase_if(plans_, [&](const auto& plan) {
    return turn.window > plan.second.boundary + cycle_windows_;
  });
  if (!turn.strategy) return;
  const auto& part = *turn.strategy;
  if (part.mint) {
    minted_ +=
        part.mint->treasury + part.mint->emergency + part.mint->safety + part.mint->compaction;
    spent_last_cycle_ = std::exchange(spent_since_mint_, {});
  }
  for (const auto& answers : part.answers) answer(answers);
  if (part.surgery)
    plans_[part.surgery->plan.id] = {part.surgery->plan.price.energy, part.surgery->boundary};
  judge(part);
}

std::size_t LedgerCheck::open_since(Window window) const {
  std::size_t count = 0;
  for (const auto& [key, open] : open_) count += open.made < window ? 1 : 0;
  return count;
}

}  // namespace esper::sim
