// What a session does differently when several replicas train one model: whatever is decided, is
// decided by all from the same numbers, and what is carried out, by all or by none (COMMIT-1).
#include "actors/decisions/number.hpp"
#include "gpu/seed_training.hpp"
#include "gpu/session.hpp"
#include "gpu/state_hashes.hpp"
#include "gpu/state_text.hpp"
#include "gpu/weaning.hpp"
#include "messages/failpoint.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

std::uint64_t samples_of(const SessionData& data) {
  return static_cast<std::uint64_t>(data.step_batch().inputs.size(0));
}

std::vector<at::Tensor> parameters_of(const std::vector<LiveSeed*>& seeds) {
  std::vector<at::Tensor> all;
  for (const LiveSeed* live : seeds)
    all.insert(all.end(), live->parameters.begin(), live->parameters.end());
  return all;
}

std::string text_of(const std::vector<StateHash>& states) {
  std::string text;
  for (const auto& state : states) text += state.name + "=" + std::to_string(state.hash) + "\n";
  return text;
}

/// The first thing that is another here than `text` says.
std::string first_difference(const std::vector<StateHash>& states, const std::string& text) {
  for (const auto& state : states)
    if (text.find(state.name + "=" + std::to_string(state.hash) + "\n") == std::string::npos)
      return state.name;
  return "what stands here";
}

}  // namespace

/// Before the loop draws the next batch.
void Session::keep_step() {
  undo_.take(host_, &bed(), data_);
  telemetry_.mark();
  operations_before_step_ = operations_;
}

void Session::begin_step_together() {
  common_ = {};
  in_step_ = true;
  replicas_->seed_streams({memory_.tick.value + 1}, &bed());
}

void Session::undo_step() {
  if (!std::exchange(in_step_, false)) return;
  for (Slot& slot : host_.slots()) slot.forget();
  undo_.restore(data_);
  telemetry_.undo();
  operations_ = operations_before_step_;
  --memory_.tick.value;
}

/// The host's gradients become everybody's, and the loss with them. Orders that the leader has
/// found go round at once, so that an escape acts at the end of this very step.
double Session::meet(double loss) {
  const bool free = settings_.pace.mode == Pace::free || memory_.stalled;
  if (replicas_->leads() && free) {
    const std::size_t known = pending_count_;
    take_turns(memory_.window);
    orders_untold_ = orders_untold_ || pending_count_ > known;
  }
  OwnStep own{.samples = samples_of(data_), .loss = loss};
  own.escape.resize(host_.description().regions.size());
  for (const auto& live : bed().seeds()) {
    if (!live->touches_host()) continue;
    const bool output = std::any_of(live->slots.begin(), live->slots.end(), [](const Slot* slot) {
      return slot->output().defined() && !finite(sum_of_squares(slot->output()));
    });
    own.output_not_finite = own.output_not_finite || output;
    if (output || !esper::gradients_finite(*live)) own.escape.at(live->region.value) = true;
  }
  const auto parameters = host_.module().parameters();
  own.not_finite = !finite(loss) || !finite(gradient_norm(parameters));
  own.stop = stop_ != nullptr && stop_->load();
  own.orders = orders_untold_;
  pass(Failpoint::collective);
  common_ = replicas_->average_step(parameters, own);
  settle();
  if (common_.orders) share_orders(orders());
  return common_.loss;
}

void Session::train_seeds_together() {
  const std::uint64_t samples = samples_of(data_);
  // Counted as if one replica had taken the whole batch.
  const auto of_all = [&](std::uint64_t cost) { return cost / samples * data_.batch_samples; };
  std::vector<LiveSeed*> taught;
  std::vector<double> numbers;
  for (const auto& live : bed().seeds())
    if (live->touches_host()) {
      measure_norms(*live);
      taught.push_back(live.get());
      numbers.push_back(live->relative_norm);
    }
  if (!taught.empty()) {
    replicas_->average(parameters_of(taught), numbers, samples);
    for (std::size_t i = 0; i < taught.size(); ++i) {
      taught[i]->relative_norm = numbers[i];
      learn_on_graph(*taught[i], ratio_);
    }
  }
  const std::uint32_t every = std::max<std::uint32_t>(settings_.time.shadow_every_steps, 1);
  if (memory_.tick.value % every != 0 || executor_silent()) return;
  for (const auto& live : bed().seeds())
    if (live->lesson) operations_.weaning += of_all(teach_together(*live));
  if (memory_.overhead.paused) return;
  taught.clear();
  numbers.clear();
  for (const auto& live : bed().seeds()) {
    if (live->stage != Stage::train_isolated) continue;
    const auto pass = shadow_gradients(host_, bed(), *live, data_.step_batch(), data_.loss);
    operations_.shadow += of_all(pass.operations);
    taught.push_back(live.get());
    numbers.push_back(live->relative_norm);
    numbers.push_back(pass.finite ? 0 : 1);
  }
  if (taught.empty()) return;
  replicas_->average(parameters_of(taught), numbers, samples);
  for (std::size_t i = 0; i < taught.size(); ++i) {
    taught[i]->relative_norm = numbers[2 * i];
    if (numbers[2 * i + 1] == 0) {
      learn_isolated(*taught[i], ratio_);
      continue;
    }
    ++taught[i]->non_finite;  // on one replica is on all
    for (const auto& parameter : taught[i]->parameters) parameter.mutable_grad().reset();
  }
}

