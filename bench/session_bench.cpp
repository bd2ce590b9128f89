// A bare LibTorch loop against the same loop with a session, in free pace, on fashion_cnn: slots
// dormant; telemetry and actors at work (a real journal, no energy, so nothing is germinated); one,
// two, three isolated seeds. Every arm has its own host, built from the same seed, and the same
// batches. Arms take turns, a window's steps each.
//
// session_bench [ROUNDS]: how many turns each arm takes.
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <numeric>

#include <ATen/Parallel.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/utils.h>

#include "actors/control_plane.hpp"
#include "actors/decisions/blueprint_catalogue.hpp"
#include "bench/interleaved.hpp"
#include "gpu/fashion_data.hpp"
#include "gpu/make_host.hpp"
#include "gpu/session.hpp"
#include "gpu/trainer.hpp"
#include "runtime/journal.hpp"
#include "runtime/launch.hpp"
#include "runtime/telemetry_export.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;

/// Of the calling thread: what it worked, whatever else the machine did. With one LibTorch thread
/// it is all that a step costs the trainer.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// In each region's first slot, in this order.
constexpr const char* planted = "depthwise_separable";
constexpr std::size_t seeds_max = 3;

RunConfig bench_config(const std::string& size) {
  RunConfig config;
  config.name = "bench";
  config.pace.mode = Pace::free;
  config.model.size = size;
  config.budget.mint_per_region = 0;
  config.gates.updates_min = 1;          // gate passes each window, as while a verdict is awaited
  config.limits.overhead_ratio_max = 0;  // what seeds cost is measured here, not bounded
  return config;
}

