// What the step boundary refuses, and what it does when a seed harms the host.
#include "tests/gpu/counted_allocations.hpp"
#include "tests/gpu/test_loop.hpp"

#include "tests/gpu/catch.hpp"

using namespace esper;

namespace {

void fill(LiveSeed& live, double value) {
  const torch::NoGradGuard no_graph;
  for (const auto& parameter : live.parameters) parameter.fill_(value);
}

}  // namespace

SCENARIO("a seed that harms the host is taken out inside the step", "[session][reflex]") {
  struct Harm {
    const char *design, *cause;
    double weights;
  };
  const auto harm =
      GENERATE(Harm{"plain", "non_finite_output", std::numeric_limits<double>::quiet_NaN()},
               Harm{"plain", "non_finite_output", std::numeric_limits<double>::infinity()},
               Harm{"plain", "loss_spike", 300}, Harm{"sharp", "non_finite_gradient", 0});
  INFO(harm.design << " with weights of " << harm.weights);
  const char* cause = harm.cause;
  TestLoop loop;
  loop.ramp_seed(harm.design);
  REQUIRE(loop.live().seed->alpha == 1);
  fill(loop.live(), harm.weights);
  const auto before = loop.digest(false);
  const auto step = loop.session->step();
  const auto verdict = loop.tick();
  CHECK(verdict.advice == StepAdvice::skip);
  CHECK(std::string{verdict.reason} == cause);
  CHECK(differing(before, loop.digest(false)) == 0);
  CHECK(loop.session->step() == step);
  CHECK(loop.live().seed->alpha == 0);
  CHECK(loop.live().stage == Stage::grafting);
  CHECK(loop.tick().proceed());
  CHECK(differing(before, loop.digest(false)) > 0);
  CHECK(loop.host->slot(0).seed() != nullptr);
  loop.close_window();
  const auto escaped = loop.reflexes();
  REQUIRE(escaped.size() == 1);
  CHECK(escaped[0].cause == cause);
  CHECK(escaped[0].seed == SeedId{1});
  CHECK(escaped[0].alpha == 0);
  CHECK(loop.reports.back().regions[0].steps_missing == 1);
  CHECK(loop.reports.back().regions[0].steps_covered == loop.window_steps - 1);
  CHECK_FALSE(loop.reports.back().verdict_ignored);
}

SCENARIO("without a seed in the path the verdict is always proceed", "[session][reflex]") {
  TestLoop loop;
  loop.run(30);
  {
    const torch::NoGradGuard no_graph;
    loop.host->module().parameters().front().fill_(std::numeric_limits<float>::quiet_NaN());
  }
  CHECK(loop.tick().proceed());
  loop.close_window();
  CHECK(loop.reports.back().regions[0].non_finite > 0);
}

SCENARIO("a loop that ignores the verdict is put back and told so once", "[session][reflex]") {
  TestLoop loop;
  loop.ramp_seed();
  for (int round = 0; round < 2; ++round) {
    fill(loop.live(), std::numeric_limits<double>::quiet_NaN());
    const auto before = loop.digest(false);
    CHECK_FALSE(loop.tick(false).proceed());
    CHECK(differing(before, loop.digest(false)) == 0);
    loop.close_window();
    CHECK(loop.reports.back().verdict_ignored == (round == 0));
    // A new advance ramps the seed again.
    (void)loop.carry_out(loop.command(CommandKind::advance, 0, 0, 1));
    fill(loop.live(), 0);
    (void)loop.tick();
    REQUIRE(loop.live().touches_host());
  }
}

SCENARIO("an escape command acts at the first step boundary after it is handed over",
         "[session][ESCAPE-1]") {
  TestLoop loop;
  loop.ramp_seed();
  loop.punctual = false;
  (void)loop.tick();
  const auto escape = loop.command(CommandKind::escape, 0, 0, 0);
  const auto turn = loop.session->last_window();
  REQUIRE(loop.exchange->released() < turn);
  REQUIRE(loop.release(turn, {escape}));
  REQUIRE(loop.live().seed->alpha == 1);
  (void)loop.tick();
  CHECK(loop.live().seed->alpha == 0);
  CHECK(loop.session->last_window() == turn);
  loop.close_window();
  CHECK(loop.outcome_of(escape.id).refusal == CommandRefusal::none);
  std::size_t told = 0;
  for (const auto& report : loop.reports)
    for (const auto& outcome : report.outcomes) told += outcome.command == escape.id ? 1 : 0;
  CHECK(told == 1);
}

