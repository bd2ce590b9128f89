// What a checkpoint holds is needed: a training that goes on without one of it is another one.
#include "tests/gpu/catch.hpp"
#include "tests/gpu/resume_play.hpp"
#include "tests/gpu/surgery_host.hpp"
#include "tests/runtime/scratch_folder.hpp"

using namespace esper;
using enum CommandKind;

namespace {

struct Loss {
  const char* what;
  std::uint64_t window;  ///< that the checkpoint closes
  std::function<void(CheckpointManifest&)> of_manifest = {};
  const char* of_tensor = nullptr;  ///< begin of the names of tensors that are lost
};

/// Everything that anybody could see of a training.
std::vector<std::string> seen(PlayLoop& loop) {
  std::vector<std::string> all;
  for (const auto& tensor : whole_digest(loop))
    all.emplace_back(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  all.push_back(canonical(loop.session->operations()));
  all.push_back(std::to_string(loop.session->late_turns()) + (loop.session->cut() ? " cut" : "") +
                (loop.session->verdict_ignored() ? " ignored" : "") +
                (loop.session->stalled() ? " stalled" : ""));
  return all;
}

/// Loses the tensors so named: streams go on from elsewhere, all others are a little off.
void lose(CheckpointContent& content, std::string_view begin) {
  std::size_t lost = 0;
  for (auto& [name, tensor] : content.tensors) {
    if (!name.starts_with(begin)) continue;
    ++lost;
    if (name.find("generator.") != std::string::npos)
      tensor = at::detail::createCPUGenerator(4711).get_state();
    else
      tensor = tensor + 1;
  }
  if (lost == 0) throw std::logic_error("nothing is called " + std::string{begin});
}

void check_losses(const Play& play, const std::vector<Loss>& losses) {
  at::set_num_threads(1);
  const ScratchFolder folder;
  PlayLoop whole(play, (folder.path() / "whole").string());
  whole.play_on();
  const auto expected = seen(whole);
  const auto files = checkpoint_files(folder.path() / "whole");
  const auto same_again = [&](const Loss& loss) {
    auto content = read_checkpoint(files.at(loss.window - 1)).content.value();
    if (loss.of_manifest) loss.of_manifest(content.manifest);
    if (loss.of_tensor != nullptr) lose(content, loss.of_tensor);
    PlayLoop again(play, (folder.path() / "again").string());
    try {
      again.resume(content);
    } catch (const std::runtime_error&) {
      return false;  // refused: seen as well
    }
    again.play_on();
    if (seen(again) != expected || again.told.size() + loss.window != whole.told.size() + 1)
      return false;
    return std::all_of(again.told.begin(), again.told.end(),
                       [&](const auto& one) { return one.second == whole.told.at(one.first); }) &&
           std::all_of(again.importance.begin(), again.importance.end(), [&](const auto& one) {
             return one.second == whole.importance.at(one.first);
           });
  };
  for (const Loss& loss : losses) {
    INFO("window " << loss.window << " without " << loss.what);
    CHECK(same_again({"nothing", loss.window}));
    CHECK_FALSE(same_again(loss));
  }
}

}  // namespace

SCENARIO("no member of a growing training's checkpoint can be lost unseen", "[resume][members]") {
  Play play{.settings = every_window(test_settings()), .tested = skip_host()};
  play.windows = 17;
  play.settings.reflex.sigmas = 1e9;
  play.script = {{1, germinate, 0, 0, 1, "dropping"},
                 {2, germinate, 1, 3, 3, "plain"},
                 {4, germinate, 1, 2, 2, "plain"},
                 {5, graft, 0, 0, 1},
                 {7, graft, 1, 2, 2},
                 {10, CommandKind::advance, 0, 0, 1},
                 {12, roll_back, 0, 0, 1},
                 {13, cull, 1, 3, 3, "", 1, 2},  // done already
                 {14, lift_embargo, 0, 0, 0},
                 {15, cull, 1, 3, 3, "", 0, 99}};  // of an old epoch
  play.spoilt = {50};  // the last step of window 10, whose ranks are then those of window 9
  const auto region = [](auto RegionMemory::*member) {
    return [member](CheckpointManifest& manifest) {
      for (auto& one : manifest.telemetry.regions) one.*member = {};
    };
  };
  const auto seeds = [](auto SeedRecord::*member) {
    return [member](CheckpointManifest& manifest) {
      for (auto& one : manifest.seeds) one.*member = {};
    };
  };
  using Manifest = CheckpointManifest;
  check_losses(
      play,
      {{"ticks", 9, [](Manifest& all) { all.session.tick = {}; }},
       {"the window", 9, [](Manifest& all) { all.session.window = {}; }},
       {"operations", 9, [](Manifest& all) { all.session.operations = {}; }},
       {"high water", 9,
        [](Manifest& all) {
          all.boundary.high_water = {{}, {}};
        }},
       {"grafts", 6, [](Manifest& all) { all.boundary.grafts = 0; }},
       {"fences", 14,
        [](Manifest& all) {
          all.exchange.fences = {{}, {}};
        }},
       {"the report", 9, [](Manifest& all) { all.exchange.reports.back().outcomes = {{}}; }},
       {"ranks", 9, region(&RegionMemory::rank)},
       {"calm ranks", 9, region(&RegionMemory::calm_ranks)},
       {"last RMS", 9,
        [](Manifest& all) {
          for (auto& one : all.telemetry.regions) one.last_rms = 1e9;
        }},
       {"output RMS", 9, region(&RegionMemory::output_rms)},
       {"input RMS", 9, region(&RegionMemory::input_rms)},
       {"the loss before", 9, [](Manifest& all) { all.telemetry.loss_before = 0; }},
       {"the step", 9, [](Manifest& all) { all.history.step = {}; }},
       {"the structure's version", 9, [](Manifest& all) { all.history.structure = 1; }},
       {"embargoes", 13, [](Manifest& all) { all.stages[0] = Stage::dormant; }},
       {"the position", 13, [](Manifest& all) { all.position[0] = 0; }},
       {"the loop's rate", 9, [](Manifest& all) { all.groups[0].learning_rate = 1e-3; }},
       {"stages", 9, seeds(&SeedRecord::stage)},
       {"alphas", 9, [](Manifest& all) { all.seeds[0].ramp.alpha = 0.1; }},
       {"ramps' places", 8, [](Manifest& all) { all.seeds[2].ramp.step = 3; }},
       {"mitigations", 5, seeds(&SeedRecord::mitigations)},
       {"updates", 9, seeds(&SeedRecord::updates)},
       {"rates", 9, seeds(&SeedRecord::learning_rate)},
       {"seeds' operations", 9, seeds(&SeedRecord::operations)},
       {"averages", 5, seeds(&SeedRecord::averaged)},
       {"a hot checkpoint's number", 9, [](Manifest& all) { all.seeds[0].hot->graft = 2; }},
       {"a hot checkpoint's step", 9, [](Manifest& all) { all.seeds[0].hot->history.step = {}; }},
       {"a hot checkpoint's place", 9, [](Manifest& all) { all.seeds[0].hot->position = {0}; }},
       {"a hot checkpoint's seeds", 9,
        [](Manifest& all) { all.seeds[0].hot->seeds[0].updates = 0; }},
       {"a hot checkpoint", 9, seeds(&SeedRecord::hot)},
       {"weights", 9, {}, "host.conv0.weight"},
       {"running statistics", 9, {}, "host.norm0.running_mean"},
       {"first moments", 9, {}, "host_optimizer.conv0.weight.first"},
       {"second moments", 9, {}, "host_optimizer.conv0.weight.second"},
       {"moments' steps", 9, {}, "host_optimizer.conv0.weight.step"},
       {"a seed's weights", 9, {}, "seed.2."},
       {"a seed's moments", 9, {}, "seed_optimizer.3."},
       {"an average", 9, {}, "average.3."},
       {"the global stream", 9, {}, "generator.global"},
       {"the loop's stream", 9, {}, "generator.loop.0"},
       {"a seed's stream", 9, {}, "generator.seed.1"},
       {"a hot weight", 9, {}, "hot.1.host.conv0.weight"},
       {"a hot moment", 9, {}, "hot.1.host_optimizer.conv0.weight.second"},
       {"a hot seed", 9, {}, "hot.1.seed.3."},
       {"a hot seed's moments", 9, {}, "hot.1.seed_optimizer.3."},
       {"a hot average", 9, {}, "hot.1.average.3."},
       {"hot streams", 9, {}, "hot.1.generator.global"}});
}

SCENARIO("neither can one of a training that pauses, waits or trips", "[resume][members]") {
  Play play{.settings = every_window(test_settings()), .tested = skip_host()};
  play.windows = 9;
  using Manifest = CheckpointManifest;
  GIVEN("seeds that cost too much") {
    play.settings.limits.overhead_ratio_max = 0.3;
    play.script = {{1, germinate, 0, 0, 1, "dropping"}, {2, germinate, 1, 2, 2, "plain"}};
    const auto other = [](Manifest& all) {
      auto& overhead = all.session.overhead;
      overhead = overhead.paused ? Overhead{} : Overhead{.windows_over = 7, .paused = true};
    };
    check_losses(play, {{"what it pauses by", 4, other}, {"what it pauses by", 5, other}});
  }
  GIVEN("a control side that has been silent for two windows") {
    play.script = {
        {1, germinate, 0, 0, 1, "plain"}, {2, graft, 0, 0, 1}, {4, CommandKind::advance, 0, 0, 1}};
    play.settings.reflex.sigmas = 1e9;
    play.silent = {6, 7};
    check_losses(play,
                 {{"the newest turn", 7, [](Manifest& all) { all.session.newest_turn = {}; }}});
  }
  GIVEN("a reflex that trips as soon as it knows of losses") {
    play.script = {{1, germinate, 0, 0, 1, "plain"}, {3, graft, 0, 0, 1}};
    play.settings.reflex.sigmas = -100;
    check_losses(play, {{"losses", 4, [](Manifest& all) { all.history.reflex.count = 0; }}});
  }
}

SCENARIO("nor one of a training that a scaffold leaves", "[resume][members]") {
  Play play{.settings = every_window(scaffold_settings()), .tested = fashion_cnn("melt", {6})};
  play.windows = 12;
  play.learning_rate = 2e-3;
  play.kd_weight = 0.5;
  play.anchor_weight = 1e-3;
  play.script = {
      {1, germinate, 1, 1, 1, "norm"}, {3, graft, 1, 1, 1},  {5, CommandKind::advance, 1, 1, 1},
      {6, stabilise, 1, 1, 1},         {7, freeze, 1, 1, 1}, {8, wean, 1, 1, 1}};
  using Manifest = CheckpointManifest;
  check_losses(play,
               {{"its frozen statistics", 9, [](Manifest& all) { all.seeds[0].frozen = false; }},
                {"the teacher's alphas", 9,
                 [](Manifest& all) { all.seeds[0].lesson->standing[0].alpha = 0; }},
                {"the lesson", 9, [](Manifest& all) { all.seeds[0].lesson.reset(); }},
                {"the teacher's weights", 9, {}, "lesson.1.teacher.host.plain3.weight"},
                {"the teacher's scaffold", 9, {}, "lesson.1.teacher.seed.1.0."},
                {"an anchor", 9, {}, "lesson.1.anchor.host.plain3.weight"}});
}

SCENARIO("nor one of a training that was cut", "[resume][members][surgery]") {
  Play play{.settings = every_window(test_settings()),
            .tested = {[] { return std::make_unique<SurgeryHost>(); }, {1, 6, 6}}};
  play.windows = 7;
  play.measured = true;
  SurgeryOrder order;
  order.plan.id = 1;
  order.plan.cuts = {{"top", {0, 2, 3, 5}}};
  order.epoch = {2};
  order.boundary = {3};
  play.surgeries[2] = order;
  order.plan.structure_version = 1;
  order.boundary = {5};
  play.surgeries[4] = order;  // done already
  order.plan.id = 2;
  order.boundary = {6};
  order.epoch = {1};
  order.plan.cuts = {{"top", {0, 1}}};
  play.surgeries[5] = order;  // of an old epoch
  using Manifest = CheckpointManifest;
  check_losses(play,
               {{"that it was", 4, [](Manifest& all) { all.checkpoints.ever_cut = false; }},
                {"the newest plan", 4, [](Manifest& all) { all.checkpoints.newest_plan = 0; }},
                {"the newest epoch", 5, [](Manifest& all) { all.checkpoints.newest_epoch = {}; }},
                {"what the check found", 4,
                 [](Manifest& all) { all.checkpoints.coupling_fault = "a fault"; }},
                {"the host's shape", 4, {}, "host.head.weight"}});
}