/// The actors beside one loop, as `esper run` starts them.
class Control {
 public:
  Control(const RunConfig& config, const HostDescription& host, Executor& executor)
      : folder_(std::filesystem::temp_directory_path() /
                ("esper_bench_" + std::to_string(Clock::now().time_since_epoch().count()))) {
    std::filesystem::create_directories(folder_);
    journal_ = std::move(Journal::create(folder_ / "journal.db").value());
    log_ = std::make_unique<JsonLog>(folder_ / "esper.log");
    const auto catalogue =
        Trainer({.config = config, .arm = "grown", .widths = {}}).assess(built_in_blueprints());
    write_opening(*journal_, config, host, catalogue);
    plane_ = std::make_unique<ControlPlane>(config, host,
                                            ControlSeams{executor, *journal_, metrics_, *log_, {}});
  }
  ~Control() {
    plane_.reset();
    log_.reset();
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  [[nodiscard]] bool finish(Window last) {
    return plane_->finish(last, std::chrono::milliseconds{10'000});
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Journal> journal_;
  RegistryMetrics metrics_;
  std::unique_ptr<JsonLog> log_;
  std::unique_ptr<ControlPlane> plane_;
};

/// One clock's view of an arm's steps.
struct Steps {
  std::vector<double> seconds;         ///< each step
  std::vector<double> medians, means;  ///< of each turn

  void end_turn(std::size_t steps) {
    std::vector<double> latest(seconds.end() - static_cast<std::ptrdiff_t>(steps), seconds.end());
    means.push_back(std::accumulate(latest.begin(), latest.end(), 0.0) /
                    static_cast<double>(steps));
    medians.push_back(quantile(latest, 0.5));
  }
};

/// `silence`: a session whose controllers are gone.
enum class Beside { nothing, session, actors, silence };

class Loop {
 public:
  Loop(const RunConfig& config, Beside beside, std::size_t seeds = 0)
      : config_(config), data_(config.data, config.training.batch, config.seed) {
    torch::manual_seed(config.seed);
    host_ = make_host(config.model.host, config.model.size, {}, config.training.dropout);
    optimizer_ = std::make_unique<torch::optim::AdamW>(
        host_->module().parameters(), torch::optim::AdamWOptions(config.training.learning_rate)
                                          .weight_decay(config.training.weight_decay));
    if (beside == Beside::nothing) return;
    exchange_ = std::make_unique<TurnExchange>(
        static_cast<std::uint32_t>(host_->description().regions.size()));
    SessionData data;
    data.step_batch = [this] { return batch_; };
    data.gate_batch = [this](std::uint32_t samples) {
      const auto gate = data_.gate(samples);
      return gate;
    };
    data.loss = [](const at::Tensor& logits, const at::Tensor& labels) {
      return at::cross_entropy_loss(logits, labels);
    };
    data.learning_rate_ratio = [] { return 1.0; };
    data.batch_samples = config.training.batch;
    session_ = std::make_unique<Session>(
        *host_, *optimizer_, session_settings(config, built_in_blueprints()), data, *exchange_);
    if (beside == Beside::actors)
      control_ = std::make_unique<Control>(config, host_->description(), *exchange_);
    plant(seeds);
    answered_ = beside == Beside::session;
  }

  /// Ends in the middle of a window, so that windows close in the middle of turns: what they start
  /// on other threads is then done within the same arm's turn.
  void warm_up() {
    steps(config_.time.window_steps + config_.time.window_steps / 2);
    if (session_ && !control_ && !answered_)  // until it is known that nobody answers
      steps((config_.reflex.executor_silent_windows + 1) * config_.time.window_steps);
    wall_.seconds.clear();
    processor_.seconds.clear();
    if (session_) operations_before_ = session_->operations();
  }
  void turn() {
    steps(config_.time.window_steps);
    wall_.end_turn(config_.time.window_steps);
    processor_.end_turn(config_.time.window_steps);
  }

  [[nodiscard]] const Steps& wall() const { return wall_; }
  [[nodiscard]] const Steps& processor() const { return processor_; }
  [[nodiscard]] const HostDescription& host() const { return host_->description(); }
  [[nodiscard]] std::size_t seeds() const { return session_ ? session_->bed().seeds().size() : 0; }
  /// Shadow and gate passes over training, by formula.
  [[nodiscard]] double seeds_share() const {
    const auto& now = session_->operations();
    const auto extra = now.shadow + now.gate - operations_before_.shadow - operations_before_.gate;
    return static_cast<double>(extra) /
           static_cast<double>(now.training - operations_before_.training);
  }

 private:
  void plant(std::size_t seeds) {
    TurnRelease turn;
    turn.turn = {1};
    for (std::uint32_t region = 0; region < seeds; ++region) {
      AdaptationCommand command;
      command.id = {{region}, {1}, 1};
      command.kind = CommandKind::germinate;
      command.slot = {2 * region};
      command.seed = {region + 1};
      command.blueprint = planted;
      command.mitigations.alpha_stages = config_.gates.alpha_stages;
      command.mitigations.clip_norm = config_.gates.clip_norm;
      command.authority_until = {1'000'000};
      turn.commands.push_back(command);
    }
    if (seeds > 0 && !exchange_->release(turn)) throw std::runtime_error("the exchange is full");
  }

  /// Seeds learn while somebody may command them.
  void answer() {
    TurnRelease turn;
    turn.turn = session_->last_window();
    if (!exchange_->release(turn)) throw std::runtime_error("the exchange is full");
  }

  void steps(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      batch_ = data_.next();
      const auto began = Clock::now();
      const double worked = processor_seconds();
      step();
      processor_.seconds.push_back(processor_seconds() - worked);
      wall_.seconds.push_back(std::chrono::duration<double>(Clock::now() - began).count());
    }
    if (control_ && !control_->finish(session_->last_window()))
      throw std::runtime_error("the control side does not answer");
    if (answered_) answer();
  }

  void step() {
    if (session_) session_->start_step();
    optimizer_->zero_grad();
    const auto loss = at::cross_entropy_loss(host_->forward(batch_.inputs), batch_.targets);
    loss.backward();
    if (!session_ || session_->after_backward(loss).proceed()) {
      torch::nn::utils::clip_grad_norm_(host_->module().parameters(), config_.training.clip_norm);
      optimizer_->step();
    }
    if (session_) session_->end_step();
  }

  RunConfig config_;
  FashionData data_;
  Batch batch_;
  std::unique_ptr<HostModel> host_;
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::unique_ptr<TurnExchange> exchange_;  // null for the bare loop
  std::unique_ptr<Session> session_;
  std::unique_ptr<Control> control_;
  bool answered_ = false;  ///< by this class
  OperationCount operations_before_;
  Steps wall_, processor_;
};

/// Median over the turns of `of` over `to` in the same turn.
double median_ratio(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < of.size(); ++i) ratios.push_back(of[i] / to[i]);
  return quantile(ratios, 0.5);
}

void print_row(const std::string& name, const Loop& loop, const Loop& bare, const char* aim) {
  auto steps = loop.wall().seconds;
  const double p50 = quantile(steps, 0.5), p99 = quantile(steps, 0.99);
  const double wall = median_ratio(loop.wall().means, bare.wall().means);
  const double processor = median_ratio(loop.processor().means, bare.processor().means);
  std::printf("%-17s %8.3f %8.3f %7.3f %7.3f %7.3f %7.3f  ", name.c_str(), 1e3 * p50, 1e3 * p99,
              median_ratio(loop.wall().medians, bare.wall().medians), wall,
              median_ratio(loop.processor().medians, bare.processor().medians), processor);
  if (loop.seeds() > 0) {
    const double due = 1 + loop.seeds_share();
    std::printf("mean %.3f; it is %+.1f %%, %+.1f %%", due, 100 * (wall / due - 1),
                100 * (processor / due - 1));
  } else {
    std::printf("%s", aim);
  }
  std::printf("\n");
}

void compare(const std::string& size, int rounds) {
  const auto config = bench_config(size);
  at::set_num_threads(static_cast<int>(config.training.threads));
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<Arm> arms;
  const auto add = [&](std::string name, Beside beside, std::size_t seeds = 0) {
    loops.push_back(std::make_unique<Loop>(config, beside, seeds));
    arms.push_back({std::move(name), [loop = loops.back().get()] { loop->turn(); }, {}});
  };
  add("bare loop", Beside::nothing);
  add("slots dormant", Beside::session);
  add("actors at work", Beside::actors);
  for (std::size_t seeds = 1; seeds <= seeds_max; ++seeds)
    add(std::to_string(seeds) + (seeds == 1 ? " isolated seed" : " isolated seeds"),
        Beside::session, seeds);
  add("controllers gone", Beside::silence, seeds_max);
  for (const auto& loop : loops) loop->warm_up();
  run_interleaved(arms, rounds);

  std::printf("fashion_cnn %s, %llu parameters, batch %u, %u thread, %d turns of %u steps\n",
              size.c_str(), static_cast<unsigned long long>(loops.front()->host().parameters),
              config.training.batch, config.training.threads, rounds, config.time.window_steps);
  std::printf("%42s %15s\n%-17s %8s %8s %7s %7s %7s %7s  %s\n", "wall, of bare", "thread, of bare",
              "", "p50, ms", "p99, ms", "p50", "mean", "p50", "mean",
              "aim; for seeds 1 + their share of operations");
  constexpr const char* aims[] = {"", "p50 1.01", "p50 1.03"};
  for (std::size_t i = 0; i < loops.size(); ++i)
    print_row(arms[i].name, *loops[i], *loops.front(), i < std::size(aims) ? aims[i] : "");
  std::fflush(stdout);  // the next size takes minutes
}

}  // namespace

}  // namespace esper

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 40;
  if (rounds < 1) {
    std::fprintf(stderr, "usage: session_bench [ROUNDS]\n");
    return 2;
  }
  esper::compare("tiny", rounds);
  esper::compare("base", std::max(rounds / 4, 1));
}
