#pragma once
// A user's loop, as in the README: shuffled, augmented data, AdamW with decay, clipping by global
// norm; and a control side that is punctual and does what the test says.
#include <cstring>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/utils.h>

#include "gpu/isolation.hpp"
#include "gpu/make_host.hpp"
#include "gpu/session.hpp"
#include "tests/gpu/optimizer_check.hpp"
#include "tests/gpu/skip_host.hpp"
#include "tests/test_seed.hpp"

namespace esper {

using Digest = std::vector<torch::Tensor>;

inline bool same_bits(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.dtype() == b.dtype() &&
         (a.numel() == 0 || std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0);
}
inline std::size_t differing(const Digest& a, const Digest& b) {
  std::size_t count = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    count += same_bits(a[i], b[i]) ? 0 : 1;
  return count;
}

/// f(h) = NaN, after a convolution, so that gradients are NaN too.
struct PoisonedModule : SeedModule {
  explicit PoisonedModule(std::shared_ptr<SeedModule> within) : inner(std::move(within)) {
    register_module("inner", inner);
  }
  torch::Tensor forward(torch::Tensor input) override {
    return inner->forward(std::move(input)) * std::numeric_limits<float>::quiet_NaN();
  }
  std::shared_ptr<SeedModule> inner;
};
/// Ten times slower than the design alone, forward and backward.
struct SlowModule : PoisonedModule {
  using PoisonedModule::PoisonedModule;
  torch::Tensor forward(torch::Tensor input) override {
    constexpr int times = 10;
    auto sum = inner->forward(input);
    for (int i = 1; i < times; ++i) sum = sum + inner->forward(input);
    return sum / times;
  }
};
/// Where `edge` is 0 the output is 0 and its gradient infinite: the root's slope.
struct SharpModule : SeedModule {
  explicit SharpModule(std::int64_t channels)
      : edge(register_parameter("edge", torch::ones({1, channels, 1, 1}))) {}
  torch::Tensor forward(torch::Tensor input) override { return input * edge.sqrt() * 0.1; }
  torch::Tensor edge;
};

inline Blueprint plain_design(const char* name, double dropout = 0) {
  return {.name = name,
          .kind = BlueprintKind::plain_convolution,
          .blueprint_class = BlueprintClass::growth,
          .kernel = 3,
          .reduction = 0,
          .dropout = dropout,
          .learning_rate_scale = 1,
          .birth = Birth::random};
}

inline SessionSettings test_settings(Mode mode = Mode::act) {
  SessionSettings settings;
  settings.seed = 5;
  settings.mode = mode;
  settings.pace.mode = Pace::free;
  settings.time = {.window_steps = 5,
                   .cycle_windows = 4,
                   .shadow_every_steps = 2,
                   .gate_samples = 32,
                   .verdict_samples = 48};
  settings.gates.updates_min = 5;
  settings.seeds.learning_rate = 9e-3;
  settings.limits = {.parameters_max = 0,
                     .operations_per_sample_max = 0,
                     .memory_bytes_max = 0,
                     .seeds_max = 0,
                     .overhead_ratio_max = 0};
  settings.blueprints = {plain_design("plain"),    plain_design("dropping", 0.3),
                         plain_design("poisoned"), plain_design("slow"),
                         plain_design("sharp"),    plain_design("broken")};
  settings.builder = [](const Blueprint& design, std::uint32_t channels,
                        at::Generator& stream) -> std::shared_ptr<SeedModule> {
    TORCH_CHECK(design.name != "broken", "this design cannot be built");
    if (design.name == "sharp") return std::make_shared<SharpModule>(channels);
    auto module = build(design, channels, stream);
    if (design.name == "poisoned") return std::make_shared<PoisonedModule>(module);
    if (design.name == "slow") return std::make_shared<SlowModule>(module);
    return module;
  };
  return settings;
}

/// A host and what its images look like.
struct HostUnderTest {
  std::function<std::unique_ptr<HostModel>()> make;
  std::vector<std::int64_t> image;  ///< [channels, height, width]
};
inline HostUnderTest skip_host() {
  return {[] { return std::make_unique<SkipHost>(); }, {2, 6, 6}};
}
/// `widths` empty: the size's own. From 8 channels on LibTorch shares its work among threads.
inline HostUnderTest fashion_cnn(const char* size, std::vector<std::uint32_t> widths) {
  return {[=] { return make_host("fashion_cnn", size, widths, /*dropout=*/0.2); }, {1, 28, 28}};
}

class TestLoop {
 public:
  explicit TestLoop(SessionSettings settings = test_settings(),
                    const HostUnderTest& tested = skip_host(), Replicas* together = nullptr)
      : make_host(tested.make),
        replicas(together),
        order(at::detail::createCPUGenerator(first_draw())),
        window_steps(settings.time.window_steps) {
    torch::manual_seed(first_draw());
    host = tested.make();
    optimizer = std::make_unique<torch::optim::AdamW>(
        host->module().parameters(), torch::optim::AdamWOptions(1e-2).weight_decay(0.05));
    auto fixed = at::detail::createCPUGenerator(first_draw() + 1);
    auto shape = tested.image;
    shape.insert(shape.begin(), 256);
    images = torch::randn(shape, fixed);
    labels =
        images.mean({2, 3}).argmax(1) + 2 * images.select(2, 0).mean({1, 2}).gt(0).to(at::kLong);
    if (replicas != nullptr) punctual = replicas->leads();
    if (settings.mode == Mode::off) return;
    exchange = std::make_unique<TurnExchange>(
        static_cast<std::uint32_t>(host->description().regions.size()));
    session = std::make_unique<Session>(*host, *optimizer, settings, data(), *exchange,
                                        /*stop=*/nullptr, replicas);
  }