SCENARIO("a command from an older epoch changes nothing", "[session][FENCE-1]") {
  TestLoop loop;
  loop.close_window();
  loop.epoch = {4};
  loop.exchange->fence({0}, {5});
  auto old = loop.command(CommandKind::germinate, 0, 0, 1, "plain");
  CHECK(loop.carry_out(old).refusal == CommandRefusal::old_epoch);
  CHECK(loop.session->bed().seeds().empty());
  loop.epoch = {6};
  CHECK(loop.carry_out(loop.command(CommandKind::germinate, 0, 0, 1, "plain")).refusal ==
        CommandRefusal::none);
  loop.epoch = {5};  // never fenced by hand, but a newer one has spoken
  for (const auto kind : {CommandKind::cull, CommandKind::graft, CommandKind::escape})
    CHECK(loop.carry_out(loop.command(kind, 0, 0, 1)).refusal == CommandRefusal::old_epoch);
  CHECK(loop.live().stage == Stage::train_isolated);
  CHECK(loop.exchange->fence_of({1}) == Epoch{0});
}

SCENARIO("commands are refused by name", "[session]") {
  TestLoop loop;
  loop.close_window();
  using enum CommandRefusal;
  const auto refusal = [&](const AdaptationCommand& command) {
    return loop.carry_out(command).refusal;
  };
  using enum CommandKind;
  CHECK(refusal(loop.command(germinate, 0, 0, 1, "nothing")) == unknown_blueprint);
  CHECK(refusal(loop.command(germinate, 0, 2, 1, "plain")) == unknown_slot);
  CHECK(refusal(loop.command(germinate, 0, 99, 1, "plain")) == unknown_slot);
  CHECK(refusal(loop.command(graft, 0, 0, 1)) == unknown_seed);
  CHECK(refusal(loop.command(germinate, 0, 0, 1, "broken")) == fault);
  CHECK(loop.session->bed().seeds().empty());
  auto late = loop.command(germinate, 0, 0, 1, "plain");
  late.authority_until = loop.session->last_window();
  CHECK(refusal(late) == lease_expired);
  auto unusable = loop.command(germinate, 0, 0, 1, "plain");
  unusable.mitigations.alpha_stages = {};
  CHECK(refusal(unusable) == fault);
  const auto good = loop.command(germinate, 0, 0, 1, "plain");
  CHECK(refusal(good) == none);
  loop.reports.clear();
  CHECK(refusal(good) == already_done);
  CHECK(refusal(loop.command(stabilise, 0, 0, 1)) == illegal_stage);
  CHECK(refusal(loop.command(germinate, 0, 0, 2, "plain")) == illegal_stage);
  const auto before = loop.exchange->seeds();
  REQUIRE(before.size() == 1);
  CHECK(before[0].stage == Stage::train_isolated);
  CHECK(refusal(loop.command(cull, 0, 0, 1)) == none);
  CHECK(loop.exchange->seeds().empty());
  CHECK(refusal(loop.command(germinate, 0, 0, 2, "plain")) == illegal_stage);
  CHECK(refusal(loop.command(lift_embargo, 0, 0, 1)) == none);
  CHECK(refusal(loop.command(germinate, 0, 0, 2, "plain")) == none);
}

SCENARIO("a seed away from its target alpha neither stabilises nor fossilises", "[session]") {
  TestLoop loop;
  loop.ramp_seed();
  const auto refusal = [&](CommandKind kind) {
    return loop.carry_out(loop.command(kind, 0, 0, 1)).refusal;
  };
  WHEN("it is still on its ramp") {
    loop.live().escape_to_zero();
    CHECK(refusal(CommandKind::advance) == CommandRefusal::none);
    loop.close_window();
    REQUIRE(loop.live().seed->alpha == 0.5);
    CHECK(refusal(CommandKind::stabilise) == CommandRefusal::illegal_stage);
    CHECK(loop.live().stage == Stage::grafting);
  }
  WHEN("a reflex took its alpha after the verdict") {
    REQUIRE(refusal(CommandKind::stabilise) == CommandRefusal::none);
    loop.live().escape_to_zero();
    CHECK(refusal(CommandKind::fossilise) == CommandRefusal::illegal_stage);
    CHECK(loop.live().stage == Stage::stabilising);
    CHECK(loop.host->slot(0).mode() == SlotMode::blended);
  }
}

SCENARIO("a hard limit refuses by its name", "[session][limits]") {
  auto settings = test_settings();
  auto expected = CommandRefusal::none;
  WHEN("parameters") {
    settings.limits.parameters_max = 500;
    expected = CommandRefusal::limit_parameters;
  }
  WHEN("operations") {
    settings.limits.operations_per_sample_max = 16'000;
    expected = CommandRefusal::limit_operations;
  }
  WHEN("memory") {
    settings.limits.memory_bytes_max = 8'000;
    expected = CommandRefusal::limit_memory;
  }
  WHEN("seeds") {
    settings.limits.seeds_max = 1;
    expected = CommandRefusal::limit_seeds;
  }
  WHEN("overhead") {
    settings.limits.overhead_ratio_max = 1e-6;
    expected = CommandRefusal::limit_overhead;
  }
  TestLoop loop(settings);
  loop.close_window();
  const auto first = loop.carry_out(loop.command(CommandKind::germinate, 0, 0, 1, "plain"));
  if (settings.limits.seeds_max == 0 && settings.limits.overhead_ratio_max == 0) {
    CHECK(first.refusal == expected);
    CHECK_FALSE(first.detail.empty());
    return;
  }
  REQUIRE(first.refusal == CommandRefusal::none);
  while (settings.limits.overhead_ratio_max > 0 && !loop.reports.back().overhead_paused)
    loop.close_window();
  const auto updates = loop.live().updates;
  CHECK(loop.carry_out(loop.command(CommandKind::germinate, 1, 2, 2, "plain")).refusal == expected);
  if (settings.limits.overhead_ratio_max > 0) CHECK(loop.live().updates == updates);
}

