// A training that goes on from any of its checkpoints, in objects that know nothing of it, is the
// training that was never stopped.
#include "tests/gpu/resume_play.hpp"

#include "tests/gpu/catch.hpp"
#include "tests/gpu/residual_host.hpp"
#include "tests/gpu/surgery_host.hpp"
#include "tests/runtime/scratch_folder.hpp"

using namespace esper;
using enum CommandKind;

namespace {

CheckpointContent content_of(const std::filesystem::path& file) {
  auto read = read_checkpoint(file);
  if (!read.content) throw std::runtime_error(read.problem);
  return std::move(*read.content);
}

/// Plays it whole, and then from each of its checkpoints. Returns the whole one's outcomes.
std::vector<WindowReport> check_resumes(const Play& play) {
  at::set_num_threads(1);
  const ScratchFolder folder;
  const auto whole_folder = folder.path() / "whole";
  PlayLoop whole(play, whole_folder.string());
  whole.play_on();
  const Digest expected = whole_digest(whole);
  const auto files = checkpoint_files(whole_folder);
  CHECK(files.size() == play.windows);
  const auto last = content_of(files.back());
  for (std::size_t at = 0; at < files.size(); ++at) {
    const auto content = content_of(files[at]);
    const std::uint64_t window = at + 1;
    INFO("from window " << window << " of " << play.windows);
    CHECK(content.manifest.place.window == Window{window});
    CHECK(content.manifest.place.journal_sequence == 10 * (window - 1));
    const auto again_folder = folder.path() / ("from" + std::to_string(window));
    PlayLoop again(play, again_folder.string());
    again.resume(content);
    REQUIRE(again.told.size() == 1);
    CHECK(again.session->last_window() == Window{window});
    CHECK(again.exchange->released() == Window{window - 1});
    again.play_on();
    for (const auto& [closed, report] : again.told) {
      INFO("report of window " << closed);
      CHECK(report == whole.told.at(closed));
    }
    for (const auto& [closed, report] : again.importance) {
      INFO("importance at window " << closed);
      CHECK(report == whole.importance.at(closed));
    }
    CHECK(again.told.size() == play.windows - window + 1);
    CHECK(differing(expected, whole_digest(again)) == 0);
    if (window == play.windows) continue;
    CHECK(differences(last, content_of(checkpoint_files(again_folder).back())) ==
          std::vector<std::string>{});
  }
  return whole.reports;
}

std::size_t count_refused(const std::vector<WindowReport>& reports, CommandRefusal refusal) {
  std::size_t count = 0;
  for (const auto& report : reports)
    for (const auto& outcome : report.outcomes) count += outcome.refusal == refusal ? 1 : 0;
  return count;
}

Play growth_play() {
  Play play{.settings = every_window(test_settings()), .tested = skip_host()};
  play.settings.limits.overhead_ratio_max = 0.9;
  return play;
}

Play scaffold_play(double kd_weight, double anchor_weight) {
  Play play{.settings = every_window(scaffold_settings()), .tested = fashion_cnn("melt", {6})};
  play.learning_rate = 2e-3;
  play.kd_weight = kd_weight;
  play.anchor_weight = anchor_weight;
  return play;
}

/// First slot of the group that a scaffold takes, and its region.
constexpr std::uint32_t group_slot = 1, group_region = 1;

std::string surgery_refusal(const std::vector<WindowReport>& reports, std::size_t window) {
  return std::string{name_of(reports.at(window - 1).surgeries.at(0).refusal)};
}

}  // namespace

SCENARIO("a training without seeds goes on from any checkpoint", "[resume]") {
  Play play = growth_play();
  play.windows = 6;
  CHECK(count_refused(check_resumes(play), CommandRefusal::none) == 0);
}

SCENARIO("seeds go on isolated, ramping, stabilising and fossilised", "[resume]") {
  Play play = growth_play();
  play.windows = 17;
  // The second to germinate is the first to fossilise: the order of groups and submodules.
  play.script = {{1, germinate, 0, 0, 1, "dropping"},
                 {2, germinate, 1, 2, 2, "plain"},
                 {5, graft, 1, 2, 2},
                 {6, graft, 0, 0, 1},
                 {7, CommandKind::advance, 1, 2, 2},
                 {8, CommandKind::advance, 0, 0, 1},
                 {10, stabilise, 1, 2, 2},
                 {10, stabilise, 0, 0, 1},
                 {11, fossilise, 1, 2, 2},
                 {12, fossilise, 0, 0, 1},
                 {13, germinate, 1, 3, 3, "plain"}};
  const auto reports = check_resumes(play);
  CHECK(count_refused(reports, CommandRefusal::none) == play.script.size());
  CHECK(reports.back().regions.at(1).seeds.size() == 1);
}

