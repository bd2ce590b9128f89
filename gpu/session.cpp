#include "gpu/session.hpp"

#include "actors/decisions/number.hpp"
#include "gpu/seed_training.hpp"
#include "gpu/weaning.hpp"
#include "gpu/window_statistics.hpp"
#include "messages/failpoint.hpp"

namespace esper {

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Without ATen's dispatch where the loss is an ordinary one.
double value_of(const at::Tensor& loss) {
  if (loss.is_cpu() && loss.scalar_type() == at::kFloat)
    return static_cast<double>(*loss.const_data_ptr<float>());
  return loss.item<double>();
}

}  // namespace

Session::Session(HostModel& host, torch::optim::Optimizer& optimizer, SessionSettings settings,
                 SessionData data, TurnExchange& exchange, const std::atomic<bool>* stop,
                 Replicas* replicas)
    : host_(host),
      optimizer_(optimizer),
      settings_(std::move(settings)),
      data_(std::move(data)),
      exchange_(exchange),
      stop_(stop),
      boundary_(host_, optimizer_, settings_, data_, exchange_),
      checkpoint_(host_, optimizer_, settings_, data_, boundary_),
      telemetry_(host_, settings_.gates, settings_.time.window_steps),
      replicas_(replicas) {
  step_seconds_.reserve(settings_.time.window_steps);
  if (settings_.mode == Mode::off) return;
  if (replicas_ != nullptr) checkpoint_.check_coupling_itself();
  for (Slot& slot : host_.slots()) slot.set_observing(true);
  if (replicas_ != nullptr) keep_step();
  exchange_.set_measure([this](std::uint64_t checkpoint, const std::atomic<bool>& ended) {
    return checkpoint_.measure(checkpoint, ended);
  });
}

void Session::start_step() {
  if (settings_.mode == Mode::off) return;
  step_began_ = Clock::now();
  if (replicas_ != nullptr) begin_step_together();
  ++memory_.tick.value;
  ratio_ = data_.learning_rate_ratio();
  verdict_ = {};
  const auto region =
      replicas_ != nullptr ? std::exchange(poison_, std::nullopt) : exchange_.poison_asked();
  if (region && boundary_.poison(*region)) exchange_.poison_done(*region);
  for (const auto& live : bed().seeds())
    if (live->on_graph()) {
      live->set_alpha(take_step(live->ramp));
      if (live->ramp.step < live->ramp.ramp_steps) pass(Failpoint::ramp);
    }
  seeds_in_path_ = bed().any_touches_host();
  if (seeds_in_path_) keep_buffers();
  control_seconds_ += seconds_since(step_began_);
}

void Session::keep_buffers() {
  const torch::NoGradGuard no_graph;
  std::size_t used = 0;
  const auto keep = [&](const at::Tensor& live) {
    if (used == buffers_.size()) buffers_.emplace_back();
    auto& [place, value] = buffers_[used++];
    place = live;
    if (value.defined() && value.sizes() == live.sizes() && value.dtype() == live.dtype())
      value.copy_(live);
    else
      value = live.clone();
  };
  for (const auto& buffer : host_.module().buffers()) keep(buffer);
  for (const auto& live : bed().seeds())
    if (live->touches_host())
      for (const auto& buffer : live->seed->buffers()) keep(buffer);
  buffers_.resize(used);
}

void Session::restore_buffers() {
  const torch::NoGradGuard no_graph;
  for (auto& [live, value] : buffers_) live.copy_(value);
}

const char* Session::alarm(double loss) {
  const auto& escape = common_.escape;
  if (std::find(escape.begin(), escape.end(), true) != escape.end())
    return common_.output_not_finite ? "non_finite_output" : "non_finite_gradient";
  if (replicas_ == nullptr)
    if (const char* reason = own_alarm(); reason != nullptr) return reason;
  if (!telemetry_.gradients_finite() && finite(loss)) return "non_finite_gradient";
  switch (boundary_.history().reflex.judge(loss)) {
    case ReflexVerdict::non_finite_loss:
      return "non_finite_loss";
    case ReflexVerdict::loss_spike:
      return "loss_spike";
    case ReflexVerdict::calm:
      break;
  }
  return nullptr;
}

const char* Session::own_alarm() const {
  for (const auto& live : const_cast<Session*>(this)->bed().seeds()) {
    if (!live->touches_host()) continue;
    for (const Slot* slot : live->slots)
      if (slot->output().defined() && !finite(sum_of_squares(slot->output())))
        return "non_finite_output";
    if (!esper::gradients_finite(*live)) return "non_finite_gradient";
  }
  return nullptr;
}