/// The lesson's own gradients are averaged; those of the task, which are everybody's already, wait.
std::uint64_t Session::teach_together(LiveSeed& live) {
  const torch::NoGradGuard no_graph;
  const auto parameters = host_.module().parameters();
  std::vector<at::Tensor> of_task;
  for (const auto& parameter : parameters) {
    of_task.push_back(parameter.grad());
    parameter.mutable_grad().reset();
  }
  const std::uint64_t cost = live.lesson->teach(host_, bed(), live, data_.step_batch());
  // A lesson that is not finite here teaches nothing, but the others' is learnt here, too.
  for (const auto& parameter : parameters)
    if (!parameter.grad().defined()) parameter.mutable_grad() = torch::zeros_like(parameter);
  replicas_->average(parameters, {}, samples_of(data_));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!of_task[i].defined()) continue;
    of_task[i].add_(parameters[i].grad());
    parameters[i].mutable_grad() = of_task[i];
  }
  return cost;
}

BoundaryOrders Session::orders() const {
  BoundaryOrders told;
  if (!replicas_->leads()) return told;
  for (std::size_t i = 0; i < pending_count_; ++i) {
    told.turns.push_back(pending_[i].turn);
    told.escaped.push_back(pending_[i].escapes_done ? 1 : 0);
  }
  told.newest_turn = memory_.newest_turn;
  for (std::uint32_t region = 0; region < host_.description().regions.size(); ++region)
    told.fences.push_back(exchange_.fence_of({region}));
  told.stalled = memory_.stalled;
  const auto asked = exchange_.poison_asked();
  told.poison = asked ? 1 + asked->value : 0;
  told.control_share = control_share_;
  told.regroup = replicas_->regroup_asked();
  return told;
}

BoundaryOrders Session::share_orders(BoundaryOrders told) {
  const std::string text =
      replicas_->from_leader(replicas_->leads() ? canonical(told) : std::string{});
  if (!replicas_->leads()) {
    told = parsed<BoundaryOrders>(text);
    pending_count_ = told.turns.size();
    for (std::size_t i = 0; i < pending_count_; ++i)
      pending_.at(i) = {told.turns[i], told.escaped.at(i) > 0};
    memory_.newest_turn = told.newest_turn;
    memory_.stalled = told.stalled;
    control_share_ = told.control_share;
    if (!exchange_.attended()) exchange_.follow(told.newest_turn, told.fences);
  }
  boundary_.see_fences(told.fences);
  orders_untold_ = false;
  return told;
}

/// Statistics of batch norms, and what telemetry measured on each one's own samples, become
/// everybody's before anything is judged by them. Then all must stand alike, bit for bit.
void Session::settle_window() {
  auto buffers = host_.module().buffers();
  for (const auto& live : bed().seeds())
    if (!live->fossilised())
      for (const auto& buffer : live->seed->buffers()) buffers.push_back(buffer);
  auto numbers = telemetry_.measured_here();
  replicas_->average_buffers(buffers, numbers);
  telemetry_.measured_by_all(numbers);
  const auto states = state_hashes(host_, optimizer_, bed(), data_);
  if (!replicas_->same_everywhere(hash_of(states))) resynchronise(states);
}

void Session::resynchronise(const std::vector<StateHash>& states) {
  const std::string own = text_of(states);
  const std::string leaders = replicas_->from_leader(own);
  const bool other = own != leaders;
  const std::uint32_t others = replicas_->count(other);
  if (settings_.tell && other)
    settings_.tell("replica " + std::to_string(replicas_->rank()) + " differed at window " +
                   std::to_string(memory_.window.value) + " in " +
                   first_difference(states, leaders) + " and stands again as the leader does");
  if (settings_.tell && replicas_->leads())
    settings_.tell(std::to_string(others) + " of " + std::to_string(replicas_->world()) +
                   " replicas differed at window " + std::to_string(memory_.window.value) +
                   " and were given the leader's state");
  const std::string text =
      replicas_->from_leader(replicas_->leads() ? text_of(standing()) : std::string{});
  if (other) stand_as(content_of(text), /*at_boundary=*/true);
}

std::uint64_t Session::prepare_turns() {
  std::string text;
  for (std::size_t i = 0; i < pending_count_; ++i) {
    text += canonical(pending_[i].turn);
    for (const auto& command : pending_[i].turn.commands)
      text += std::to_string(boundary_.prepare(command));
  }
  return hash_of(text.data(), text.size());
}

bool Session::meet_at_boundary() {
  boundary_open_ = true;
  boundary_.forget_prepared();
  settle_window();
  bool abandoned = false;
  if (replicas_->leads()) abandoned = !await_turns();
  BoundaryOrders told = orders();
  told.abandoned = abandoned;
  told = share_orders(std::move(told));
  if (told.abandoned) {
    replicas_->stop();
    boundary_open_ = false;
    return false;
  }
  pass(Failpoint::prepared);
  turns_agreed_ = replicas_->all_ready(prepare_turns());
  if (!turns_agreed_ && settings_.tell)
    settings_.tell("the turns of window " + std::to_string(memory_.window.value) +
                   " were not prepared alike by all replicas: they wait for the next boundary");
  if (told.regroup) replicas_->make_regroup_due();
  poison_ = told.poison > 0 ? std::optional{RegionId{told.poison - 1}} : std::nullopt;
  boundary_open_ = false;
  return true;
}

void Session::finish_boundary() {
  if (!boundary_open_) return;
  close_window();
  keep_step();
}

}  // namespace esper
