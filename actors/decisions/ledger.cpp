#include "actors/decisions/ledger.hpp"
#include "actors/decisions/planted.hpp"

#include <algorithm>

namespace esper {
namespace {

/// A run's whole mint stays under this, so that no sum of accounts overflows.
constexpr Energy minted_max{1'000'000'000'000'000'000};

bool in_range(Energy energy) { return energy == sane(energy); }

/// Has this command, or a later one of its sender, been charged before?
bool charged(const CommandId& command, const CommandId& mark) {
  const auto order = [](const CommandId& id) { return std::pair{id.epoch, id.sequence}; };
  return order(command) <= order(mark);
}

}  // namespace

void Ledger::lapse(Energy& account, Energy kept_max) {
  const Energy kept = std::min(account, std::max(kept_max, Energy{0}));
  lapsed_ += account - kept;
  account = kept;
}

Ledger::Answer Ledger::mint(const Mint& mint) {
  if (mint.cycle <= minted_cycle_) return LedgerRefusal::already_minted;
  for (const Energy part : {mint.treasury, mint.emergency, mint.safety, mint.compaction})
    if (!in_range(part)) return LedgerRefusal::amount_out_of_range;
  const Energy whole = mint.treasury + mint.emergency + mint.safety + mint.compaction;
  if (minted_ + whole > minted_max) return LedgerRefusal::amount_out_of_range;
  treasury_ += mint.treasury;
  emergency_ += mint.emergency;
  safety_ += mint.safety;
  compaction_ += mint.compaction;
  minted_ += whole;
  minted_cycle_ = mint.cycle;
  return Done{};
}

void Ledger::close_cycle(Energy emergency_kept_max, Energy safety_kept_max) {
  lapse(treasury_);
  lapse(compaction_);
  lapse(emergency_, emergency_kept_max);
  lapse(safety_, safety_kept_max);
}

Ledger::Answer Ledger::grant_from(Energy& account, RegionId region, Energy energy) {
  if (region.value >= regions_.size()) return LedgerRefusal::unknown_region;
  if (!in_range(energy)) return LedgerRefusal::amount_out_of_range;
  if (energy > account) return LedgerRefusal::insufficient_energy;
  account -= energy;
  regions_[region.value].lease.free += energy;
  return Done{};
}

Ledger::Answer Ledger::grant(RegionId region, Energy energy, Window until) {
  const Lease before = lease(region);
  const Answer answer = grant_from(treasury_, region, energy);
  if (answer) {
    lapsed_ += before.free;
    regions_[region.value].lease = {energy, until};
  }
  return answer;
}

Ledger::Answer Ledger::grant_opportunity(RegionId region, Energy energy) {
  return grant_from(treasury_, region, energy);
}

Ledger::Answer Ledger::grant_emergency(RegionId region, Energy energy) {
  return grant_from(emergency_, region, energy);
}

Ledger::Answer Ledger::grant_scaffold(RegionId region, Energy energy, Window until, Window now) {
  if (region.value >= regions_.size()) return LedgerRefusal::unknown_region;
  if (!in_range(energy)) return LedgerRefusal::amount_out_of_range;
  std::optional<Escrow>& escrow = regions_[region.value].escrow;
  if (escrow && escrow->free > Energy{}) return LedgerRefusal::escrow_open;
  if (energy > emergency_) return LedgerRefusal::insufficient_energy;
  emergency_ -= energy;
  escrow = Escrow{energy, until, now, false};
  return Done{};
}

Ledger::Answer Ledger::draw(RegionId region, CommandId command, Energy energy, Window now) {
  if (region.value >= regions_.size()) return LedgerRefusal::unknown_region;
  Region& account = regions_[region.value];
  if (command.region != region) return LedgerRefusal::foreign_command;
  if (!in_range(energy)) return LedgerRefusal::amount_out_of_range;
  if (charged(command, account.draw_mark)) return LedgerRefusal::already_charged;
  if (!account.escrow) return LedgerRefusal::no_escrow;
  if (energy > account.escrow->free) return LedgerRefusal::insufficient_energy;
  account.draw_mark = command;
  account.escrow->free -= energy;
  account.escrow->touched = std::max(account.escrow->touched, now);
  account.escrow->drawn = true;
  spent_ += energy;
  return Done{};
}

Ledger::Answer Ledger::give_back(RegionId region) {
  if (region.value >= regions_.size()) return LedgerRefusal::unknown_region;
  std::optional<Escrow>& escrow = regions_[region.value].escrow;
  if (!escrow) return LedgerRefusal::no_escrow;
  emergency_ += escrow->free;
  escrow.reset();
  return Done{};
}

std::vector<RegionId> Ledger::reclaim(Window now, std::uint32_t windows) {
  std::vector<RegionId> reclaimed;
  for (std::uint32_t region = 0; region < regions_.size(); ++region) {
    const std::optional<Escrow>& escrow = regions_[region].escrow;
    if (!escrow || escrow->free == Energy{}) continue;
    const bool unused = !escrow->drawn && escrow->until < now;
    if (!unused && now < escrow->touched + windows) continue;
    (void)give_back({region});
    reclaimed.push_back({region});
  }
  return reclaimed;
}

void Ledger::lapse_leases(Window now) {
  for (Region& region : regions_)
    if (region.lease.until < now) lapse(region.lease.free);
}

Ledger::Answer Ledger::reserve(RegionId region, std::uint64_t reservation, CommandId command,
                               Energy energy, Window now) {
  if (region.value >= regions_.size()) return LedgerRefusal::unknown_region;
  Region& account = regions_[region.value];
  if (command.region != region) return LedgerRefusal::foreign_command;
  if (!in_range(energy)) return LedgerRefusal::amount_out_of_range;
  if (charged(command, account.command_mark)) return LedgerRefusal::already_charged;
  if (reservation <= account.reservation_mark) return LedgerRefusal::reservation_reused;
  if (energy > account.lease.free) return LedgerRefusal::insufficient_energy;
  account.lease.free -= energy;
  account.command_mark = command;
  account.reservation_mark = reservation;
  reservations_.emplace(Key{region, reservation}, Reserved{energy, now, now});
  return Done{};
}

Ledger::Answer Ledger::settle(RegionId region, std::uint64_t reservation, Energy spent,
                              Window now) {
  const auto found = reservations_.find({region, reservation});
  if (found == reservations_.end()) return LedgerRefusal::not_open;
  if (!in_range(spent)) return LedgerRefusal::amount_out_of_range;
  if (spent > found->second.energy) return LedgerRefusal::exceeds_reservation;
  spent_ += spent;
  if (!planted(Planted::ledger_leak))
    regions_[region.value].lease.free += found->second.energy - spent;
  const Window made = found->second.made;
  reservations_.erase(found);
  // A seed's parts are reserved in one turn; that is how they are known to belong together.
  for (auto beside = reservations_.lower_bound({region, 0});
       beside != reservations_.end() && beside->first.first == region; ++beside)
    if (auto& other = beside->second; other.made == made)
      other.touched = std::max(other.touched, now);
  return Done{};
}

Ledger::Answer Ledger::release(RegionId region, std::uint64_t reservation) {
  const auto found = reservations_.find({region, reservation});
  if (found == reservations_.end()) return LedgerRefusal::not_open;
  regions_[region.value].lease.free += found->second.energy;
  reservations_.erase(found);
  return Done{};
}

Ledger::Answer Ledger::top_up(RegionId region, std::uint64_t reservation, CommandId command,
                              Energy energy, Window now) {
  const auto found = reservations_.find({region, reservation});
  if (found == reservations_.end()) return LedgerRefusal::not_open;
  if (!in_range(energy)) return LedgerRefusal::amount_out_of_range;
  CommandId& mark = regions_[region.value].top_up_mark;
  if (energy > Energy{} && charged(command, mark)) return LedgerRefusal::already_charged;
  if (energy > safety_) return LedgerRefusal::insufficient_energy;
  if (energy > Energy{}) mark = command;
  safety_ -= energy;
  found->second.energy += energy;
  found->second.touched = std::max(found->second.touched, now);
  return Done{};
}

std::vector<std::pair<RegionId, std::uint64_t>> Ledger::expire(Window now, std::uint32_t windows,
                                                               const std::set<RegionId>& absent) {
  std::vector<Key> expired;
  for (auto next = reservations_.begin(); next != reservations_.end();) {
    const auto& [key, reserved] = *next;
    if (now < reserved.touched + windows || absent.contains(key.first)) {
      ++next;
      continue;
    }
    treasury_ += reserved.energy;
    expired.push_back(key);
    next = reservations_.erase(next);
  }
  return expired;
}

Ledger::Answer Ledger::commit_compaction(std::uint64_t plan, Energy energy) {
  if (plan <= plan_mark_) return LedgerRefusal::already_charged;
  if (!in_range(energy)) return LedgerRefusal::amount_out_of_range;
  if (energy > compaction_) return LedgerRefusal::insufficient_energy;
  compaction_ -= energy;
  plan_mark_ = plan;
  plans_.emplace(plan, Committed{energy, minted_cycle_});
  return Done{};
}

Ledger::Answer Ledger::settle_compaction(std::uint64_t plan) {
  const auto found = plans_.find(plan);
  if (found == plans_.end()) return LedgerRefusal::not_open;
  spent_ += found->second.energy;
  plans_.erase(found);
  return Done{};
}

Ledger::Answer Ledger::void_compaction(std::uint64_t plan) {
  const auto found = plans_.find(plan);
  if (found == plans_.end()) return LedgerRefusal::not_open;
  (found->second.cycle == minted_cycle_ ? compaction_ : lapsed_) += found->second.energy;
  plans_.erase(found);
  return Done{};
}

LedgerBalance Ledger::balance() const {
  LedgerBalance balance;
  balance.minted = minted_;
  balance.available = treasury_ + emergency_ + safety_ + compaction_;
  for (const Region& region : regions_) {
    balance.available += region.lease.free;
    if (region.escrow) balance.available += region.escrow->free;
  }
  for (const auto& [key, reserved] : reservations_) balance.reserved += reserved.energy;
  balance.reserved += compaction_committed();
  balance.spent = spent_;
  balance.lapsed = lapsed_;
  return balance;
}

bool Ledger::conserves_energy() const {
  const LedgerBalance now = balance();
  const auto not_negative = [](Energy energy) { return energy >= Energy{0}; };
  return now.minted == now.available + now.reserved + now.spent + now.lapsed &&
         not_negative(std::min({treasury_, emergency_, safety_, compaction_, spent_, lapsed_})) &&
         std::all_of(regions_.begin(), regions_.end(),
                     [&](const Region& region) {
                       return not_negative(region.lease.free) &&
                              (!region.escrow || not_negative(region.escrow->free));
                     }) &&
         std::all_of(plans_.begin(), plans_.end(),
                     [&](const auto& one) { return not_negative(one.second.energy); }) &&
         std::all_of(reservations_.begin(), reservations_.end(),
                     [&](const auto& one) { return not_negative(one.second.energy); });
}

Lease Ledger::lease(RegionId region) const {
  return region.value < regions_.size() ? regions_[region.value].lease : Lease{};
}

std::optional<Escrow> Ledger::escrow(RegionId region) const {
  return region.value < regions_.size() ? regions_[region.value].escrow : std::nullopt;
}

Energy Ledger::compaction_committed() const {
  Energy sum;
  for (const auto& [plan, committed] : plans_) sum += committed.energy;
  return sum;
}

std::optional<Energy> Ledger::reserved(RegionId region, std::uint64_t reservation) const {
  const auto found = reservations_.find({region, reservation});
  if (found == reservations_.end()) return std::nullopt;
  return found->second.energy;
}

}  // namespace esper
