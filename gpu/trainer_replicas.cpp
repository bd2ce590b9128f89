// Our loop as one of several replicas: how they find each other, lose one, and let one in.
#include <filesystem>
#include <fstream>

#include "actors/decisions/node_role.hpp"
#include "gpu/put_file.hpp"
#include "gpu/rebuilding.hpp"
#include "gpu/state_text.hpp"
#include "gpu/trainer.hpp"

namespace esper {

namespace {

using std::chrono::milliseconds;

/// Ranks follow the config's order, but for the prime's, which is the first, and the standby's.
GroupPlace group_place(const RunConfig& config, const ReplicaPlace& replica) {
  GroupPlace place;
  place.node = replica.node;
  for (const NodeConfig& node : trainers_of(config)) {
    place.nodes.push_back(node.name);
    if (node.name == replica.node) place.address = node.address;
  }
  for (const NodeConfig& node : witnesses_of(config)) place.witnesses.push_back(node.name);
  if (std::find(place.nodes.begin(), place.nodes.end(), replica.node) == place.nodes.end())
    throw std::runtime_error("nodes: " + replica.node + " is no trainer of this config");
  place.stores = replica.stores;
  place.store_port = replica.store_port;
  place.leads = replica.leads;
  place.run = replica.run;
  place.ask_witnesses = replica.ask_witnesses;
  place.quorum = config.cluster.quorum;
  const TimeoutConfig& timeouts = config.cluster.timeouts;
  place.collective = milliseconds{timeouts.collective_ms};
  place.settle = milliseconds{timeouts.confirmation_ms};
  place.ready = milliseconds{timeouts.ready_ms};
  return place;
}

/// Beside the checkpoints: of which launch the group is that this process brings together, so that
/// it knows those who train on when it is started again before the first checkpoint.
class LaunchMark {
 public:
  /// folder  of the run's checkpoints; "": nothing is kept
  explicit LaunchMark(const std::string& folder)
      : file_(folder.empty() ? std::filesystem::path{} : std::filesystem::path{folder} / "launch") {
  }