StepVerdict Session::after_backward(const at::Tensor& loss) {
  if (settings_.mode == Mode::off) return {};
  call_began_ = Clock::now();
  loss_ = value_of(loss);
  if (replicas_ != nullptr) loss_ = meet(loss_);
  loss_finite_ = telemetry_.measure_gradients() && finite(loss_);
  const char* reason = seeds_in_path_ ? alarm(loss_) : nullptr;
  if (reason != nullptr) {
    skip_step(reason);
  } else {
    const bool last = memory_.tick.value % settings_.time.window_steps == 0;
    telemetry_.measure_activations(data_.step_batch().inputs, last);
    replicas_ != nullptr ? train_seeds_together() : train_seeds();
  }
  in_step_ = false;
  control_seconds_ += seconds_since(call_began_);
  return verdict_;
}

void Session::skip_step(const char* reason) {
  verdict_ = {StepAdvice::skip, reason};
  boundary_.escape_by_reflex(reason, exchange_.draft().outcomes);
  restore_buffers();
  // A loop that updates all the same is put back to this.
  before_skip_.take(tensors_of(host_.module()), {&optimizer_}, {});
  parameters_ = host_.module().parameters();
  versions_.clear();
  for (const auto& parameter : parameters_)
    versions_.push_back(static_cast<std::uint64_t>(parameter._version()));
}

void Session::undo_ignored_update() {
  bool moved = false;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    moved = moved || static_cast<std::uint64_t>(parameters_[i]._version()) != versions_[i];
  parameters_.clear();
  if (!moved) return;
  before_skip_.restore();
  memory_.verdict_ignored = true;
  exchange_.draft().verdict_ignored = !std::exchange(memory_.ignored_told, true);
}

void Session::end_step() {
  if (settings_.mode == Mode::off) return;
  call_began_ = Clock::now();
  const std::uint64_t samples = data_.batch_samples;
  operations_.training +=
      3 * samples * (host_.description().operations + bed().fossilised_operations());
  for (const auto& live : bed().seeds())
    if (live->touches_host()) operations_.seeds += 3 * samples * live->operations;
  if (verdict_.proceed()) {
    ++boundary_.history().step.value;
    telemetry_.accept(loss_);
    boundary_.history().reflex.accept(loss_);
  } else {
    undo_ignored_update();
    telemetry_.skip(!loss_finite_);
  }
  for (const auto& live : bed().seeds())  // a skipped step's gradients teach nobody
    if (live->on_graph())
      for (const auto& parameter : live->parameters) parameter.mutable_grad().reset();
  for (Slot& slot : host_.slots()) slot.forget();
  const bool boundary = memory_.tick.value % settings_.time.window_steps == 0;
  if (settings_.pace.mode == Pace::free || memory_.stalled) {
    if (replicas_ == nullptr) take_turns(memory_.window);
    if (!boundary) escape_now();
  }
  control_seconds_ += seconds_since(call_began_);
  if (step_seconds_.size() < settings_.time.window_steps)
    step_seconds_.push_back(seconds_since(step_began_));
  if (boundary) close_window();
  if (replicas_ != nullptr) keep_step();
}

void Session::train_seeds() {
  for (const auto& live : bed().seeds())
    if (live->touches_host()) task_step(*live, ratio_);
  const std::uint32_t every = std::max<std::uint32_t>(settings_.time.shadow_every_steps, 1);
  if (memory_.tick.value % every != 0 || executor_silent()) return;
  for (const auto& live : bed().seeds())
    if (live->lesson)
      operations_.weaning += live->lesson->teach(host_, bed(), *live, data_.step_batch());
  if (memory_.overhead.paused) return;
  for (const auto& live : bed().seeds())
    if (live->stage == Stage::train_isolated)
      operations_.shadow +=
          shadow_pass(host_, optimizer_, bed(), *live, data_.step_batch(), data_.loss, ratio_);
}

void Session::take_turns(Window newest) {
  while (pending_count_ < pending_.size() &&
         exchange_.poll(pending_[pending_count_].turn, newest)) {
    // Carried out when another replica led.
    if (pending_[pending_count_].turn.turn <= memory_.newest_turn) continue;
    memory_.newest_turn = pending_[pending_count_].turn.turn;
    pending_[pending_count_++].escapes_done = false;
  }
}

void Session::escape_now() {
  for (std::size_t i = 0; i < pending_count_; ++i) {
    if (pending_[i].escapes_done) continue;
    pending_[i].escapes_done = true;
    for (const auto& command : pending_[i].turn.commands)
      if (command.kind == CommandKind::escape)
        boundary_.apply(command, memory_.window + 1, memory_.overhead.paused,
                        exchange_.draft().outcomes);
  }
}

void Session::apply_turns() {
  auto& draft = exchange_.draft();
  for (std::size_t i = 0; i < pending_count_; ++i) {
    auto& [turn, escapes_done] = pending_[i];
    checkpoint_.take(turn);
    for (const auto& command : turn.commands)
      if (!escapes_done || command.kind != CommandKind::escape)
        boundary_.apply(command, memory_.window, memory_.overhead.paused, draft.outcomes);
    const bool late = turn.turn + 1 != memory_.window;
    memory_.late_turns += late ? 1 : 0;
    draft.applied.push_back({.turn = turn.turn, .boundary = memory_.window, .late = late});
  }
  pending_count_ = 0;
}

