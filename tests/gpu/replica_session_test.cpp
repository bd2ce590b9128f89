// COMMIT-1 and ESCAPE-1 over replicas: a session with the control side on the leader alone, and
// two that do what it does.
#include "messages/json.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/replica_threads.hpp"
#include "tests/gpu/smooth_host.hpp"
#include "tests/gpu/surgery_host.hpp"

using namespace esper;

namespace {

struct Seen {
  std::vector<Digest> digests;                      ///< by replica, at the end
  std::vector<std::vector<WindowReport>> told;      ///< by replica
  std::vector<std::vector<std::string>> said;       ///< what a person was told
  std::vector<std::vector<std::uint64_t>> skipped;  ///< ticks without an update
  std::vector<std::vector<double>> alphas;          ///< of seed 1 behind those ticks
};

/// `act(loop, window)` orders what is to be done, on the leader alone, before each window's first
/// step. `spoil(rank, tick)`: that replica's batch is not a number in that step.
using Act = std::function<void(TestLoop&, std::uint64_t window)>;
using Spoil = std::function<bool(std::uint32_t rank, std::uint64_t tick)>;

Seen play(
    std::uint32_t world, std::uint64_t windows, const HostUnderTest& tested,
    const SessionSettings& settings, const Act& act,
    const Spoil& spoil = [](auto, auto) { return false; },
    const std::function<void(SessionSettings&, std::uint32_t)>& differ = {}) {
  Seen seen;
  for (auto* list : {&seen.said}) list->resize(world);
  seen.digests.resize(world);
  seen.told.resize(world);
  seen.skipped.resize(world);
  seen.alphas.resize(world);
  on_replicas(world, [&](std::uint32_t rank, std::unique_ptr<Collective> group) {
    SessionSettings mine = settings;
    mine.tell = [&, rank](const std::string& text) { seen.said[rank].push_back(text); };
    if (differ) differ(mine, rank);
    ReplicaUnderTest own(std::move(group), mine, tested);
    own.await_others();
    TestLoop& loop = *own.loop;
    loop.spoil = [&](Batch& batch) {
      if (spoil(rank, loop.session->tick().value + 1))
        batch.inputs = torch::full_like(batch.inputs, std::numeric_limits<float>::quiet_NaN());
    };
    while (loop.session->last_window().value < windows) {
      if (own.replicas->leads() && loop.session->tick().value % loop.window_steps == 0)
        act(loop, loop.session->last_window().value);
      const auto verdict = loop.tick();
      if (verdict.proceed()) continue;
      seen.skipped[rank].push_back(loop.session->tick().value);
      if (LiveSeed* live = loop.session->bed().find({1}))
        seen.alphas[rank].push_back(live->seed->alpha);
    }
    seen.digests[rank] = shared_digest(loop);
    (void)own.replicas->count(true);
    loop.settle();
    seen.told[rank] = loop.reports;
    own.replicas->leave();
  });
  return seen;
}

/// But for what each one's own device measures.
std::vector<std::string> texts_of(const std::vector<WindowReport>& reports) {
  std::vector<std::string> texts;
  for (WindowReport report : reports) {
    report.device = {};
    texts.push_back(canonical(report));
  }
  return texts;
}

void all_alike(const Seen& seen) {
  for (std::size_t rank = 1; rank < seen.digests.size(); ++rank)
    CHECK(differing(seen.digests[0], seen.digests[rank]) == 0);
  for (const auto& said : seen.said) CHECK(said == std::vector<std::string>{});
  // A control side could begin beside any of them.
  const auto leaders = texts_of(seen.told[0]);
  for (std::size_t rank = 1; rank < seen.told.size(); ++rank)
    CHECK(texts_of(seen.told[rank]) == leaders);
}

/// Seed 1 is born, grafted, ramped, stabilised and made part of the host; seed 2 learns beside it.
void whole_life(TestLoop& loop, std::uint64_t window) {
  const auto order = [&](CommandKind kind, std::uint64_t seed, std::uint32_t region,
                         std::uint32_t slot, const char* design = "") {
    loop.order_next(loop.command(kind, region, slot, seed, design));
  };
  if (window == 1) order(CommandKind::germinate, 1, 0, 0, "plain");
  if (window == 3) order(CommandKind::germinate, 2, 1, 1, "plain");
  if (window == 6) order(CommandKind::graft, 1, 0, 0);
  if (window == 8) order(CommandKind::advance, 1, 0, 0);
  if (window == 10) order(CommandKind::stabilise, 1, 0, 0);
  if (window == 12) order(CommandKind::fossilise, 1, 0, 0);
}

std::vector<std::string> refusals(const std::vector<WindowReport>& reports) {
  std::vector<std::string> found;
  for (const auto& report : reports)
    for (const auto& outcome : report.outcomes)
      if (outcome.refusal != CommandRefusal::none)
        found.push_back(std::string{name_of(outcome.kind)} + ": " + outcome.detail);
  return found;
}

}  // namespace

