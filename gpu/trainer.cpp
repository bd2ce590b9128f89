#include "gpu/trainer.hpp"

#include <bit>

#include <ATen/Parallel.h>
#include <torch/nn/functional/loss.h>
#include <torch/utils.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "actors/decisions/random.hpp"
#include "gpu/isolation.hpp"
#include "gpu/make_host.hpp"
#include "gpu/rebuilding.hpp"
#include "gpu/risk_assay.hpp"
#include "gpu/safetensors_file.hpp"
#include "gpu/schedule.hpp"
#include "gpu/seed_coupling.hpp"
#include "gpu/sha256.hpp"
#include "gpu/surgery.hpp"
#include "gpu/task_loss.hpp"
#include "gpu/weights_hash.hpp"
#include "messages/logical_config.hpp"

namespace esper {

namespace {

/// Each use of the global stream begins at a place of its own, whatever ran before in the process.
void seed_global_stream(std::uint64_t seed, std::string_view component) {
  torch::manual_seed(RandomStream(seed, component).next());
}

std::unique_ptr<HostModel> seeded_host(const RunConfig& config,
                                       const std::vector<std::uint32_t>& widths) {
  seed_global_stream(config.seed, "host");
  return make_host(config.model.host, config.model.size, widths, config.training.dropout,
                   config.model.regions);
}

std::string config_hash(const RunConfig& config) {
  Sha256 digest;
  const std::string text = logical_config(config);
  digest.add(text.data(), text.size());
  return digest.finish();
}

}  // namespace

Trainer::Trainer(const TrainingRequest& request)
    : config_(request.config),
      arm_(request.arm),
      checkpoints_(request.checkpoints),
      mode_(request.arm == "grown" ? request.config.mode : Mode::off),
      data_(make_training_data(config_)),
      host_(seeded_host(config_, request.widths)),
      disturbances_(config_.training.disturbances, *host_, config_.seed,
                    classes_of(config_.model.host)),
      blueprints_(built_in_blueprints()),
      curve_(config_.time.window_steps) {
  blueprints_.insert(blueprints_.end(), config_.blueprints.add.begin(),
                     config_.blueprints.add.end());
  plant(request.planted);
  if (mode_ != Mode::off)
    exchange_ = std::make_unique<TurnExchange>(
        static_cast<std::uint32_t>(host_->description().regions.size()));
  steps_ = config_.training.epochs * data_->batches_per_epoch();
  if (config_.training.steps_max > 0)
    steps_ = std::min<std::uint64_t>(steps_, config_.training.steps_max);
  if (!request.resume_from.empty()) read_cut(request.resume_from);
}

/// The host is left as it was launched, for whoever asks about it before `run`.
void Trainer::read_cut(const std::string& file) {
  if (!exchange_) throw std::runtime_error(file + " cannot be gone on from in mode off");
  auto read = read_checkpoint(file);
  if (!read.content) throw std::runtime_error(read.problem);
  cut_ = std::move(read.content);
  try {
    refuse_other_run(cut_->manifest,
                     {.seed = config_.seed,
                      .config_hash = config_hash(config_),
                      .threads = config_.training.threads},
                     host_->description());
    exchange_->remember(cut_->manifest.exchange);
  } catch (const std::runtime_error& problem) {
    throw std::runtime_error(file + " " + problem.what());
  }
}

std::optional<CheckpointPlace> Trainer::resumed() const {
  return cut_ ? std::optional{cut_->manifest.place} : std::nullopt;
}

void Trainer::plant(const std::vector<PlantedSeed>& seeds) {
  const auto& slots = host_->description().slots;
  const SeedBed bed(*host_);
  for (const PlantedSeed& planted : seeds) {
    const auto design =
        std::find_if(blueprints_.begin(), blueprints_.end(),
                     [&](const Blueprint& known) { return known.name == planted.blueprint; });
    if (design == blueprints_.end())
      throw std::runtime_error("there is no blueprint \"" + planted.blueprint + "\" to plant");
    const auto group = bed.group_of(planted.slot);
    std::vector<SlotDescription> places;
    const std::uint32_t channels = slots.at(planted.slot.value).channels;
    for (const SlotId slot : group) {
      places.push_back(slots.at(slot.value));
      places.back().channels = std::max(channels, planted.born_channels);
    }
    const auto seed =
        std::make_shared<Seed>(SeedId{planted_.size() + 1}, *design, group, places, config_.seed);
    if (seed->born_channels > channels) narrow(*seed, channels);
    seed->alpha = planted.alpha;
    for (std::size_t member = 0; member < group.size(); ++member) {
      host_->slot(group[member].value).plant(seed, member);
      host_->slot(group[member].value).set_mode(SlotMode::fossilised);
    }
    host_->adopt(*seed);
    planted_.push_back(seed);
  }
}

Catalogue Trainer::assess(const std::vector<Blueprint>& blueprints) {
  at::set_num_threads(static_cast<int>(config_.training.threads));
  blueprints_ = blueprints;
  Catalogue catalogue;
  catalogue.blueprints = blueprints;
  const auto& description = host_->description();
  for (const auto& blueprint : blueprints)
    for (std::uint32_t slot = 0; slot < description.slots.size(); ++slot) {
      const auto& place = description.slots[slot];
      if (!fits(blueprint, place)) continue;
      catalogue.sheets.push_back(assay(blueprint, {slot}, place,
                                       description.regions.at(place.region.value).parameters,
                                       config_.seed));
    }
  return catalogue;
}

SessionData Trainer::session_data() {
  SessionData data;
  data.step_batch = [this] { return batch_; };
  data.gate_batch = [this](std::uint32_t samples) {
    return data_->gate(std::min<std::size_t>(samples, data_->gate_size()));
  };
  data.loss = cross_entropy;
  data.learning_rate_ratio = [this] {
    return learning_rate_ratio(config_.training, step(), steps_);
  };
  data.position = [this] {
    const auto position = data_->position();
    return std::vector<std::uint64_t>{position.epoch, position.batch};
  };
  data.set_position = [this](const std::vector<std::uint64_t>& position) {
    data_->set_position({.epoch = position.at(0), .batch = position.at(1)});
    disturbances_.rewind();
  };
  data.memory = [this] {
    auto words = disturbances_.memory();
    words.push_back(std::bit_cast<std::uint64_t>(loss_));
    return words;
  };
  data.set_memory = [this](std::vector<std::uint64_t> words) {
    loss_ = std::bit_cast<double>(words.back());
    words.pop_back();
    disturbances_.remember(words);
  };
  data.batch_samples = config_.training.batch;
  data.score = [](const at::Tensor& logits, const at::Tensor& labels) {
    return correct(logits, labels).to(at::kFloat).mean().item<double>();
  };
  data.make_host = [this] {
    return make_host(config_.model.host, config_.model.size, {}, config_.training.dropout,
                     config_.model.regions);
  };
  return data;
}

std::uint64_t Trainer::step() const { return session_ ? session_->step().value : own_steps_; }

void Trainer::clip() {
  if (config_.training.clip_norm <= 0) return;
  double squares = 0;
  for (const auto& group : optimizer_->param_groups())
    for (const auto& parameter : group.params())
      if (parameter.grad().defined()) squares += sum_of_squares(parameter.grad());
  const double norm = std::sqrt(squares);
  if (norm <= config_.training.clip_norm) return;
  const torch::NoGradGuard no_graph;
  for (const auto& group : optimizer_->param_groups())
    for (const auto& parameter : group.params())
      if (parameter.grad().defined())
        parameter.grad().mul_(config_.training.clip_norm / (norm + 1e-6));
}

void Trainer::train_step() {
  const double rate = config_.training.learning_rate *
                      learning_rate_ratio(config_.training, step(), steps_) *
                      disturbances_.learning_rate_factor(step());
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(rate);
  batch_ = data_->next();
  batch_.targets = disturbances_.labels(step(), batch_.targets);
  disturbances_.begin_step(step());
  if (session_) session_->start_step();
  optimizer_->zero_grad();
  const auto loss = cross_entropy(host_->forward(batch_.inputs), batch_.targets);
  loss.backward();
  loss_ = loss.item<double>();
  curve_.add(loss_);
  const bool proceed = !session_ || session_->after_backward(loss).proceed();
  if (proceed) {
    clip();
    optimizer_->step();
    ++own_steps_;
  }
  if (session_) session_->end_step();
}

TrainingEnd Trainer::run(const std::atomic<bool>& stop,
                         const std::function<void(const TrainingProgress&)>& tell) {
  constexpr std::uint64_t tell_every = 10;
  at::set_num_threads(static_cast<int>(config_.training.threads));
  seed_global_stream(config_.seed, "training");
  optimizer_ = std::make_unique<torch::optim::AdamW>(
      host_->module().parameters(), torch::optim::AdamWOptions(config_.training.learning_rate)
                                        .weight_decay(config_.training.weight_decay));
  if (exchange_) {
    SessionSettings settings = session_settings(config_, blueprints_);
    settings.checkpoints_folder = checkpoints_;
    settings.config_hash = config_hash(config_);
    session_ = std::make_unique<Session>(*host_, *optimizer_, std::move(settings), session_data(),
                                         *exchange_, &stop);
    if (cut_) {
      session_->resume(*cut_);
      cut_->tensors.clear();  // `resumed` is still to be answered, for which the place is enough
    }
  }
  host_->module().train();
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t tick = 1; step() < steps_ && !stop.load(); ++tick) {
    train_step();
    if (tell && tick % tell_every == 0) tell({.step = {step()}, .steps = {steps_}, .loss = loss_});
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  if (tell) tell({.step = {step()}, .steps = {steps_}, .loss = loss_});
  TrainingEnd end;
  end.interrupted = step() < steps_;
  end.model = report_model();
  end.model.wall_seconds = wall.count();
  end.window_losses = curve_.means();
  if (session_) {
    end.last_window = session_->last_window();
    end.stalled = session_->stalled();
    end.late_turns = session_->late_turns();
    end.seeds = session_->bed().status();
    end.widths = widths_of(host_->description());
    end.cut = session_->cut();
    for (const auto& live : session_->bed().seeds())
      if (live->fossilised())
        end.planted.push_back({live->seed->blueprint.name, live->slot(), live->seed->alpha,
                               live->seed->born_channels});
  }
  return end;
}

std::vector<torch::nn::Module*> Trainer::modules() const {
  std::vector<torch::nn::Module*> all{&host_->module()};
  if (session_)
    for (const auto& live : session_->bed().seeds())
      if (!live->fossilised())
        for (auto* module : live->seed->module_pointers()) all.push_back(module);
  return all;
}

std::pair<double, double> Trainer::evaluate(const Batch& samples) {
  const std::int64_t at_once = data_->evaluated_at_once();
  const EvaluationScope still(modules());
  const torch::NoGradGuard no_graph;
  const std::int64_t count = samples.targets.size(0);
  double right = 0, loss = 0;
  for (std::int64_t begin = 0; begin < count; begin += at_once) {
    const auto end = std::min(begin + at_once, count);
    const auto labels = samples.targets.slice(0, begin, end);
    const auto logits = host_->forward(samples.inputs.slice(0, begin, end));
    right += correct(logits, labels).sum().item<double>();
    loss += cross_entropy(logits, labels).item<double>() * static_cast<double>(end - begin);
  }
  if (count == 0) return {0, 0};
  return {right / static_cast<double>(samples.targets.numel()), loss / static_cast<double>(count)};
}

TrainedModel Trainer::report_model() {
  TrainedModel model;
  model.arm = arm_;
  const auto& description = host_->description();
  model.parameters = description.parameters;
  model.operations = description.operations;
  for (const auto& seed : planted_) {
    model.parameters += seed->parameter_count();
    for (std::size_t member = 0; member < seed->slots.size(); ++member)
      model.operations += seed_operations(seed->blueprint, *seed->modules[member],
                                          description.slots.at(seed->slots[member].value));
  }
  std::vector<torch::nn::Module*> in_path;
  if (session_) {
    model.training_operations = session_->operations();
    // A seed that the run's end found on its ramp is part of the model that is measured.
    for (const auto& live : session_->bed().seeds()) {
      if (!live->fossilised() && !live->touches_host()) continue;
      model.parameters += live->seed->parameter_count();
      model.operations += live->operations;
      if (!live->fossilised())
        for (auto* module : live->seed->module_pointers()) in_path.push_back(module);
    }
  } else {
    model.training_operations.training = 3 * own_steps_ * config_.training.batch * model.operations;
  }
  model.steps = step();
  model.weights_hash = weights_hash(host_->module(), in_path);
  model.gate_loss = evaluate(data_->gate(data_->gate_size())).second;
  std::tie(model.test_accuracy, model.test_loss) = evaluate(data_->read_test_split());
  if (config_.model.host == "byte_transformer")
    model.test_bits_per_byte = model.test_loss / std::log(2.0);
  for (Slot& slot : host_->slots()) slot.forget();
  return model;
}

std::string Trainer::write_model(const std::string& file, const std::string& structure) {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const auto& named) {
    for (const auto& one : named)
      if (one.value().numel() > 0)  // of a layer that has left nothing is to be loaded
        tensors.push_back({one.key(), one.value().detach().to(at::kCPU).contiguous()});
  };
  add(host_->module().named_parameters());
  add(host_->module().named_buffers());
  // "pt" is what readers of PyTorch's states look for.
  return put_file(file, lay_out({{"format", "pt"}, {"structure", structure}}, tensors));
}

double Trainer::time_forward(std::size_t samples) {
  at::set_num_threads(static_cast<int>(config_.training.threads));
  const auto inputs = data_->gate(std::min(samples, data_->gate_size())).inputs;
  const EvaluationScope still(modules());
  const torch::NoGradGuard no_graph;
  const auto began = std::chrono::steady_clock::now();
  const auto logits = host_->forward(inputs);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  for (Slot& slot : host_->slots()) slot.forget();
  return taken.count();
}

}  // namespace esper