void Session::watch_executor() {
  if (!executor_silent()) return;
  boundary_.escape_by_reflex("executor_silent", exchange_.draft().outcomes);
  for (const auto& live : bed().seeds()) live->gate = {};
}

/// False: stopped while it waited. What this boundary would be without its turn must not be told,
/// since a run that goes on from here has the turn.
bool Session::await_turns() {
  const bool lockstep = settings_.pace.mode == Pace::lockstep && !memory_.stalled;
  if (!lockstep && !exchange_.catching_up(memory_.window)) return true;
  const std::chrono::milliseconds patience{settings_.pace.stall_ms_max};
  const Window due{memory_.window.value - 1};
  const bool stopping = stop_ != nullptr && stop_->load();
  if (!exchange_.await_turn(due, patience, stop_) && exchange_.control_alive() && !stopping &&
      (stop_ == nullptr || !stop_->load()))
    exchange_.draft().stalled = memory_.stalled = true;  // it never waits again
  take_turns(due);
  return !(lockstep && stop_ != nullptr && stop_->load() && memory_.newest_turn < due);
}

void Session::close_window() {
  ++memory_.window.value;
  try {
    if (replicas_ != nullptr ? meet_at_boundary() : await_turns()) return apply_boundary();
  } catch (const CollectiveFailed&) {
    --memory_.window.value;
    throw;
  }
  --memory_.window.value;
}

void Session::apply_boundary() {
  call_began_ = Clock::now();
  if (turns_agreed_) apply_turns();
  if (settings_.mode == Mode::act) {
    watch_executor();
    operations_.gate += boundary_.take_gate_operations();
    if (!bed().seeds().empty() && !executor_silent())
      operations_.gate += gate_passes(host_, bed(), data_, settings_.time, settings_.gates,
                                      memory_.overhead.paused);
    for (Slot& slot : host_.slots()) slot.forget();
  }
  auto& draft = exchange_.draft();
  operations_.gate += checkpoint_.close(memory_.window, draft);
  const bool cut = checkpoint_.take_cut();
  draft.window = memory_.window;
  draft.tick = memory_.tick;
  draft.step = boundary_.history().step;
  draft.operations = operations_;
  // Time decides nothing unless a config asks for it.
  double windows_seconds = 0;
  for (const double seconds : step_seconds_) windows_seconds += seconds;
  double share = settings_.decisions.use_timing && windows_seconds > 0
                     ? control_seconds_ / windows_seconds
                     : 0;
  if (replicas_ != nullptr) share = std::exchange(control_share_, share);
  draft.overhead_paused =
      observe(memory_.overhead, operations_, settings_.limits.overhead_ratio_max, share);
  telemetry_.close(memory_.window, ratio_, draft.regions);
  if (cut) telemetry_.look_again(host_);
  tell_seeds(draft.regions);
  control_seconds_ += seconds_since(call_began_);
  tell_device(draft.device);
  memory_.operations.training += operations_.training;
  memory_.operations.seeds += operations_.seeds;
  memory_.operations.shadow += operations_.shadow;
  memory_.operations.gate += operations_.gate;
  memory_.operations.weaning += operations_.weaning;
  operations_ = {};
  // Before the window goes out: who answers it reads seeds as they are.
  if (boundary_.take_changed() || cut || bed().unfossilised() > 0)
    exchange_.publish_seeds(bed().status());
  const bool leads = replicas_ == nullptr || replicas_->leads();
  if (leads && draft.checkpoint && checkpoint_.is_kept()) checkpoint_.keep(content());
  // By each replica: with the one beside the control side lost, another has what nobody answered.
  // Its next step's sum says that all have closed this window; it is not told before.
  replicas_ != nullptr ? exchange_.hold() : exchange_.publish();
}

void Session::tell_seeds(std::vector<RegionTelemetry>& regions) {
  for (const auto& live : bed().seeds()) {
    if (live->fossilised()) continue;
    SeedTelemetry told;
    told.seed = live->seed->id;
    told.slot = live->slot();
    told.stage = live->stage;
    told.alpha = live->seed->alpha;
    told.updates = live->updates;
    told.relative_norm = live->relative_norm;
    told.gradient_norm = live->gradient_norm;
    told.non_finite = std::exchange(live->non_finite, 0);
    told.gate = live->gate;
    regions.at(live->region.value).seeds.push_back(std::move(told));
  }
}

void Session::tell_device(DeviceTelemetry& device) {
  device.step_seconds_p50 = quantile(step_seconds_, 0.5);
  device.step_seconds_p99 = quantile(step_seconds_, 0.99);
  device.control_seconds = std::exchange(control_seconds_, 0);
  constexpr std::uint64_t bytes_per_parameter = 16;  // value, gradient, two moments
  device.bytes_in_use = bytes_per_parameter * (host_.description().parameters + bed().parameters());
  checkpoint_.tell(device);
  step_seconds_.clear();
}

}  // namespace esper
