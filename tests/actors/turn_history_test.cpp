// A role's past made from what it chose of the journal, against that made from everything.
#include "actors/turn_history.hpp"

#include <catch2/catch.hpp>

#include "actors/decisions/random.hpp"
#include "tests/actors/control_plane_rig.hpp"
#include "tests/test_seed.hpp"

namespace esper {

namespace {

using Entries = std::vector<JournalEntry>;

/// A run of the real tree, some of whose roles die on the way, with planning turns, checkpoints and
/// cuts.
Entries lived(RandomStream& stream) {
  auto config = small_config();
  config.seed = stream.below(1'000'000);
  config.compaction.enabled = stream.below(2) == 0;
  Rig rig(config);
  if (stream.below(2) == 0) rig.trainer.enable_checkpoints(rig.host, 1 + stream.below(8));
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (std::uint64_t window = 1; window <= 40; ++window) {
    if (stream.below(6) == 0)
      plane.kill(stream.below(3) == 0 ? Role::tamiyo : Role::narset,
                 RegionId{static_cast<std::uint32_t>(stream.below(3))});
    REQUIRE(rig.trainer.close_window(patience));
  }
  REQUIRE(plane.finish(Window{40}, patience));
  plane.stop();
  return rig.journal.entries();
}

Entries chosen(Entries entries, const EntryChoice& choice) {
  std::erase_if(entries,
                [&](const JournalEntry& entry) { return !choice.has(entry.kind, entry.region); });
  return entries;
}

/// What a store could lose of a turn is its business; that a turn was is told by its summary.
Entries thinned(Entries entries, RandomStream& stream) {
  std::erase_if(entries, [&](const JournalEntry& entry) {
    return entry.kind != WindowSummary::schema.name && stream.below(8) == 0;
  });
  return entries;
}

template <typename T>
std::string text_of(const std::vector<T>& records) {
  std::string text;
  for (const auto& record : records) text += canonical(record) + "\n";
  return text;
}

void check_choices(const Entries& entries) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    const RegionId region{i};
    CHECK(text_of(narset_records(chosen(entries, narset_choice(region)), region)) ==
          text_of(narset_records(entries, region)));
  }
  CHECK(text_of(tamiyo_records(chosen(entries, tamiyo_choice()))) ==
        text_of(tamiyo_records(entries)));
  const auto copy = newest_copy_in(entries),
             of_chosen = newest_copy_in(chosen(entries, copy_choice()));
  CHECK(copy.has_value() == of_chosen.has_value());
  if (copy && of_chosen) CHECK(canonical(*copy) == canonical(*of_chosen));
}

}  // namespace

SCENARIO("a role's past made of the entries that it chooses is the one made of all",
         "[turn_history]") {
  RandomStream stream(test_seed(), "turn_history");
  for (int run = 0; run < 4; ++run) {
    const auto entries = lived(stream);
    REQUIRE(narset_records(entries, RegionId{0}).size() == 40);
    check_choices(entries);
    // A choice is worth something only where it leaves most out.
    CHECK(2 * chosen(entries, narset_choice(RegionId{1})).size() < entries.size());
    for (int thin = 0; thin < 5; ++thin) check_choices(thinned(entries, stream));
  }
}

}  // namespace esper