SCENARIO("a seed's whole life is the same on every replica", "[replicas][COMMIT-1]") {
  for (const Pace pace : {Pace::free, Pace::lockstep})
    GIVEN("three replicas, the control side beside the first, pace " + std::string{name_of(pace)}) {
      auto settings = test_settings();
      settings.pace.mode = pace;
      const Seen seen = play(3, 15, smooth_host(), settings, whole_life);
      THEN("all end with the same bits, and what was ordered was done") {
        all_alike(seen);
        CHECK(refusals(seen.told[0]) == std::vector<std::string>{});
        CHECK(seen.told[0].size() == 15);
      }
      AND_THEN("one replica that takes the whole batch comes to the same within rounding") {
        const Seen alone = play(1, 15, smooth_host(), settings, whole_life);
        for (std::size_t i = 0; i < seen.told[0].size(); ++i) {
          const auto& shared = seen.told[0][i].regions[0];
          const auto& own = alone.told[0].at(i).regions[0];
          CHECK(shared.loss_mean == Approx(own.loss_mean).epsilon(1e-3));
          CHECK(shared.gradient_norm_median == Approx(own.gradient_norm_median).epsilon(1e-2));
        }
      }
    }
}

SCENARIO("isolated seeds are not noticed by replicas' hosts", "[replicas][ISO-1]") {
  const auto host_of = [](Digest all) {
    all.resize(6);  // the host's parameters
    return all;
  };
  const auto settings = test_settings();
  const Seen with = play(3, 6, smooth_host(), settings, [](TestLoop& loop, std::uint64_t window) {
    if (window == 1) loop.order_next(loop.command(CommandKind::germinate, 0, 0, 1, "dropping"));
  });
  const Seen without = play(3, 6, smooth_host(), settings, [](auto&, auto) {});
  all_alike(with);
  CHECK(differing(host_of(with.digests[0]), host_of(without.digests[0])) == 0);
}

SCENARIO("a surgery is the same on every replica", "[replicas][COMMIT-1]") {
  auto settings = test_settings();
  settings.time.cycle_windows = 2;
  settings.time.checkpoint_cycles = 1;
  settings.compaction.importance_samples = 32;
  settings.compaction.accuracy_drop_max = 1;
  const HostUnderTest tested{[] { return std::make_unique<SurgeryHost>(); }, {1, 6, 6}};
  const Seen seen = play(3, 7, tested, settings, [](TestLoop& loop, std::uint64_t window) {
    if (window != 3) return;
    SurgeryOrder order;
    order.plan.id = 1;
    order.plan.cuts = {{"top", {0, 1, 2, 3}}};
    order.epoch = {1};
    order.boundary = {4};
    loop.surgery = order;
  });
  all_alike(seen);
  std::vector<SurgeryOutcome> outcomes;
  for (const auto& report : seen.told[0])
    outcomes.insert(outcomes.end(), report.surgeries.begin(), report.surgeries.end());
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].detail == "");
  CHECK(outcomes[0].refusal == SurgeryRefusal::none);
}

SCENARIO("what one replica cannot prepare, none applies", "[replicas][COMMIT-1]") {
  const auto settings = test_settings();
  const Seen seen = play(
      3, 5, smooth_host(), settings,
      [](TestLoop& loop, std::uint64_t window) {
        if (window == 1) loop.order_next(loop.command(CommandKind::germinate, 0, 0, 1, "plain"));
      },
      [](auto, auto) { return false; },
      [](SessionSettings& mine, std::uint32_t rank) {
        const auto build = mine.builder;
        if (rank == 1)
          mine.builder = [build, tried = std::make_shared<int>(0)](
                             const Blueprint& design, std::uint32_t channels,
                             at::Generator& stream) -> std::shared_ptr<SeedModule> {
            if ((*tried)++ == 0) throw std::runtime_error("no memory here, this time");
            return build(design, channels, stream);
          };
      });
  for (std::size_t rank = 1; rank < 3; ++rank)
    CHECK(differing(seen.digests[0], seen.digests[rank]) == 0);
  for (const auto& said : seen.said) {
    REQUIRE(said.size() == 1);
    CHECK_THAT(said[0], Catch::Contains("were not prepared alike"));
  }
  // Its turn is late by one boundary, where all could.
  std::vector<std::pair<std::uint64_t, bool>> applied;
  for (const auto& report : seen.told[0])
    for (const auto& turn : report.applied)
      if (turn.turn.value == 1) applied.emplace_back(turn.boundary.value, turn.late);
  CHECK(applied == std::vector<std::pair<std::uint64_t, bool>>{{3, true}});
}

