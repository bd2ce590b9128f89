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
#include "gpu/schedule.hpp"
#include "gpu/seed_coupling.hpp"
#include "gpu/sha256.hpp"
#include "gpu/surgery.hpp"
#include "gpu/task_loss.hpp"
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
      curve_(config_.time.window_steps),
      place_(request.replica),
      tell_(request.tell) {
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
  auto read = read_checkpoint(file);
  if (!read.content) throw std::runtime_error(read.problem);
  cut_ = std::move(read.content);
  try {
    refuse_other_run(cut_->manifest,
                     {.seed = config_.seed,
                      .config_hash = hash_of(cut_->manifest),
                      .threads = config_.training.threads},
                     host_->description());
    if (exchange_) exchange_->remember(cut_->manifest.exchange);
  } catch (const std::runtime_error& problem) {
    throw std::runtime_error(file + " " + problem.what());
  }
}

/// A bare loop may go on from a checkpoint that was written in any mode, if nothing else differs.
std::string Trainer::hash_of(const CheckpointManifest& cut) const {
  RunConfig config = config_;
  if (!exchange_)
    for (const Mode mode : {Mode::observe, Mode::act}) {
      config.mode = mode;
      if (const auto hash = config_hash(config); hash == cut.config_hash) return hash;
    }
  return config_hash(config_);
}

/// Host, optimizer, streams and data as the cut has them, without the seeds that are no part of the
/// host: as if they stood at alpha 0.
void Trainer::go_on_bare() {
  SurvivingHistory history{.step = {}, .reflex = Reflex(config_.reflex), .structure = 0};
  bare_bed_ = std::make_unique<SeedBed>(*host_);
  try {
    rebuild(*cut_, *host_, *optimizer_, *bare_bed_, session_data(),
            session_settings(config_, blueprints_), history);
  } catch (const std::runtime_error& problem) {
    throw std::runtime_error(cut_->file + " " + problem.what());
  }
  std::vector<SeedId> guests;
  for (const auto& live : bare_bed_->seeds())
    if (!live->fossilised()) guests.push_back(live->seed->id);
  for (const SeedId guest : guests) bare_bed_->remove(guest);
  own_steps_ = history.step.value;
  operations_before_ = cut_->manifest.session.operations;
}

SeedBed* Trainer::bed() { return session_ ? &session_->bed() : bare_bed_.get(); }

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
  data.whole_batch = [this] { return whole_; };
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
  whole_ = batch_;
  if (replicas_) begin_together();
  disturbances_.begin_step(step());
  if (session_) session_->start_step();
  optimizer_->zero_grad();
  const auto loss = cross_entropy(host_->forward(batch_.inputs), batch_.targets);
  loss.backward();
  loss_ = loss.item<double>();
  if (replicas_ && !session_) average_bare();
  const bool proceed = !session_ || session_->after_backward(loss).proceed();
  if (replicas_ && session_) loss_ = session_->loss();
  curve_.add(loss_);
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
  stop_ = &stop;
  if (place_) come_together();
  optimizer_ = std::make_unique<torch::optim::AdamW>(
      host_->module().parameters(), torch::optim::AdamWOptions(config_.training.learning_rate)
                                        .weight_decay(config_.training.weight_decay));
  if (exchange_) {
    SessionSettings settings = session_settings(config_, blueprints_);
    settings.checkpoints_folder = checkpoints_;
    settings.tell = tell_;
    settings.config_hash = config_hash(config_);
    session_ = std::make_unique<Session>(*host_, *optimizer_, std::move(settings), session_data(),
                                         *exchange_, &stop, replicas_.get());
    if (cut_) session_->resume(*cut_);
  } else if (cut_) {
    go_on_bare();
  }
  if (cut_) cut_->tensors.clear();  // `resumed` is still to be answered: the place is enough
  host_->module().train();
  if (replicas_) share_state();
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t tick = 1; step() < steps_ && !ended(stop); ++tick) {
    replicas_ ? step_together() : train_step();
    if (tell && tick % tell_every == 0) tell({.step = {step()}, .steps = {steps_}, .loss = loss_});
  }
  if (replicas_) finish_together();
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
    end.cut = session_->cut();
  } else if (cut_) {
    end.cut = cut_->manifest.checkpoints.ever_cut;
  }
  if (const SeedBed* standing = bed()) {
    end.seeds = standing->status();
    end.widths = widths_of(host_->description());
    for (const auto& live : standing->seeds())
      if (live->fossilised())
        end.planted.push_back({live->seed->blueprint.name, live->slot(), live->seed->alpha,
                               live->seed->born_channels});
  }
  return end;
}

}  // namespace esper
