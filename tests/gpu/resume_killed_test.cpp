// Killed as by kill -9 at the worst of moments, a training goes on from its newest whole checkpoint
// to the same end.
#include <sys/wait.h>

#include "messages/failpoint.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/resume_play.hpp"
#include "tests/gpu/surgery_host.hpp"
#include "tests/runtime/scratch_folder.hpp"

using namespace esper;
using enum CommandKind;

namespace {

/// One seed that grows into the host, one cut.
Play killed_play() {
  Play play{.settings = every_window(test_settings()),
            .tested = {[] { return std::make_unique<SurgeryHost>(); }, {1, 6, 6}}};
  play.windows = 10;
  play.measured = true;
  play.script = {{1, germinate, 0, 0, 1, "dropping"},
                 {3, graft, 0, 0, 1},
                 {4, CommandKind::advance, 0, 0, 1},
                 {5, stabilise, 0, 0, 1},
                 {6, fossilise, 0, 0, 1}};
  SurgeryOrder order;
  order.plan.id = 1;
  order.plan.structure_version = 1;
  order.plan.cuts = {{"top", {0, 2, 3, 5}}};
  order.epoch = {1};
  order.boundary = {9};
  play.surgeries = {{8, order}};
  return play;
}

/// Plays in a process of its own; the signal that ended it, 0: none did.
int signal_that_ended(const Play& play, const std::string& folder, const std::string& failpoint) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 1;
    if (arm_failpoint(failpoint).empty()) {
      PlayLoop loop(play, folder);
      loop.play_on();
      code = 0;
    }
    ::_exit(code);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child)
    throw std::runtime_error("no process of its own");
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

SCENARIO("a training that was killed goes on to the same end", "[resume][failpoint]") {
  at::set_num_threads(1);
  const Play play = killed_play();
  const ScratchFolder folder;
  PlayLoop whole(play, (folder.path() / "whole").string());
  whole.play_on();
  REQUIRE(whole.reports.at(8).surgeries.at(0).refusal == SurgeryRefusal::none);
  const Digest expected = whole_digest(whole);
  // And the window whose checkpoint is the newest that may be whole then.
  const auto [failpoint, newest] =
      GENERATE(std::pair{"ramp", 4}, std::pair{"ramp:7", 5}, std::pair{"fossilise", 6},
               std::pair{"surgery", 8}, std::pair{"checkpoint_rename", 0},
               std::pair{"checkpoint_rename:6", 5});
  INFO(failpoint);
  const auto killed = (folder.path() / "killed").string();
  CHECK(signal_that_ended(play, killed, failpoint) == SIGKILL);
  const auto found = find_checkpoints(killed);
  REQUIRE(found.size() == static_cast<std::size_t>(newest));
  for (const auto& one : found) CHECK(one.problem == "");
  PlayLoop again(play, killed);
  if (!found.empty()) {
    CHECK(found.back().place.value().window == Window{found.size()});
    again.resume(read_checkpoint(found.back().file).content.value());
  }
  again.play_on();
  CHECK(differing(expected, whole_digest(again)) == 0);
  for (const auto& [window, report] : again.told) CHECK(report == whole.told.at(window));
}

SCENARIO("a failpoint is named with a count, and nothing else", "[failpoint]") {
  CHECK(arm_failpoint("surgery:3") == "");
  CHECK(arm_failpoint("ramp") == "");
  for (const char* text : {"nowhere", "surgery:", "surgery:0", "surgery:x", "surgery:1x", ":1"}) {
    INFO(text);
    const auto problem = arm_failpoint(text);
    CHECK(problem.find(text) != std::string::npos);
    CHECK(problem.find("surgery, fossilise") != std::string::npos);
    pass(Failpoint::surgery);  // none is armed
  }
  CHECK(arm_failpoint("") == "");
}
