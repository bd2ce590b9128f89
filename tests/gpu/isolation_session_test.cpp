// ISO-1 and ROLL-1 through a whole session.
#include "tests/gpu/test_loop.hpp"

#include "tests/gpu/catch.hpp"
#include "tests/long_tier.hpp"

using namespace esper;

namespace {

constexpr bool small = true;

/// The small host with the long skip, or one whose work two threads really share.
HostUnderTest host_of(bool is_small) {
  return is_small ? skip_host() : fashion_cnn("tiny", {8, 8, 8, 8});
}

std::size_t span(bool is_small = small) {
  if (long_tier()) return 300;
  return is_small ? 100 : 60;
}

Digest alone(std::size_t ticks, const HostUnderTest& host) {
  TestLoop loop(test_settings(Mode::off), host);
  loop.run(ticks);
  return loop.digest();
}

/// Two seeds in the first region, one with dropout and one that emits NaN, and one in the next that
/// is ten times slower. Ordered at once, they germinate when a window closes.
void order_three_seeds(TestLoop& loop) {
  loop.order_next(loop.command(CommandKind::germinate, 0, 0, 1, "dropping"));
  loop.order_next(loop.command(CommandKind::germinate, 0, 1, 2, "poisoned"));
  loop.order_next(loop.command(CommandKind::germinate, 1, 2, 3, "slow"));
}

/// Germination, shadow and gate passes, a cull and a second germination inside the span.
Digest beside_seeds(std::size_t ticks, const HostUnderTest& host = skip_host(), bool check = true) {
  TestLoop loop(test_settings(), host);
  std::size_t done = 0;
  const auto go = [&](std::size_t share) {
    for (; done < ticks * share / 100; ++done) (void)loop.tick();
  };
  go(10);
  order_three_seeds(loop);
  go(50);
  if (check) {
    REQUIRE(loop.session->bed().seeds().size() == 3);
    CHECK(loop.live(1).updates > 5);
    CHECK(loop.live(2).updates == 0);
    CHECK(loop.live(3).updates > 5);
    CHECK(std::any_of(loop.reports.begin(), loop.reports.end(), [](const WindowReport& report) {
      const auto& seeds = report.regions[0].seeds;
      return seeds.size() == 2 && seeds[1].non_finite > 0 && seeds[0].gate.measured;
    }));
  }
  loop.order_next(loop.command(CommandKind::cull, 0, 0, 1));
  go(70);
  loop.order_next(loop.command(CommandKind::lift_embargo, 0, 0, 1));
  loop.order_next(loop.command(CommandKind::germinate, 0, 0, 4, "dropping"));
  go(100);
  if (check) {
    CHECK(loop.session->bed().seeds().size() == 3);
    CHECK(loop.live(4).updates > 0);
    CHECK(loop.session->operations().shadow > 0);
    CHECK(loop.session->operations().gate > 0);
  }
  return loop.digest();
}

/// Puts every switch and the thread count back, also when a check fails.
struct Restore {
  ~Restore() {
    isolation_switches() = {};
    at::set_num_threads(1);
  }
};

}  // namespace

SCENARIO("a host beside isolated seeds is bit-identical to the host alone", "[session][ISO-1]") {
  const Restore restore;
  const bool is_small = GENERATE(true, false);
  const int threads = GENERATE(1, 2);
  at::set_num_threads(threads);
  const auto host = host_of(is_small);
  CHECK(differing(alone(span(is_small), host), beside_seeds(span(is_small), host)) == 0);
}

SCENARIO("what ISO-1 compares sees the smallest change, and threads are part of a run",
         "[session][ISO-1]") {
  const Restore restore;
  at::set_num_threads(1);
  TestLoop loop(test_settings(Mode::off), host_of(!small));
  loop.run(10);
  const auto before = loop.digest();
  const std::size_t held = loop.host->module().parameters().size();
  // Each parameter with its moments and step, each buffer, both generators, the data position.
  REQUIRE(before.size() == 4 * held + loop.host->module().buffers().size() + 3);
  const torch::NoGradGuard no_graph;
  auto& state = static_cast<torch::optim::AdamWParamState&>(
      *loop.optimizer->state().at(loop.host->module().parameters().back().unsafeGetTensorImpl()));
  WHEN("a weight moves") { loop.host->module().parameters().front().flatten()[0].add_(1e-6); }
  WHEN("a buffer moves") { loop.host->module().buffers().front().flatten()[0].add_(1e-6); }
  WHEN("a step is counted twice") { state.step(state.step() + 1); }
  WHEN("a first moment moves") { state.exp_avg().flatten()[0].add_(1e-6); }
  WHEN("a second moment moves") { state.exp_avg_sq().flatten()[0].add_(1e-6); }
  WHEN("the global generator draws once") { (void)torch::rand({1}); }
  WHEN("the loop's generator draws once") { (void)torch::rand({1}, loop.order); }
  WHEN("a batch is lost") { ++loop.drawn; }
  WHEN("two threads share the work") {
    const torch::AutoGradMode graph(true);
    const auto one = alone(20, host_of(!small));
    at::set_num_threads(2);
    CHECK(differing(one, alone(20, host_of(!small))) > 1);
    return;
  }
  CHECK(differing(before, loop.digest()) == 1);
}