SCENARIO("isolated seeds that pause for their cost go on pausing", "[resume]") {
  Play play = growth_play();
  play.windows = 9;
  play.settings.limits.overhead_ratio_max = 0.3;
  play.script = {{1, germinate, 0, 0, 1, "dropping"}, {2, germinate, 1, 2, 2, "plain"}};
  std::size_t paused = 0;
  for (const auto& report : check_resumes(play)) paused += report.overhead_paused ? 1 : 0;
  CHECK(paused > 0);
  CHECK(paused < play.windows - 2);
}

SCENARIO("a hot checkpoint is rolled back to after a resume, reflexes and all",
         "[resume][ROLL-1]") {
  Play play = growth_play();
  play.windows = 18;
  play.script = {{1, germinate, 0, 0, 1, "dropping"},
                 {2, germinate, 1, 3, 3, "plain"},
                 {4, germinate, 1, 2, 2, "plain"},
                 {5, graft, 0, 0, 1},
                 {7, graft, 1, 2, 2},
                 {10, CommandKind::advance, 0, 0, 1},
                 {12, roll_back, 0, 0, 1},  // seed 2 was grafted since
                 {14, lift_embargo, 0, 0, 0},
                 {15, cull, 1, 2, 2}};
  play.spoilt = {43};  // in window 9, both ramps under way
  const auto reports = check_resumes(play);
  CHECK(count_refused(reports, CommandRefusal::none) == play.script.size() + 3);  // reflexes
  bool restored = false;
  for (const auto& report : reports)
    for (const auto& outcome : report.outcomes)
      restored = restored || outcome.detail.starts_with("restored step");
  CHECK(restored);
}

SCENARIO("what is fenced, done already or out of its lease stays so after a resume",
         "[resume][FENCE-1]") {
  Play play = growth_play();
  play.windows = 8;
  play.script = {{1, germinate, 0, 0, 1, "plain"},
                 {2, CommandKind::escape, 1, 0, 0, "", 2},
                 {3, CommandKind::escape, 0, 0, 0},
                 {5, cull, 0, 0, 1, "", 1, 1},                 // the first command's id
                 {6, CommandKind::escape, 0, 0, 0, "", 1, 3},  // the first escape's
                 {6, germinate, 1, 2, 2, "plain", 1}};         // epoch 2 was seen
  const auto reports = check_resumes(play);
  CHECK(count_refused(reports, CommandRefusal::already_done) == 2);
  CHECK(count_refused(reports, CommandRefusal::old_epoch) == 1);
}

SCENARIO("a scaffold goes on attached, in its lesson, and out", "[resume][scaffold]") {
  GIVEN("one that is weaned") {
    Play play = scaffold_play(0.5, 1e-3);
    play.windows = 18;
    play.script = {{1, germinate, group_region, group_slot, 1, "norm"},
                   {2, germinate, 0, 0, 2, "growth"},
                   {3, graft, group_region, group_slot, 1},
                   {5, CommandKind::advance, group_region, group_slot, 1},
                   {7, stabilise, group_region, group_slot, 1},
                   {8, freeze, group_region, group_slot, 1},
                   {9, wean, group_region, group_slot, 1},
                   {11, wean, group_region, group_slot, 1},
                   {12, cull, 0, 0, 2},  // it stood when the lesson began
                   {14, sunset, group_region, group_slot, 1},
                   {16, retire, group_region, group_slot, 1}};
    const auto reports = check_resumes(play);
    CHECK(count_refused(reports, CommandRefusal::none) == play.script.size());
    CHECK(reports.at(10).operations.weaning > 0);
  }
  GIVEN("one that is rolled back in the middle of its weaning") {
    Play play = scaffold_play(0.5, 1e-3);
    play.windows = 13;
    play.script = {{1, germinate, group_region, group_slot, 1, "dropping"},
                   {3, graft, group_region, group_slot, 1},
                   {5, CommandKind::advance, group_region, group_slot, 1},
                   {8, wean, group_region, group_slot, 1},
                   {10, roll_back, group_region, group_slot, 1}};
    const auto reports = check_resumes(play);
    CHECK(count_refused(reports, CommandRefusal::none) == play.script.size());
    CHECK(reports.at(10).outcomes.at(0).detail.starts_with("restored step"));
  }
  GIVEN("one that is folded") {
    Play play = scaffold_play(0, 0);
    play.windows = 13;
    play.settings.scaffolds.fold_change_max = 1e-3;
    play.script = {{1, germinate, group_region, group_slot, 1, "rank"},
                   {3, graft, group_region, group_slot, 1},
                   {5, CommandKind::advance, group_region, group_slot, 1},
                   {7, stabilise, group_region, group_slot, 1},
                   {8, freeze, group_region, group_slot, 1},
                   {9, fold, group_region, group_slot, 1},
                   {11, retire, group_region, group_slot, 1}};
    CHECK(count_refused(check_resumes(play), CommandRefusal::none) == play.script.size());
  }
}

