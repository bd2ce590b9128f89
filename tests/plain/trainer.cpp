#include "tests/plain/trainer.hpp"

#include <charconv>
#include <cstring>
#include <thread>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "gpu/sha256.hpp"
#include "messages/json.hpp"
#include "messages/logical_config.hpp"

namespace esper::plain {
namespace {

HostDescription described(const RunConfig& config, const std::vector<std::uint32_t>& widths) {
  auto host = describe_host(config.model.host, config.model.size, widths);
  if (!host) throw std::runtime_error("there is no host \"" + config.model.host + "\"");
  if (!recut(*host, host_layers(config.model.host, config.model.size, widths), config.model.regions)
           .empty())
    throw std::runtime_error("the cut into regions is wrong");
  return std::move(*host);
}

std::string hash_of(const std::string& text) {
  Sha256 digest;
  digest.add(text.data(), text.size());
  return digest.finish();
}

std::chrono::milliseconds window_time() {
  int ms = 0;
  if (const char* text = std::getenv(window_ms_variable); text != nullptr)
    std::from_chars(text, text + std::strlen(text), ms);
  return std::chrono::milliseconds{ms};
}

}  // namespace

PlainTrainer::PlainTrainer(const TrainingRequest& request)
    : config_(request.config),
      arm_(request.arm),
      config_hash_(hash_of(logical_config(config_))),
      host_(described(config_, request.widths)) {
  if (request.arm != "grown" || config_.mode == Mode::off) return;
  exchange_ = std::make_unique<TurnExchange>(static_cast<std::uint32_t>(host_.regions.size()));
  if (!request.resume_from.empty()) {
    cut_ = read(request.resume_from);
    if (cut_->manifest.config_hash != config_hash_)
      throw std::runtime_error(request.resume_from + " is of another run");
    exchange_->remember(cut_->manifest.exchange);
  }
  if (!request.checkpoints.empty() && config_.checkpoints.keep > 0)
    writer_ = std::make_unique<CheckpointWriter>(request.checkpoints, config_.checkpoints.keep);
}

std::optional<CheckpointPlace> PlainTrainer::resumed() const {
  return cut_ ? std::optional{cut_->manifest.place} : std::nullopt;
}

Catalogue PlainTrainer::assess(const std::vector<Blueprint>& blueprints) {
  catalogue_.blueprints = blueprints;
  for (const auto& blueprint : blueprints)
    for (std::uint32_t index = 0; index < host_.slots.size(); ++index) {
      const auto& slot = host_.slots[index];
      if (!fits(blueprint, slot)) continue;
      RiskSheet sheet;
      sheet.blueprint = blueprint.name;
      sheet.slot = {index};
      sheet.gradient_gain = sheet.output_gain = 1.1;
      sheet.relative_norm = 0.3;
      sheet.parameters = parameters_of(blueprint, slot.channels);
      sheet.operations = operations_of(blueprint, slot.channels, slot.height, slot.width);
      sheet.bytes = training_bytes(sheet.parameters);
      sheet.risk = 0.2;
      sheet.confidence = 0.9;
      catalogue_.sheets.push_back(sheet);
    }
  return catalogue_;
}

TrainingEnd PlainTrainer::run(const std::atomic<bool>& stop,
                              const std::function<void(const TrainingProgress&)>& tell) {
  const auto pause = window_time();
  const std::uint64_t steps = config_.training.steps_max;
  loop_ = std::make_unique<Loop>(config_, host_, catalogue_);
  if (exchange_)
    exchange_->set_measure([this](std::uint64_t checkpoint, const std::atomic<bool>&) {
      return loop_->measure(checkpoint);
    });
  if (cut_) go_on_from(*cut_);
  WindowReport own;  // of a loop that nobody listens to
  while (loop_->step().value < steps && !stop.load()) {
    loop_->take_step(exchange_ ? exchange_->draft() : own);
    const bool boundary = loop_->tick().value % config_.time.window_steps == 0;
    if (exchange_ && (config_.pace.mode == Pace::free || memory_.stalled))
      take_turns(memory_.window);
    if (!boundary) continue;
    if (exchange_) close_window(stop);
    std::this_thread::sleep_for(pause);
    tell({loop_->step(), {steps}, loop_->loss()});
  }
  if (writer_) writer_->finish();
  TrainingEnd end;
  end.interrupted = loop_->step().value < steps;
  end.model.arm = arm_;
  end.model.parameters = loop_->host().parameters;
  end.model.operations = loop_->host().operations;
  end.model.training_operations = loop_->operations();
  end.model.steps = loop_->step().value;
  end.model.gate_loss = end.model.test_loss = loop_->loss();
  end.model.weights_hash = weights_hash();
  end.window_losses = window_losses_;
  end.last_window = memory_.window;
  end.stalled = memory_.stalled;
  end.late_turns = memory_.late_turns;
  end.seeds = loop_->bed().status();
  end.widths = widths_of(loop_->host());
  end.cut = loop_->cut();
  for (const auto& seed : loop_->bed().seeds())
    if (seed.stage == Stage::fossilised)
      end.planted.push_back(
          {seed.blueprint, seed.slot, seed.ramp.alpha, loop_->born_channels(seed.seed)});
  return end;
}

/// Seeds and host are made again from the turns; weights stand as the file has them.
void PlainTrainer::go_on_from(const Checkpoint& cut) {
  auto next = cut.memory.turns.begin();
  while (loop_->tick() < cut.manifest.session.tick) {
    WindowReport again;
    do {
      loop_->take_step(again);
    } while (loop_->tick().value % config_.time.window_steps != 0);
    ++memory_.window.value;
    for (; next != cut.memory.turns.end() && next->boundary == memory_.window; ++next) {
      pending_.push_back(next->turn);
      memory_.newest_turn = next->turn.turn;
    }
    carry_out(memory_.window, again);
  }
  if (loop_->step() != cut.manifest.place.step)
    throw std::runtime_error("a checkpoint's turns come to another step than it says");
  loop_->weights() = cut.weights;
  memory_ = cut.manifest.session;
  checkpoints_ = cut.manifest.checkpoints;
  for (const WindowReport& report : cut.manifest.exchange.reports) {
    exchange_->draft() = report;
    exchange_->publish();
  }
}

void PlainTrainer::take_turns(Window newest) {
  TurnRelease turn;
  while (pending_.size() < TurnExchange::turns_waiting_max && exchange_->poll(turn, newest)) {
    memory_.newest_turn = turn.turn;
    pending_.push_back(std::move(turn));
  }
}

void PlainTrainer::carry_out(Window window, WindowReport& report) {
  for (std::uint32_t region = 0; region < host_.regions.size(); ++region)
    loop_->fence({region}, exchange_->fence_of({region}));
  for (const TurnRelease& turn : pending_) {
    checkpoints_.journal_sequence = turn.journal_sequence;
    checkpoints_.journal_head = turn.journal_head;
    memory_.late_turns += turn.turn + 1 != window ? 1 : 0;
    taken_.turns.push_back({window, turn});
  }
  const bool silent =
      window.value - 1 >= memory_.newest_turn.value + config_.reflex.executor_silent_windows;
  loop_->close(window, pending_, silent, report);
  pending_.clear();
  window_losses_.push_back(loop_->loss());
}

/// As gpu/session's.
void PlainTrainer::close_window(const std::atomic<bool>& stop) {
  ++memory_.window.value;
  const bool lockstep = config_.pace.mode == Pace::lockstep && !memory_.stalled;
  if (lockstep || exchange_->catching_up(memory_.window)) {
    const Window due{memory_.window.value - 1};
    const bool stopping = stop.load();
    if (!exchange_->await_turn(due, std::chrono::milliseconds{config_.pace.stall_ms_max}, &stop) &&
        exchange_->control_alive() && !stopping && !stop.load())
      exchange_->draft().stalled = memory_.stalled = true;
    take_turns(due);
    if (lockstep && stop.load() && memory_.newest_turn < due) {
      --memory_.window.value;
      return;
    }
  }
  for (const TurnRelease& turn : pending_)
    witness_.tell("turn " + std::to_string(turn.turn.value) + " " +
                  std::to_string(turn.journal_sequence) + " " + turn.journal_head);
  auto& draft = exchange_->draft();
  carry_out(memory_.window, draft);
  if (writer_) {
    draft.device.checkpoint_written = writer_->written();
    draft.device.checkpoint_failures = writer_->failures();
  }
  memory_.tick = loop_->tick();
  memory_.operations = loop_->operations();
  exchange_->publish_seeds(loop_->bed().status());
  if (draft.checkpoint && writer_) {
    writer_->finish();  // each of them is written
    writer_->write(job_of(content()));
  }
  exchange_->publish();
  witness_.tell("window " + std::to_string(memory_.window.value));
}

Checkpoint PlainTrainer::content() {
  Checkpoint checkpoint{{}, taken_, loop_->weights()};
  CheckpointManifest& manifest = checkpoint.manifest;
  manifest.torch_version = "none";
  manifest.config_hash = config_hash_;
  manifest.checkpoints = checkpoints_;
  manifest.place = {.checkpoint = exchange_->draft().checkpoint->checkpoint,
                    .window = memory_.window,
                    .tick = memory_.tick,
                    .step = loop_->step(),
                    .run_seed = config_.seed,
                    .journal_sequence = checkpoints_.journal_sequence,
                    .journal_head = checkpoints_.journal_head};
  manifest.host = loop_->host();
  manifest.session = memory_;
  manifest.exchange = exchange_->memory(memory_.newest_turn);
  return checkpoint;
}

std::string PlainTrainer::weights_hash() {
  Sha256 digest;
  for (const auto& weights : loop_->weights())
    digest.add(weights.data(), weights.size() * sizeof(double));
  for (const auto& seed : loop_->bed().status()) {
    const std::string text = canonical(seed);
    digest.add(text.data(), text.size());
  }
  const std::string host = canonical(loop_->host());
  digest.add(host.data(), host.size());
  return digest.finish();
}

std::string PlainTrainer::write_model(const std::string& file, const std::string& structure) {
  SafetensorsLayout layout{{{"__metadata__", {{"structure", structure}}}}, {}};
  std::size_t offset = 0;
  for (std::size_t region = 0; region < loop_->weights().size(); ++region) {
    const auto& weights = loop_->weights()[region];
    const std::size_t size = weights.size() * sizeof(double);
    layout.header["weights." + std::to_string(region)] = {
        {"dtype", "F64"}, {"shape", {weights.size()}}, {"data_offsets", {offset, offset + size}}};
    layout.data.emplace_back(weights.data(), size);
    offset += size;
  }
  return put_file(file, layout);
}

}  // namespace esper::plain