  /// What the loop tells its session.
  SessionData data() {
    SessionData told;
    told.step_batch = [this] { return batch; };
    told.whole_batch = [this] { return whole; };
    told.gate_batch = [this](std::uint32_t samples) {
      return Batch{images.slice(0, 0, samples), labels.slice(0, 0, samples)};
    };
    told.loss = [](const auto& output, const auto& target) {
      return at::cross_entropy_loss(output, target);
    };
    told.learning_rate_ratio = [] { return 1.0; };
    told.position = [this] { return std::vector<std::uint64_t>{drawn}; };
    told.set_position = [this](const auto& words) { drawn = words.at(0); };
    told.generators = {order};
    told.batch_samples = 32;
    told.make_host = make_host;
    told.score = [](const auto& output, const auto& target) {
      return output.argmax(1).eq(target).to(at::kDouble).mean().template item<double>();
    };
    return told;
  }

  /// One step of the loop; `obey` false: it updates whatever the verdict.
  StepVerdict tick(bool obey = true) {
    answer_window();
    const auto rows = torch::randint(0, 256, {32}, order, at::kLong);
    const auto shift = torch::randint(-1, 2, {1}, order, at::kLong).item<std::int64_t>();
    batch = whole = {images.index_select(0, rows).roll({shift}, {3}), labels.index_select(0, rows)};
    ++drawn;
    if (replicas != nullptr) {
      const auto [begin, end] = replicas->own_rows();
      batch = {whole.inputs.slice(0, begin, end), whole.targets.slice(0, begin, end)};
    }
    if (spoil) spoil(batch);
    if (session) session->start_step();
    optimizer->zero_grad();
    const auto loss = at::cross_entropy_loss(host->forward(batch.inputs), batch.targets);
    loss.backward();
    seen_loss = loss.item<double>();
    if (behind_backward) behind_backward();
    if (replicas != nullptr && !session) seen_loss = average_bare(seen_loss);
    const StepVerdict verdict = session ? session->after_backward(loss) : StepVerdict{};
    if (verdict.proceed() || !obey) {
      clip();
      optimizer->step();
    }
    if (session) seen_loss = session->loss();
    if (session) session->end_step();
    if (session && shared_parameters(*optimizer, session->bed()) > 0)
      throw std::logic_error("two optimizers share a parameter");
    collect();
    return verdict;
  }
  void run(std::size_t ticks) {
    for (std::size_t i = 0; i < ticks; ++i) (void)tick();
  }
  /// To the end of the window under way, at least one step.
  void close_window() {
    const Window before = session->last_window();
    while (session->last_window() == before) (void)tick();
  }