  [[nodiscard]] bool is(std::uint64_t run) const {
    std::uint64_t kept = 0;
    return std::ifstream(file_) >> kept && kept == run;
  }
  /// Not kept: a start before the first checkpoint is refused then, as long as others train.
  void keep(std::uint64_t run) const {
    if (file_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(file_.parent_path(), ignored);
    const auto part = std::filesystem::path{file_}.concat(part_suffix);
    if (std::ofstream(part) << run << std::flush) std::filesystem::rename(part, file_, ignored);
  }

 private:
  std::filesystem::path file_;
};

}  // namespace

void Trainer::come_together() {
  auto group = std::make_unique<ReplicaGroup>(group_place(config_, *place_));
  if (place_->leads) {
    const LaunchMark mark(checkpoints_);
    const auto& others = group->found();
    if (others && !cut_ && !mark.is(others->run))
      throw std::runtime_error("other trainers of another launch go on without " + place_->node +
                               ", which has no checkpoint of theirs: end them first");
    mark.keep(others ? others->run : place_->run);
  }
  {
    const std::lock_guard lock(group_lock_);
    group_ = std::move(group);
  }
  if (exchange_ && !place_->leads) exchange_->leave_unattended();
  Progress from;
  if (cut_) from.step = 2 * cut_->manifest.session.tick.value;
  Formed formed = group_->formed_already() ? group_->join(stop_) : group_->form(from);
  source_ = formed.source;
  const ReplicaShape shape{
      .regions = static_cast<std::uint32_t>(host_->description().regions.size()),
      .batch = config_.training.batch,
      .seed = config_.seed};
  const std::lock_guard lock(group_lock_);
  replicas_ = std::make_unique<Replicas>(std::move(formed.collective), shape);
}

void Trainer::lose(const std::string& node) {
  const std::lock_guard lock(group_lock_);
  if (!group_ || group_->is_lost(node)) return;
  group_->lost(node);
  if (replicas_ && group_->has(node)) replicas_->abort();
}

bool Trainer::ended(const std::atomic<bool>& stop) const {
  return replicas_ ? replicas_->stopping() : stop.load();
}

/// Twice the ticks that are done; one less while the window's boundary behind the last is not.
Progress Trainer::progress() {
  const std::uint64_t ticks = session_ ? session_->tick().value : bare_ticks_;
  const DataPosition at = data_->position();
  return {.epoch = 0,
          .step = 2 * ticks - (session_ && session_->at_boundary() ? 1 : 0),
          .position = at.epoch * data_->batches_per_epoch() + at.batch};
}

CheckpointContent Trainer::standing() {
  if (session_) return session_->standing();
  const SeedBed none(*host_);
  const SurvivingHistory history{
      .step = {own_steps_}, .reflex = Reflex(config_.reflex), .structure = 0};
  CheckpointContent content =
      take_content(*host_, *optimizer_, bare_bed_ ? *bare_bed_ : none, session_data(), history);
  content.manifest.session.tick = {bare_ticks_};
  return content;
}

void Trainer::stand_as(const CheckpointContent& content) {
  const bool at_boundary = group_->group().step % 2 == 1;
  if (session_) return session_->stand_as(content, at_boundary);
  if (!bare_bed_) bare_bed_ = std::make_unique<SeedBed>(*host_);
  SurvivingHistory history{.step = {}, .reflex = Reflex(config_.reflex), .structure = 0};
  clear(*host_, *optimizer_, *bare_bed_, content.manifest.groups);
  rebuild(content, *host_, *optimizer_, *bare_bed_, session_data(),
          session_settings(config_, blueprints_), history);
  own_steps_ = history.step.value;
  bare_ticks_ = content.manifest.session.tick.value;
}

/// Whoever is not where the furthest is, is put there; then the group goes on together.
void Trainer::share_state() {
  const bool behind = group_->behind(progress());
  if (replicas_->count(behind) > 0) {
    const std::string text = replicas_->from_leader(
        replicas_->rank() == source_ ? text_of(standing()) : std::string{}, source_);
    if (behind) stand_as(content_of(text));
  }
  group_->took_state();
  if (session_) session_->finish_boundary();
}

void Trainer::say(const std::string& sentence) const {
  if (tell_) tell_(sentence);
}

void Trainer::regroup() {
  if (session_) session_->undo_step();
  if (std::exchange(bare_step_, false)) bare_undo_.restore(session_data());
  for (Slot& slot : host_->slots()) slot.forget();
  bool left_out = false, told = false;
  while (true) try {
      if (exchange_) group_->set_attended(exchange_->attended());
      Formed formed = left_out ? group_->join(stop_) : group_->reform(progress());
      source_ = formed.source;
      replicas_->regroup(std::move(formed.collective));
      share_state();
      const auto world = replicas_->world();
      say((world == 1 ? "one replica goes on alone"
                      : std::to_string(world) + " replicas go on together") +
          (told ? ", and " + place_->node + " is one of them again" : ""));
      return;
    } catch (const CollectiveFailed& failure) {
      say(failure.what());
    } catch (const LeftOut& why) {
      if (stop_->load() || group_->is_lost(place_->node)) throw;
      if (!std::exchange(told, true))
        say(std::string{why.what()} + ": the replica of " + place_->node +
            " stands still until it is let in again");
      // By turns: others may have gone on, or stand still as this one does.
      left_out = !left_out;
    }
}

void Trainer::step_together() {
  try {
    if (!session_) bare_undo_.take(*host_, bare_bed_.get(), session_data());
    train_step();
    if (!replicas_->regroup_due()) return;
  } catch (const CollectiveFailed& failure) {
    say(failure.what());
  }
  regroup();
}

/// Its share of the batch; without a session it also does what one does as a step begins.
void Trainer::begin_together() {
  const auto [begin, end] = replicas_->own_rows();
  batch_ = {whole_.inputs.slice(0, begin, end), whole_.targets.slice(0, begin, end)};
  if (replicas_->leads() && !replicas_->regroup_asked() && group_->joiner_waits())
    replicas_->ask_to_regroup();
  if (session_) return;
  bare_step_ = true;
  if (bare_ticks_ % config_.time.window_steps == 0)
    replicas_->average_buffers(host_->module().buffers(), {});
  replicas_->seed_streams({bare_ticks_ + 1}, bare_bed_.get());
}

void Trainer::average_bare() {
  const auto samples = static_cast<std::uint64_t>(batch_.inputs.size(0));
  const CommonStep common = replicas_->average_step(
      host_->module().parameters(), {.samples = samples,
                                     .loss = loss_,
                                     .not_finite = !std::isfinite(loss_),
                                     .stop = stop_->load(),
                                     .orders = replicas_->leads() && replicas_->regroup_asked()});
  loss_ = common.loss;
  if (common.orders) replicas_->make_regroup_due();
  bare_step_ = false;
  ++bare_ticks_;
}

/// All end alike: statistics too, which are each one's own within a window.
void Trainer::finish_together() {
  while (true) try {
      std::vector<at::Tensor> buffers;
      for (auto* module : modules())
        for (const auto& buffer : module->buffers()) buffers.push_back(buffer);
      replicas_->average_buffers(buffers, {});
      if (session_) session_->settle();
      return replicas_->leave();
    } catch (const CollectiveFailed&) {
      regroup();
    }
}

}  // namespace esper
