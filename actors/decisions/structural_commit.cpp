#include "actors/decisions/structural_commit.hpp"

#include "actors/decisions/planted.hpp"
#include "messages/result.hpp"

namespace esper {

namespace {

// A hash goes in pieces: their sum and the sum of their squares. All are equal exactly when
// n * sum(h^2) = sum(h)^2 (Cauchy-Schwarz), and 16 squares of ten bits are within a float's 24.
constexpr std::uint32_t pieces = 6, piece_bits = 10;
constexpr std::uint32_t slot_words = 1 + 2 * pieces;

std::uint32_t piece_of(std::uint64_t hash, std::uint32_t place) {
  return static_cast<std::uint32_t>(hash >> (place * piece_bits)) & ((1U << piece_bits) - 1);
}

bool all_equal(const std::uint32_t* sums, std::uint32_t world) {
  for (std::uint32_t i = 0; i < pieces; ++i) {
    const std::uint64_t sum = sums[2 * i], squares = sums[2 * i + 1];
    if (world * squares != sum * sum) return false;
  }
  return true;
}

}  // namespace

StructuralCommit::StructuralCommit(const CommitShape& shape) : shape_(shape), slots_(shape.slots) {}

bool StructuralCommit::prepare(std::uint32_t slot, std::uint64_t plan, std::uint64_t hash) {
  Slot& place = slots_.at(slot);
  if (place.plan || plan <= place.over) return false;
  place.plan = plan;
  place.hash = hash;
  return true;
}

std::vector<std::uint32_t> StructuralCommit::word(bool skip,
                                                  const std::vector<bool>& escape) const {
  std::vector<std::uint32_t> word{skip ? 1U : 0U};
  for (std::uint32_t region = 0; region < shape_.regions; ++region)
    word.push_back(region < escape.size() && escape[region] ? 1 : 0);
  for (const Slot& slot : slots_) {
    word.push_back(slot.plan ? 1 : 0);
    for (std::uint32_t i = 0; i < pieces; ++i) {
      const auto piece = slot.plan ? piece_of(slot.hash, i) : 0;
      word.push_back(piece);
      word.push_back(piece * piece);
    }
  }
  return word;
}

void StructuralCommit::end(Slot& slot) {
  if (slot.plan) slot.over = *slot.plan;
  slot.plan.reset();
  slot.ticks = 0;
}

ChangeVerdict StructuralCommit::judge(Slot& slot, const std::uint32_t* sums, std::uint32_t world) {
  const auto ready = sums[0];
  if (ready == 0) {
    slot.ticks = 0;
    return ChangeVerdict::none;
  }
  const bool all = ready == world;
  if (all && all_equal(sums + 1, world)) {
    end(slot);
    return ChangeVerdict::apply;
  }
  if (!all && ++slot.ticks <= shape_.prepare_ticks_max) return ChangeVerdict::wait;
  if (planted(Planted::ready_after_abort)) return ChangeVerdict::abort;
  end(slot);
  return ChangeVerdict::abort;
}

CommitVerdict StructuralCommit::read(const std::vector<std::uint32_t>& sum, std::uint32_t world) {
  if (world == 0 || world > world_max)
    throw InvariantViolation("a step's sum over " + std::to_string(world) + " replicas");
  if (sum.size() != 1 + shape_.regions + slots_.size() * slot_words)
    throw InvariantViolation("a control word of another shape");
  CommitVerdict verdict;
  verdict.skip = sum[0] > 0;
  for (std::uint32_t region = 0; region < shape_.regions; ++region)
    verdict.escape.push_back(sum[1 + region] > 0 &&
                             !(planted(Planted::escape_overlooked) && slots_.at(0).plan));
  const auto* sums = sum.data() + 1 + shape_.regions;
  for (Slot& slot : slots_) {
    verdict.changes.push_back(judge(slot, sums, world));
    sums += slot_words;
  }
  return verdict;
}

void StructuralCommit::membership_changed() {
  for (Slot& slot : slots_) end(slot);
}

std::optional<std::uint64_t> StructuralCommit::ready(std::uint32_t slot) const {
  return slots_.at(slot).plan;
}

}  // namespace esper