SCENARIO("a batch that is not a number on one replica stops the step on all",
         "[replicas][ESCAPE-1]") {
  constexpr std::uint64_t struck = 43;  // in window 9, seed 1 at alpha > 0
  for (std::uint32_t victim = 0; victim < 3; ++victim)
    GIVEN("the replica of rank " + std::to_string(victim)) {
      const Seen seen = play(
          3, 12, smooth_host(), test_settings(), whole_life,
          [&](std::uint32_t rank, std::uint64_t tick) { return rank == victim && tick == struck; });
      THEN("no replica makes that update, and the seed is at 0 on each in that very step") {
        all_alike(seen);
        for (std::size_t rank = 0; rank < 3; ++rank) {
          CHECK(seen.skipped[rank] == std::vector<std::uint64_t>{struck});
          CHECK(seen.alphas[rank] == std::vector<double>{0});
        }
        for (const auto& tensor : seen.digests[0])
          if (tensor.is_floating_point()) CHECK(all_finite(tensor.to(at::kFloat)));
      }
    }
}

SCENARIO("a window's end is told when every replica has closed it", "[replicas][COMMIT-1]") {
  // Told by one that then dies alone with it, its outcomes would be in the journal and nowhere
  // else.
  std::vector<std::vector<std::uint64_t>> newest(3);
  on_replicas(3, [&](std::uint32_t rank, std::unique_ptr<Collective> group) {
    ReplicaUnderTest own(std::move(group), test_settings(), smooth_host());
    own.await_others();
    TestLoop& loop = *own.loop;
    while (loop.session->last_window().value < 4) {
      const std::uint64_t before = loop.session->last_window().value;
      (void)loop.tick();
      if (loop.session->last_window().value == before) continue;
      newest[rank].push_back(loop.reports.empty() ? 0 : loop.reports.back().window.value);
    }
    (void)loop.tick();
    newest[rank].push_back(loop.reports.back().window.value);
    own.replicas->leave();
  });
  for (const auto& windows : newest) CHECK(windows == std::vector<std::uint64_t>{0, 1, 2, 3, 4});
}

SCENARIO("a replica that differs is found, named and put right", "[replicas]") {
  const auto settings = test_settings();
  Seen seen;
  std::vector<Digest> digests(3);
  std::vector<std::vector<std::string>> said(3);
  on_replicas(3, [&](std::uint32_t rank, std::unique_ptr<Collective> group) {
    SessionSettings mine = settings;
    mine.tell = [&, rank](const std::string& text) { said[rank].push_back(text); };
    ReplicaUnderTest own(std::move(group), mine, smooth_host());
    own.await_others();
    TestLoop& loop = *own.loop;
    while (loop.session->last_window().value < 8) {
      if (own.replicas->leads() && loop.session->tick().value % loop.window_steps == 0)
        whole_life(loop, loop.session->last_window().value);
      if (rank == 2 && loop.session->tick().value == 21) {
        const torch::NoGradGuard no_graph;
        loop.host->module().named_parameters()["conv1.bias"].add_(1e-3);
      }
      (void)loop.tick();
    }
    digests[rank] = shared_digest(loop);
    own.replicas->leave();
  });
  CHECK(differing(digests[0], digests[1]) == 0);
  CHECK(differing(digests[0], digests[2]) == 0);
  REQUIRE(said[2].size() == 1);
  CHECK_THAT(said[2][0], Catch::Contains("replica 2 differed at window 5"));
  CHECK_THAT(said[2][0], Catch::Contains("host.conv1.bias"));
  CHECK(said[1].empty());
  REQUIRE(said[0].size() == 1);
  CHECK_THAT(said[0][0], Catch::Contains("1 of 3 replicas differed"));
}
