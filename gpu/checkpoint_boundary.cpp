#include "gpu/checkpoint_boundary.hpp"

#include "actors/decisions/cycles.hpp"
#include "actors/decisions/number.hpp"
#include "gpu/coupling_probe.hpp"
#include "gpu/isolation.hpp"
#include "gpu/norm_refresh.hpp"
#include "gpu/seed_training.hpp"
#include "gpu/surgery.hpp"
#include "messages/failpoint.hpp"

namespace esper {

namespace {

constexpr std::int64_t probe_samples = 8;

std::string times(double before, double after) {
  return std::to_string(before) + " before, " + std::to_string(after) + " after";
}

}  // namespace

CheckpointBoundary::CheckpointBoundary(HostModel& host, torch::optim::Optimizer& optimizer,
                                       const SessionSettings& settings, const SessionData& data,
                                       StepBoundary& boundary)
    : host_(host), optimizer_(optimizer), settings_(settings), data_(data), boundary_(boundary) {
  if (!settings.checkpoints_folder.empty() && settings.checkpoints.keep > 0)
    writer_ =
        std::make_unique<CheckpointWriter>(settings.checkpoints_folder, settings.checkpoints.keep);
}

void CheckpointBoundary::take(const TurnRelease& turn) {
  memory_.zone_version = std::max(memory_.zone_version, turn.zone_version);
  memory_.journal_sequence = turn.journal_sequence;
  memory_.journal_head = turn.journal_head;
  if (turn.surgery) orders_.push_back(*turn.surgery);
}

std::uint64_t CheckpointBoundary::close(Window window, WindowReport& report) {
  operations_ = 0;
  for (const SurgeryOrder& order : std::exchange(orders_, {}))
    report.surgeries.push_back(carry_out(order, window));
  const std::uint64_t checkpoint =
      checkpoint_at(window, settings_.time.cycle_windows, settings_.time.checkpoint_cycles);
  if (checkpoint == 0) return operations_;
  const GateScore now = score();
  CheckpointReady& ready = report.checkpoint.emplace();
  ready.checkpoint = checkpoint;
  ready.window = window;
  ready.structure_version = boundary_.history().structure;
  ready.gate_loss = now.loss;
  ready.gate_accuracy = now.accuracy;
  ready.measurable =
      settings_.compaction.enabled && data_.make_host != nullptr && take_copy(checkpoint);
  return operations_;
}

CheckpointMemory CheckpointBoundary::memory() const {
  const std::lock_guard lock(coupling_mutex_);
  return memory_;
}

void CheckpointBoundary::remember(const CheckpointMemory& memory, const CheckpointReady& ready) {
  {
    const std::lock_guard lock(coupling_mutex_);
    memory_ = memory;
  }
  checks_itself_ = true;
  if (ready.measurable && !take_copy(ready.checkpoint))
    throw InvariantViolation("a measurement began before its checkpoint was there");
}

void CheckpointBoundary::stand(const CheckpointMemory& memory) {
  const std::lock_guard lock(coupling_mutex_);
  memory_ = memory;
}

void CheckpointBoundary::tell(DeviceTelemetry& device) const {
  if (!writer_) return;
  device.checkpoint_written = writer_->written();
  device.checkpoint_failures = writer_->failures();
}

GateScore CheckpointBoundary::score() {
  const Batch batch = data_.gate_batch(settings_.time.verdict_samples);
  const EvaluationScope still(all_modules(host_, boundary_.bed()));
  const torch::NoGradGuard no_graph;
  const GateScore found = gate_score(host_, data_, batch);
  for (Slot& slot : host_.slots()) slot.forget();
  operations_ += static_cast<std::uint64_t>(batch.inputs.size(0)) *
                 (host_.description().operations + boundary_.bed().fossilised_operations());
  return found;
}

CheckpointBoundary::Refused CheckpointBoundary::admit(const SurgeryOrder& order, Window window) {
  if (settings_.mode != Mode::act) return {SurgeryRefusal::observe_only, "mode: observe"};
  const bool closes =
      checkpoint_at(window, settings_.time.cycle_windows, settings_.time.checkpoint_cycles) > 0;
  const SurgeryAdmission admission =
      esper::admit(order, window,
                   {.zone_version = memory_.zone_version,
                    .newest_plan = memory_.newest_plan,
                    .structure_version = boundary_.history().structure,
                    .newest_epoch = memory_.newest_epoch,
                    .checkpoint = closes});
  if (admission.refusal != SurgeryRefusal::none) return {admission.refusal, admission.detail};
  return coupling();
}

/// The description is checked by Elesh before it measures; what was never checked is not cut.
CheckpointBoundary::Refused CheckpointBoundary::coupling() {
  // Before a run ended Elesh may have checked, for an order that the journal holds, what it has not
  // reached again after a resume.
  if (checks_itself_) {
    const std::lock_guard lock(copy_mutex_);
    if (copy_) (void)look_at_coupling();
  }
  const std::lock_guard lock(coupling_mutex_);
  if (!memory_.coupling_checked)
    return {SurgeryRefusal::wrong_coupling, "the host's coupled groups were not checked"};
  if (!memory_.coupling_fault.empty())
    return {SurgeryRefusal::wrong_coupling, memory_.coupling_fault};
  return {};
}

/// Once for a whole run; the copy is there and nobody else's.
std::string CheckpointBoundary::look_at_coupling() {
  const std::lock_guard lock(coupling_mutex_);
  if (!memory_.coupling_checked) {
    const auto found = coupling_fault(
        copy_->host(), batches_.front().inputs.slice(0, 0, probe_samples), settings_.seed);
    memory_.coupling_fault = found.value_or("");
    memory_.coupling_checked = true;
  }
  return memory_.coupling_fault;
}

SurgeryOutcome CheckpointBoundary::carry_out(const SurgeryOrder& order, Window window) {
  SurgeryOutcome outcome;
  outcome.plan = order.plan.id;
  const auto count = [&](std::uint64_t& parameters, std::uint64_t& operations) {
    parameters = host_.description().parameters + boundary_.bed().parameters();
    operations = host_.description().operations + boundary_.bed().operations();
  };
  count(outcome.parameters_before, outcome.operations_before);
  Refused refused = admit(order, window);
  memory_.newest_epoch = std::max(memory_.newest_epoch, order.epoch);
  if (refused.refusal == SurgeryRefusal::none) {
    memory_.newest_plan = order.plan.id;
    const Structure structure(host_, boundary_.bed());
    try {
      refused = operate(order.plan, structure, outcome);
    } catch (const std::exception& failure) {
      undo(structure);
      refused = {SurgeryRefusal::fault, failure.what()};
    }
    before_.drop();
  }
  outcome.refusal = refused.refusal;
  outcome.detail = std::move(refused.detail);
  outcome.structure_version = boundary_.history().structure;
  count(outcome.parameters_after, outcome.operations_after);
  return outcome;
}

void CheckpointBoundary::undo(const Structure& structure) {
  if (!before_.taken()) return;
  before_.restore();
  structure.restore(host_, boundary_.bed());
}

CheckpointBoundary::Refused CheckpointBoundary::operate(const PruningPlan& plan,
                                                        const Structure& structure,
                                                        SurgeryOutcome& outcome) {
  SeedBed& bed = boundary_.bed();
  const GateScore before = score();
  outcome.loss_before = before.loss;
  outcome.accuracy_before = before.accuracy;
  const std::uint64_t operations = host_.description().operations;
  before_.take(tensors_of(host_.module()), {&optimizer_}, {});
  CutAnswer answer = cut(host_, bed, optimizer_, plan.cuts, plan.layers);
  if (answer.refusal != SurgeryRefusal::none) return {answer.refusal, std::move(answer.detail)};
  pass(Failpoint::surgery);
  {
    const EvaluationScope still(all_modules(host_, bed));
    // What all replicas see, so that all come to the same verdict.
    refresh_norms(host_, data_.whole_batch ? data_.whole_batch() : data_.step_batch());
  }
  const GateScore after = score();
  outcome.loss_after = after.loss;
  outcome.accuracy_after = after.accuracy;
  const char* harm = nullptr;
  if (!finite(after.loss))
    harm = "the loss is not finite";
  else if (before.accuracy - after.accuracy > settings_.compaction.accuracy_drop_max)
    harm = "accuracy fell";
  else if (host_.description().operations >= operations)
    harm = "it saves no operations";
  if (harm != nullptr) {
    undo(structure);
    return {SurgeryRefusal::harmful,
            std::string{harm} + ": " + times(before.accuracy, after.accuracy)};
  }
  outcome.cuts = plan.cuts;
  outcome.layers = plan.layers;
  ++boundary_.history().structure;
  cut_ = memory_.ever_cut = true;
  return {};
}

/// Without waiting: where Elesh still measures an older copy, this checkpoint has none.
bool CheckpointBoundary::take_copy(std::uint64_t checkpoint) {
  const std::unique_lock lock(copy_mutex_, std::try_to_lock);
  if (!lock) return false;
  if (!copy_) copy_ = std::make_unique<ModelCopy>(data_.make_host, settings_.builder);
  copy_->take(host_, boundary_.bed());
  if (batches_.empty()) {
    const Batch gate = data_.gate_batch(settings_.compaction.importance_samples);
    const std::int64_t count = gate.inputs.size(0);
    const std::int64_t at_once = data_.batch_samples > 0 ? data_.batch_samples : count;
    for (std::int64_t begin = 0; begin < count; begin += at_once) {
      const std::int64_t end = std::min(begin + at_once, count);
      batches_.push_back({gate.inputs.slice(0, begin, end), gate.targets.slice(0, begin, end)});
    }
  }
  copied_ = checkpoint;
  copied_structure_ = boundary_.history().structure;
  return true;
}

std::optional<ImportanceReport> CheckpointBoundary::measure(std::uint64_t checkpoint,
                                                            const std::atomic<bool>& ended) {
  const std::lock_guard lock(copy_mutex_);
  if (!copy_ || copied_ != checkpoint) return std::nullopt;
  const std::string fault = look_at_coupling();
  ImportanceReport report;
  if (fault.empty())
    report = esper::measure(*copy_, batches_, data_.loss, ended);
  else
    report.problem = fault;
  report.checkpoint = checkpoint;
  report.structure_version = copied_structure_;
  report.host = copy_->host().description();
  return report;
}

}  // namespace esper