SCENARIO("each guard is needed: without it ISO-1 fails", "[session][ISO-1]") {
  const Restore restore;
  at::set_num_threads(1);
  static const auto host = alone(span(), skip_host());
  WHEN("seeds draw from the global stream") { isolation_switches().no_stream_guard = true; }
  WHEN("shadow passes run in training mode") { isolation_switches().shadow_in_train_mode = true; }
  WHEN("an optimizer steps on gradients that are zero for lack of a loss") {
    isolation_switches().step_on_zero_gradients = true;
  }
  CHECK(differing(host, beside_seeds(span(), skip_host(), false)) > 0);
}

SCENARIO("observe equals off bit for bit, and refuses every command", "[session]") {
  const auto off = alone(60, skip_host());
  TestLoop loop(test_settings(Mode::observe));
  loop.run(10);
  const auto germinate = loop.command(CommandKind::germinate, 0, 0, 1, "plain");
  loop.order_next(germinate);
  loop.run(50);
  CHECK(differing(off, loop.digest()) == 0);
  CHECK(loop.outcome_of(germinate.id).refusal == CommandRefusal::observe_only);
  CHECK(loop.reports.size() == 12);
}

SCENARIO("a rollback restores what was, and the next steps are those of a run that never adapted",
         "[session][ROLL-1]") {
  const Restore restore;
  const bool is_small = GENERATE(true, false);
  const int threads = GENERATE(1, 2);
  at::set_num_threads(threads);
  const auto host = host_of(is_small);
  const std::size_t part = span(is_small) / 4;
  TestLoop loop(test_settings(), host);
  loop.close_window();
  order_three_seeds(loop);
  loop.run(part);
  const auto graft = loop.carry_out(loop.command(CommandKind::graft, 0, 0, 1));
  REQUIRE(graft.refusal == CommandRefusal::none);
  const auto at_graft = loop.digest();
  const auto grafted_step = loop.session->step();
  const auto other = loop.live(3).parameters.front().detach().clone();
  loop.run(part);
  REQUIRE(loop.live(1).touches_host());
  REQUIRE(differing(at_graft, loop.digest()) > 0);
  REQUIRE_FALSE(same_bits(other, loop.live(3).parameters.front().detach()));
  const auto tick_before = loop.session->tick();
  const auto undone = loop.carry_out(loop.command(CommandKind::roll_back, 0, 0, 1));
  REQUIRE(undone.refusal == CommandRefusal::none);
  CHECK(undone.stage == Stage::embargoed);
  CHECK(differing(at_graft, loop.digest()) == 0);
  CHECK(same_bits(other, loop.live(3).parameters.front().detach()));
  CHECK(loop.session->step() == grafted_step);
  CHECK(loop.session->tick() > tick_before);
  CHECK(loop.session->bed().find({1}) == nullptr);
  loop.run(2 * part);
  CHECK(loop.session->bed().seeds().size() == 2);
  CHECK(differing(alone(grafted_step.value + 2 * part, host), loop.digest()) == 0);
}

SCENARIO(
    "a seed of the rolled-back history escapes, and one that fossilised since forbids restoring",
    "[session][ROLL-1]") {
  TestLoop loop;
  loop.ramp_seed();
  (void)loop.carry_out(loop.command(CommandKind::germinate, 1, 2, 2, "plain"));
  REQUIRE(loop.carry_out(loop.command(CommandKind::graft, 1, 2, 2)).refusal ==
          CommandRefusal::none);
  loop.close_window();
  WHEN("the older graft is rolled back") {
    (void)loop.carry_out(loop.command(CommandKind::roll_back, 0, 0, 1));
    const auto escaped = loop.reflexes();
    REQUIRE(escaped.size() == 1);
    CHECK(escaped[0].cause == "rolled_back");
    CHECK(loop.live(2).seed->alpha == 0);
  }
  WHEN("it fossilised in between") {
    REQUIRE(loop.carry_out(loop.command(CommandKind::stabilise, 0, 0, 1)).refusal ==
            CommandRefusal::none);
    const auto kept = loop.carry_out(loop.command(CommandKind::fossilise, 0, 0, 1));
    REQUIRE(kept.refusal == CommandRefusal::none);
    CHECK(kept.stage == Stage::fossilised);
    CHECK(loop.optimizer->param_groups().size() == 2);
    const auto before = loop.session->step();
    const auto undone = loop.carry_out(loop.command(CommandKind::roll_back, 1, 2, 2));
    CHECK(undone.refusal == CommandRefusal::none);
    CHECK(loop.session->step() > before);
    CHECK(loop.session->bed().find({2}) == nullptr);
    const auto weight = loop.live(1).parameters.front().detach().clone();
    loop.run(5);
    CHECK_FALSE(same_bits(weight, loop.live(1).parameters.front().detach()));
  }
}