SCENARIO("with no control side training goes on", "[session][TRAIN-1]") {
  auto settings = test_settings();
  WHEN("the pace is free: it never waits") {
    TestLoop loop(settings);
    loop.punctual = loop.reading = false;
    loop.run(100);
    CHECK(loop.session->last_window() == Window{20});
    CHECK_FALSE(loop.session->stalled());
  }
  WHEN("the pace is lockstep: it waits once, then never again") {
    settings.pace = {.mode = Pace::lockstep, .stall_ms_max = 30};
    TestLoop loop(settings);
    loop.punctual = loop.reading = false;
    loop.run(100);
    CHECK(loop.session->last_window() == Window{20});
    CHECK(loop.session->stalled());
  }
  WHEN("the breaker says that control is down: no wait at all") {
    settings.pace = {.mode = Pace::lockstep, .stall_ms_max = 3'600'000};
    TestLoop loop(settings);
    loop.punctual = loop.reading = false;
    loop.exchange->set_control_alive(false);
    loop.run(100);
    CHECK(loop.session->last_window() == Window{20});
    CHECK_FALSE(loop.session->stalled());
  }
  WHEN("it dies while a seed is in the path: the seed goes to alpha 0 and is kept") {
    TestLoop loop(settings);
    loop.ramp_seed();
    loop.punctual = false;
    for (int window = 0; window < 3; ++window) loop.close_window();
    CHECK(loop.live().touches_host());
    loop.close_window();
    loop.close_window();
    CHECK(loop.live().seed->alpha == 0);
    REQUIRE(loop.reflexes().size() == 1);
    CHECK(loop.reflexes()[0].cause == "executor_silent");
    CHECK(loop.live().stage == Stage::grafting);
    loop.punctual = true;  // it is back: only a new command ramps the seed again
    loop.close_window();
    loop.close_window();
    CHECK(loop.live().seed->alpha == 0);
    (void)loop.carry_out(loop.command(CommandKind::advance, 0, 0, 1));
    loop.close_window();
    CHECK(loop.live().seed->alpha == 0.5);
  }
}

SCENARIO("late turns apply at a later boundary and say so", "[session]") {
  TestLoop loop;
  loop.close_window();
  loop.punctual = false;
  loop.order_next(loop.command(CommandKind::germinate, 0, 0, 1, "plain"));
  loop.close_window();
  loop.close_window();
  REQUIRE(loop.release({1}, loop.queued));
  loop.close_window();
  CHECK(loop.session->late_turns() == 1);
  REQUIRE(loop.reports.back().applied.size() == 1);
  CHECK(loop.reports.back().applied[0].turn == Window{1});
  CHECK(loop.reports.back().applied[0].boundary == Window{4});
  CHECK(loop.reports.back().applied[0].late);
  CHECK(loop.session->bed().seeds().size() == 1);
}

SCENARIO("in the steady state the session allocates nothing", "[session][allocations]") {
  auto settings = test_settings();
  settings.time.checkpoint_cycles = 0;
  TestLoop loop(settings);
  loop.run(20);
  std::size_t allocations = 0, forward_allocations = 0;
  for (int step = 0; step < 20; ++step) {
    const auto rows = torch::arange(32);
    loop.batch = {loop.images.index_select(0, rows), loop.labels.index_select(0, rows)};
    {
      const CountedAllocations counted(allocations);
      loop.session->start_step();
    }
    loop.optimizer->zero_grad();
    torch::Tensor loss;
    {
      const CountedAllocations counted(forward_allocations);
      loss = at::cross_entropy_loss(loop.host->forward(loop.batch.inputs), loop.batch.targets);
    }
    loss.backward();
    bool proceed = false;
    {
      const CountedAllocations counted(allocations);
      proceed = loop.session->after_backward(loss).proceed();
    }
    if (proceed) loop.optimizer->step();
    {
      const CountedAllocations counted(allocations);
      loop.session->end_step();
    }
    WindowReport report;
    while (loop.exchange->next_window(report, std::chrono::milliseconds(0)))
      loop.exchange->finish_window(report.window);
  }
  CHECK(loop.session->last_window() == Window{8});
  CHECK(forward_allocations > 0);  // the counter counts
  CHECK(allocations == 0);
}
