// Overrides through the whole tree: taken in at a turn's boundary, journalled, and replayed.
#include <catch2/catch.hpp>

#include "actors/turn_replay.hpp"
#include "tests/actors/control_plane_rig.hpp"
#include "tests/journalled.hpp"
#include "tests/some_override.hpp"

namespace esper {
namespace {

Override asked(OverrideKind kind, Window from, Window until, RegionId region = {}) {
  auto made = some_override(kind, until, region);
  made.from = from;
  return made;
}

/// The entries as the decision functions would have written them from the same inputs.
std::string decided_again(const Rig& rig, const std::vector<JournalEntry>& entries) {
  TurnReplay replay(rig.config, rig.host, small_catalogue(rig.host));
  CommandEntries commands;
  std::string text;
  for (const auto& turn : turns_in(entries))
    for (const auto& entry : entries_of(replay.again(turn), 1, commands))
      text += entry.kind + entry.payload + "\n";
  return text;
}

std::string as_decided(const std::vector<JournalEntry>& entries) {
  std::string text;
  for (const auto& entry : entries)
    if (entry.window.value > 0) text += entry.kind + entry.payload + "\n";
  return text;
}

}  // namespace

SCENARIO("overrides bind from their turn on, stand in the journal, and replay agrees",
         "[control_plane][overrides][audit]") {
  Rig rig;
  OverrideDesk desk;
  auto seams = rig.seams();
  seams.overrides = &desk;
  CHECK(desk.submit(asked(OverrideKind::freeze, {12}, {20}, {1})) == 1);
  auto pin = asked(OverrideKind::posture, {}, {9});
  pin.posture = Posture::exploit;
  CHECK(desk.submit(pin) == 2);
  CHECK(desk.submit(asked(OverrideKind::escape, {30}, {}, {0})) == 3);
  {
    ControlPlane plane(rig.config, rig.host, seams);
    for (int i = 0; i < 40; ++i) {
      if (i == 15) plane.kill(Role::tolaria);
      if (i == 16) plane.kill(Role::narset, {1});
      REQUIRE(rig.trainer.close_window(patience));
    }
    REQUIRE(plane.finish({40}, patience));
  }
  CHECK(desk.taken() == 3);
  CHECK(desk.wait_for(3, milliseconds{0}) == Window{30});
  const auto entries = rig.journal.read({0}, {1'000});
  const auto overrides = journalled<Override>(entries);
  REQUIRE(overrides.size() == 3);
  CHECK(overrides[0].window == Window{1});
  CHECK(overrides[0].said.kind == OverrideKind::posture);
  CHECK(overrides[1].window == Window{12});
  CHECK(overrides[1].said.who == "somebody");
  CHECK(overrides[2].window == Window{30});
  for (const auto& report : journalled<RegionReport>(entries)) {
    INFO("window " << report.window.value << ", region " << report.region.value);
    CHECK(report.said.frozen == (report.region == RegionId{1} && report.window >= Window{12} &&
                                 report.window <= Window{20}));
  }
  std::size_t escapes = 0;
  for (const auto& command : journalled<AdaptationCommand>(entries)) {
    const bool frozen = command.region == RegionId{1} && command.window >= Window{12} &&
                        command.window <= Window{20};
    CHECK_FALSE(frozen);
    escapes += command.said.kind == CommandKind::escape && command.window == Window{30};
  }
  CHECK(escapes == 1);
  CHECK(decided_again(rig, entries) == as_decided(entries));
}

SCENARIO("the desk opens a turn with the same overrides however often it is asked", "[overrides]") {
  OverrideDesk desk;
  CHECK(desk.submit(asked(OverrideKind::escape, {}, {})) == 1);
  CHECK(desk.due({5}).size() == 1);
  CHECK(desk.submit(asked(OverrideKind::escape, {}, {})) == 2);
  CHECK(desk.due({5}).size() == 1);
  CHECK(desk.due({5}).front().from == Window{5});
  CHECK(desk.taken() == 1);
  CHECK(desk.due({6}).front().id == 2);
  CHECK(desk.due({7}).empty());
  for (int i = 0; i < 64; ++i) CHECK(desk.submit(asked(OverrideKind::escape, {}, {})) != 0);
  CHECK(desk.submit(asked(OverrideKind::escape, {}, {})) == 0);  // bounded
  CHECK_FALSE(desk.wait_for(66, milliseconds{0}));
  desk.close();
  CHECK_FALSE(desk.wait_for(66, patience));  // and nobody waits for what will not come
}

}  // namespace esper
