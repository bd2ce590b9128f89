#include "actors/decisions/book.hpp"

#include "actors/decisions/amounts.hpp"
#include "actors/decisions/planted.hpp"

#include <algorithm>
#include <utility>

namespace esper {

void Book::renew(const Allocation& lease) {
  if (lease.region != region_) return;
  free_ = sane(lease.energy);
  until_ = lease.until;
}

void Book::add(Energy energy) { free_ = sane(free_ + sane(energy)); }

void Book::end_lease(Window now) {
  if (now > until_) free_ = {};
}

std::uint64_t Book::reserve(SeedId seed, ReservationPart part, Energy energy, CommandId command) {
  const std::uint64_t id = next_reservation_++;
  free_ -= energy;
  open_.push_back({id, seed, part, energy});
  move(MovementKind::reserve, id, command, energy);
  return id;
}

void Book::move(MovementKind kind, std::uint64_t reservation, CommandId command, Energy energy) {
  movements_.push_back({kind, region_, reservation, command, energy});
}

Result<std::uint64_t, BookRefusal> Book::reserve_seed(SeedId seed, const PriceShares& shares,
                                                      const std::array<CommandId, 3>& commands) {
  const bool has_some = std::any_of(open_.begin(), open_.end(),
                                    [&](const Reservation& one) { return one.seed == seed; });
  if (has_some) return BookRefusal::already_reserved;
  if (shares.germinate + shares.graft + shares.stabilise > free_)
    return BookRefusal::insufficient_energy;
  const auto first = reserve(seed, ReservationPart::germinate, shares.germinate, commands[0]);
  reserve(seed, ReservationPart::graft, shares.graft, commands[1]);
  reserve(seed, ReservationPart::stabilise, shares.stabilise, commands[2]);
  return first;
}

Result<std::uint64_t, BookRefusal> Book::reserve_rise(SeedId seed, Energy energy,
                                                      CommandId command) {
  if (find(seed, ReservationPart::rise) != nullptr) return BookRefusal::already_reserved;
  if (energy > free_) return BookRefusal::insufficient_energy;
  return reserve(seed, ReservationPart::rise, energy, command);
}

bool Book::ask_top_up(SeedId seed, Energy energy, CommandId command) {
  const Reservation* graft = find(seed, ReservationPart::graft);
  if (graft == nullptr) return false;
  move(MovementKind::top_up, graft->id, command, energy);
  return true;
}

void Book::prolong(SeedId seed, CommandId command) {
  for (const Reservation& one : open_)
    if (one.seed == seed) move(MovementKind::top_up, one.id, command, {});
}

void Book::take_top_up(const TopUp& answer) {
  for (Reservation& one : open_)
    if (one.id == answer.reservation) one.energy = sane(one.energy + sane(answer.energy));
}

void Book::settle(SeedId seed, ReservationPart part, Energy most, CommandId command) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Reservation& one) {
    return one.seed == seed && one.part == part;
  });
  if (found == open_.end()) return;
  const Energy spent = std::clamp(most, Energy{0}, found->energy);
  free_ = sane(free_ + (found->energy - spent));
  move(MovementKind::settle, found->id, command, spent);
  if (planted(Planted::double_settle)) move(MovementKind::settle, found->id, command, spent);
  open_.erase(found);
}

void Book::release(SeedId seed) {
  for (const Reservation& one : open_) {
    if (one.seed != seed) continue;
    free_ = sane(free_ + one.energy);
    if (!planted(Planted::forgotten_void)) move(MovementKind::release, one.id, {}, one.energy);
  }
  std::erase_if(open_, [&](const Reservation& one) { return one.seed == seed; });
}

std::optional<SeedId> Book::expire(std::uint64_t reservation) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const Reservation& one) { return one.id == reservation; });
  if (found == open_.end()) return std::nullopt;
  const SeedId seed = found->seed;
  open_.erase(found);
  return seed;
}

void Book::take_emergency(Energy energy) { emergency_ = sane(emergency_ + sane(energy)); }

Energy Book::draw(Energy most, CommandId command) {
  const Energy spent = std::clamp(most, Energy{0}, emergency_);
  if (spent == Energy{}) return {};
  emergency_ -= spent;
  move(MovementKind::draw, 0, command, spent);
  return spent;
}

void Book::give_back(CommandId command) {
  if (emergency_ == Energy{}) return;
  move(MovementKind::give_back, 0, command, std::exchange(emergency_, {}));
}

Energy Book::open() const {
  Energy sum;
  for (const Reservation& one : open_) sum += one.energy;
  return sum;
}

Energy Book::open(SeedId seed) const {
  Energy sum;
  for (const Reservation& one : open_)
    if (one.seed == seed) sum += one.energy;
  return sum;
}

const Reservation* Book::find(SeedId seed, ReservationPart part) const {
  for (const Reservation& one : open_)
    if (one.seed == seed && one.part == part) return &one;
  return nullptr;
}

std::vector<Movement> Book::take_movements() { return std::exchange(movements_, {}); }

}  // namespace esper