  AdaptationCommand command(CommandKind kind, std::uint32_t region, std::uint32_t slot,
                            std::uint64_t seed, const char* blueprint = "") {
    AdaptationCommand made;
    made.id = {{region}, epoch, ++sequence};
    made.kind = kind;
    made.slot = {slot};
    made.seed = {seed};
    made.blueprint = blueprint;
    made.authority_until = {1'000'000};
    if (kind == CommandKind::germinate || kind == CommandKind::graft)
      made.mitigations = {
          .alpha_stages = {0.5, 1}, .knowledge_distillation_weight = 0, .clip_norm = 1};
    return made;
  }
  /// Hands a turn's commands over. False: the exchange takes no more.
  bool release(Window turn, const std::vector<AdaptationCommand>& commands) {
    TurnRelease released;
    released.turn = turn;
    released.commands = commands;
    released.surgery = std::exchange(surgery, std::nullopt);
    return exchange->release(released);
  }
  /// Applied when the window under way closes.
  void order_next(AdaptationCommand made) { queued.push_back(std::move(made)); }
  /// Orders it and closes the window; its outcome.
  Outcome carry_out(AdaptationCommand made) {
    const CommandId id = made.id;
    order_next(std::move(made));
    close_window();
    return outcome_of(id);
  }
  [[nodiscard]] Outcome outcome_of(CommandId id) const {
    for (const auto& report : reports)
      for (const auto& outcome : report.outcomes)
        if (!outcome.reflex && outcome.command == id) return outcome;
    throw std::runtime_error("no outcome");
  }
  [[nodiscard]] std::vector<Outcome> reflexes() const {
    std::vector<Outcome> found;
    for (const auto& report : reports)
      for (const auto& outcome : report.outcomes)
        if (outcome.reflex) found.push_back(outcome);
    return found;
  }
  /// Germinates seed 1 as `design` in slot 0, grafts it and ramps it to alpha 1.
  void ramp_seed(const char* design = "plain") {
    close_window();
    (void)carry_out(command(CommandKind::germinate, 0, 0, 1, design));
    for (int i = 0; i < 4; ++i) close_window();  // the reflex needs a history
    (void)carry_out(command(CommandKind::graft, 0, 0, 1));
    close_window();
    (void)carry_out(command(CommandKind::advance, 0, 0, 1));
    close_window();
  }
  LiveSeed& live(std::uint64_t seed = 1) { return *session->bed().find({seed}); }

  /// Weights, buffers and moments; with `streams` every generator and the data position, too.
  [[nodiscard]] Digest digest(bool streams = true) const {
    Digest all;
    for (const auto& tensor : tensors_of(host->module())) all.push_back(tensor.detach().clone());
    for (const auto& group : optimizer->param_groups())
      for (const auto& parameter : group.params()) {
        const auto found = optimizer->state().find(parameter.unsafeGetTensorImpl());
        if (found == optimizer->state().end()) continue;
        const auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
        all.push_back(torch::tensor(state.step()));
        all.push_back(state.exp_avg().clone());
        all.push_back(state.exp_avg_sq().clone());
        if (state.max_exp_avg_sq().defined()) all.push_back(state.max_exp_avg_sq().clone());
      }
    if (!streams) return all;
    all.push_back(at::detail::getDefaultCPUGenerator().get_state());
    all.push_back(order.get_state());
    all.push_back(torch::tensor(static_cast<std::int64_t>(drawn)));
    return all;
  }

  std::function<std::unique_ptr<HostModel>()> make_host;
  Replicas* replicas;  ///< null: it trains alone
  std::unique_ptr<HostModel> host;
  std::unique_ptr<torch::optim::AdamW> optimizer;
  std::unique_ptr<TurnExchange> exchange;
  std::unique_ptr<Session> session;
  at::Generator order;
  torch::Tensor images, labels;
  Batch batch, whole;                 ///< its own share, and that of all replicas
  std::function<void(Batch&)> spoil;  ///< may change its own share before it is read
  std::function<void()> behind_backward;
  double seen_loss{};  ///< of the last step, over all replicas
  std::uint64_t drawn = 0, sequence = 0;
  Epoch epoch{1};
  std::uint32_t window_steps;
  bool punctual = true, reading = true;
  std::vector<AdaptationCommand> queued;
  std::optional<SurgeryOrder> surgery;  ///< goes out with the next turn
  std::vector<WindowReport> reports;

  /// As a training ends: all replicas have closed the last window.
  void settle() {
    if (!session) return;
    session->settle();
    collect();
  }

 private:
  double average_bare(double loss) const {
    const auto samples = static_cast<std::uint64_t>(batch.inputs.size(0));
    return replicas->average_step(host->module().parameters(), {.samples = samples, .loss = loss})
        .loss;
  }
  static std::uint64_t first_draw() { return test_seed() % 1'000'000; }

  void answer_window() {
    if (!session || !punctual || exchange->released() >= session->last_window()) return;
    if (release(session->last_window(), queued)) queued.clear();
  }
  void collect() {
    WindowReport report;
    while (session && reading && exchange->next_window(report, std::chrono::milliseconds(0))) {
      exchange->finish_window(report.window);
      reports.push_back(report);
    }
  }
  void clip() const {
    constexpr double limit = 1;
    double squares = 0;
    for (const auto& group : optimizer->param_groups())
      for (const auto& parameter : group.params())
        if (parameter.grad().defined()) squares += sum_of_squares(parameter.grad());
    if (squares <= limit * limit) return;
    const torch::NoGradGuard no_graph;
    for (const auto& group : optimizer->param_groups())
      for (const auto& parameter : group.params())
        if (parameter.grad().defined()) parameter.grad().mul_(limit / std::sqrt(squares));
  }
};

}  // namespace esper
