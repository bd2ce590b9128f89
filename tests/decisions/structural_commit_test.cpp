// COMMIT-1: all replicas apply a structural change at the same step, or none does.
#include "actors/decisions/structural_commit.hpp"

#include <catch2/catch.hpp>

#include <map>

#include "tests/property.hpp"

namespace esper {
namespace {

constexpr std::uint32_t slots = 2, regions = 3, ticks_max = 4;

std::vector<std::uint32_t> sum_of(const std::vector<std::vector<std::uint32_t>>& words) {
  std::vector<std::uint32_t> sum(words.front().size(), 0);
  for (const auto& word : words)
    for (std::size_t i = 0; i < word.size(); ++i) sum[i] += word[i];
  return sum;
}

struct Replica {
  StructuralCommit commit{CommitShape{regions, slots, ticks_max}};
  std::map<std::uint32_t, std::uint64_t> hashes;  ///< of what it prepared last, by slot
  std::vector<std::uint64_t> applied;             ///< plans, in order
};

}  // namespace

SCENARIO("COMMIT-1: whatever is prepared when, lost, late or different", "[COMMIT-1][commit]") {
  CHECK(holds("commit", 500, [] {
    std::vector<Replica> replicas(*rc::gen::inRange<std::size_t>(1, 6));
    std::uint64_t plan = 0;
    for (int step = 0; step < 60; ++step) {
      if (*rc::gen::inRange(0, 4) == 0) ++plan;
      for (std::size_t i = 0; i < replicas.size(); ++i)
        for (std::uint32_t slot = 0; slot < slots; ++slot) {
          if (plan == 0 || *rc::gen::inRange(0, 2) == 0) continue;
          const bool own = *rc::gen::inRange(0, 12) == 0;  // prepared another thing than the others
          const auto hash = plan * 0x9e3779b97f4a7c15 + slot + (own ? i + 1 : 0);
          if (replicas[i].commit.prepare(slot, plan, hash)) replicas[i].hashes[slot] = hash;
        }
      if (replicas.size() > 1 && *rc::gen::inRange(0, 20) == 0) {  // one dies; the others go on
        replicas.erase(replicas.begin());
        for (auto& replica : replicas) replica.commit.membership_changed();
      }
      if (replicas.size() < 8 && *rc::gen::inRange(0, 20) == 0) {  // one joins, with what they are
        Replica joiner;
        joiner.applied = replicas[0].applied;
        replicas.push_back(joiner);
        for (auto& replica : replicas) replica.commit.membership_changed();
      }
      std::vector<std::vector<std::uint32_t>> words;
      for (const auto& replica : replicas) words.push_back(replica.commit.word(false, {}));
      const auto sum = sum_of(words);
      std::vector<std::optional<std::uint64_t>> first;
      std::vector<ChangeVerdict> verdicts;
      for (std::size_t i = 0; i < replicas.size(); ++i) {
        auto& replica = replicas[i];
        std::vector<std::optional<std::uint64_t>> ready;
        for (std::uint32_t slot = 0; slot < slots; ++slot)
          ready.push_back(replica.commit.ready(slot));
        const auto verdict = replica.commit.read(sum, static_cast<std::uint32_t>(replicas.size()));
        std::vector<std::optional<std::uint64_t>> now;
        for (std::uint32_t slot = 0; slot < slots; ++slot) {
          if (verdict.changes[slot] != ChangeVerdict::apply) {
            now.push_back(std::nullopt);
            continue;
          }
          RC_ASSERT(ready[slot].has_value());
          RC_ASSERT(replica.hashes.at(slot) == replicas[0].hashes.at(slot));
          now.push_back(ready[slot]);
          replica.applied.push_back(*ready[slot]);
        }
        if (i == 0) {
          first = now;
          verdicts = verdict.changes;
        }
        RC_ASSERT(now == first);
        RC_ASSERT(verdict.changes == verdicts);
      }
    }
    for (const auto& replica : replicas) RC_ASSERT(replica.applied == replicas[0].applied);
  }));
}

SCENARIO("a change that not all are ready for in time is aborted everywhere, and stays so",
         "[COMMIT-1][commit]") {
  Replica one, other;
  REQUIRE(one.commit.prepare(0, 7, 42));
  const auto step = [&] {
    const auto sum = sum_of({one.commit.word(false, {}), other.commit.word(false, {})});
    const auto verdict = one.commit.read(sum, 2).changes[0];
    CHECK(other.commit.read(sum, 2).changes[0] == verdict);
    return verdict;
  };
  for (std::uint32_t i = 0; i < ticks_max; ++i) CHECK(step() == ChangeVerdict::wait);
  CHECK(step() == ChangeVerdict::abort);
  CHECK(step() == ChangeVerdict::none);
  CHECK_FALSE(one.commit.prepare(0, 7, 42));
  // The other, which was slow, is ready for what is over: alone it never gets through.
  REQUIRE(other.commit.prepare(0, 7, 42));
  for (std::uint32_t i = 0; i < ticks_max; ++i) CHECK(step() == ChangeVerdict::wait);
  CHECK(step() == ChangeVerdict::abort);
  REQUIRE(one.commit.prepare(0, 8, 43));
  REQUIRE(other.commit.prepare(0, 8, 43));
  CHECK(step() == ChangeVerdict::apply);
}

SCENARIO("ESCAPE-1: one replica's flag escapes the region and skips the update on all",
         "[ESCAPE-1]") {
  Replica one, other;
  const auto sum =
      sum_of({one.commit.word(false, {}), other.commit.word(true, {false, true, false})});
  for (auto* replica : {&one, &other}) {
    const auto verdict = replica->commit.read(sum, 2);
    CHECK(verdict.skip);
    CHECK(verdict.escape == std::vector<bool>{false, true, false});
  }
}

}  // namespace esper