SCENARIO("a host that was cut goes on, and is cut again", "[resume][surgery]") {
  const auto order = [](std::uint64_t plan, std::uint32_t channels, std::uint64_t structure) {
    SurgeryOrder made;
    made.plan.id = plan;
    made.plan.structure_version = structure;
    made.plan.cuts = {{"top", {}}};
    for (std::uint32_t channel = 0; channel < channels; ++channel)
      made.plan.cuts[0].kept.push_back(channel + 1);
    made.epoch = {1};
    return made;
  };
  Play play{.settings = every_window(test_settings()),
            .tested = {[] { return std::make_unique<SurgeryHost>(); }, {1, 6, 6}}};
  play.windows = 17;
  play.measured = true;
  play.script = {{1, germinate, 0, 0, 2, "plain"},
                 {4, germinate, 1, 2, 1, "plain"},
                 {5, graft, 0, 0, 2},
                 {6, graft, 1, 2, 1},
                 {7, CommandKind::advance, 1, 2, 1},
                 {9, stabilise, 1, 2, 1},
                 {10, fossilise, 1, 2, 1},
                 {15, roll_back, 0, 0, 2}};
  play.surgeries = {{2, order(1, 6, 0)}, {12, order(2, 4, 2)}, {13, order(2, 3, 3)}};
  for (auto& [turn, ordered] : play.surgeries) ordered.boundary = {turn + 1};
  const auto reports = check_resumes(play);
  CHECK(count_refused(reports, CommandRefusal::none) == play.script.size());
  CHECK(surgery_refusal(reports, 3) == "none");
  CHECK(surgery_refusal(reports, 13) == "none");
  CHECK(surgery_refusal(reports, 14) == "already_done");
  CHECK(reports.at(15).outcomes.at(0).detail.find("structure has changed") != std::string::npos);
}

SCENARIO("a host whose layers left goes on without them", "[resume][surgery][layers]") {
  Play play{.settings = every_window(test_settings()),
            .tested = {[] { return std::make_unique<ResidualHost>(); }, {2, 6, 6}}};
  Blueprint design = plain_design("causal");
  design.kind = BlueprintKind::causal_depthwise;
  play.settings.blueprints.push_back(design);
  play.windows = 14;
  play.measured = true;
  play.script = {{1, germinate, 1, 2, 1, "causal"},  // beside a layer that leaves from elsewhere
                 {5, graft, 1, 2, 1},
                 {7, CommandKind::advance, 1, 2, 1},
                 {9, stabilise, 1, 2, 1},
                 {10, fossilise, 1, 2, 1}};
  const auto order = [](std::uint64_t plan, const std::string& layer, std::uint64_t structure) {
    SurgeryOrder made;
    made.plan.id = plan;
    made.plan.structure_version = structure;
    made.plan.layers = {layer};
    made.epoch = {1};
    return made;
  };
  play.surgeries = {{2, order(1, "layer1", 0)},
                    {4, order(2, "layer3", 1)},  // a seed is on trial in its region
                    {11, order(3, "layer3", 2)}};
  for (auto& [turn, ordered] : play.surgeries) ordered.boundary = {turn + 1};
  const auto reports = check_resumes(play);
  CHECK(count_refused(reports, CommandRefusal::none) == play.script.size());
  CHECK(surgery_refusal(reports, 3) == "none");
  CHECK(surgery_refusal(reports, 5) == "region_has_seeds");
  CHECK(surgery_refusal(reports, 12) == "none");
}
