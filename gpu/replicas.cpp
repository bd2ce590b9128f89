#include "gpu/replicas.hpp"

#include <cmath>
#include <string>

#include <torch/utils.h>

#include "actors/decisions/random.hpp"
#include "actors/decisions/shards.hpp"
#include "gpu/live_seed.hpp"
#include "messages/result.hpp"

namespace esper {

namespace {

/// Behind the word of StructuralCommit.
enum Tail : std::size_t {
  samples_word,
  loss_word,
  output_word,
  stop_word,
  orders_word,
  tail_words
};

std::int64_t elements_of(const std::vector<at::Tensor>& tensors) {
  std::int64_t count = 0;
  for (const auto& tensor : tensors) count += tensor.numel();
  return count;
}

/// share · gradient, one behind another; zeros where there is none.
void gather_gradients(const std::vector<at::Tensor>& parameters, const at::Tensor& into,
                      double share) {
  std::int64_t place = 0;
  for (const auto& parameter : parameters) {
    const auto part = into.narrow(0, place, parameter.numel());
    place += parameter.numel();
    if (parameter.grad().defined())
      part.copy_(parameter.grad().reshape({-1})).mul_(share);
    else
      part.zero_();
  }
}

void scatter_gradients(const std::vector<at::Tensor>& parameters, const at::Tensor& from) {
  std::int64_t place = 0;
  for (const auto& parameter : parameters) {
    const auto part = from.narrow(0, place, parameter.numel());
    place += parameter.numel();
    if (parameter.grad().defined()) parameter.mutable_grad().copy_(part.view(parameter.sizes()));
  }
}

}  // namespace

Replicas::Replicas(std::unique_ptr<Collective> group, const ReplicaShape& shape)
    : group_(std::move(group)),
      shape_(shape),
      commit_({.regions = shape.regions, .slots = 1, .prepare_ticks_max = 0}) {
  refuse_crowd();
}

void Replicas::refuse_crowd() const {
  if (world() > StructuralCommit::world_max || world() > shape_.batch)
    throw std::runtime_error(
        std::to_string(world()) + " replicas cannot share a batch of " +
        std::to_string(shape_.batch) + " samples: at most one a sample, and at most " +
        std::to_string(StructuralCommit::world_max) + "; configure fewer trainers");
}

Replicas::~Replicas() = default;

void Replicas::abort() noexcept {
  const std::lock_guard lock(group_lock_);
  group_->abort();
}

void Replicas::regroup(std::unique_ptr<Collective> group) {
  {
    const std::lock_guard lock(group_lock_);
    group_.swap(group);
  }
  commit_.membership_changed();
  regroup_asked_.store(false);
  regroup_due_ = false;
  refuse_crowd();
}

Rows Replicas::own_rows() const {
  const Share own = share_of({.batches_per_epoch = 1, .batch = shape_.batch}, 0, rank(), world());
  return {static_cast<std::int64_t>(own.first), static_cast<std::int64_t>(own.first + own.count)};
}

void Replicas::seed_streams(Tick tick, SeedBed* bed) const {
  const std::uint64_t place = tick.value * StructuralCommit::world_max + rank();
  torch::manual_seed(RandomStream(shape_.seed, "replica", place).next());
  if (bed == nullptr) return;
  for (const auto& live : bed->seeds())
    live->seed->generator.set_current_seed(
        RandomStream(shape_.seed, "replica seed " + std::to_string(live->seed->id.value), place)
            .next());
}

at::Tensor Replicas::flat(std::int64_t elements) {
  if (!flat_.defined() || flat_.numel() != elements) flat_ = at::empty({elements}, at::kFloat);
  return flat_;
}

CommonStep Replicas::average_step(const std::vector<at::Tensor>& parameters, const OwnStep& own) {
  const at::NoGradGuard no_graph;
  const double share = static_cast<double>(own.samples) / static_cast<double>(shape_.batch);
  const auto word = commit_.word(own.not_finite, own.escape);
  const std::int64_t gradients = elements_of(parameters);
  const auto words = static_cast<std::int64_t>(word.size());
  const at::Tensor all = flat(gradients + words + static_cast<std::int64_t>(tail_words));
  gather_gradients(parameters, all, share);
  float* control = all.mutable_data_ptr<float>() + gradients;
  for (const std::uint32_t one : word) *control++ = static_cast<float>(one);
  control[samples_word] = static_cast<float>(own.samples);
  control[loss_word] = static_cast<float>(own.loss * share);
  control[output_word] = own.output_not_finite ? 1 : 0;
  control[stop_word] = own.stop ? 1 : 0;
  control[orders_word] = own.orders ? 1 : 0;
  group_->sum(all);
  const float* told = all.const_data_ptr<float>() + gradients;
  std::vector<std::uint32_t> sums(word.size());
  for (auto& sum : sums) sum = static_cast<std::uint32_t>(std::lround(*told++));
  // Samples taken twice, or left out, would go unnoticed in a mean.
  if (std::lround(told[samples_word]) != static_cast<long>(shape_.batch))
    throw InvariantViolation("the replicas trained on " +
                             std::to_string(std::lround(told[samples_word])) + " samples of " +
                             std::to_string(shape_.batch));
  scatter_gradients(parameters, all);
  const CommitVerdict verdict = commit_.read(sums, world());
  stopping_ = stopping_ || told[stop_word] > 0;
  return {.loss = static_cast<double>(told[loss_word]),
          .not_finite = verdict.skip,
          .escape = verdict.escape,
          .output_not_finite = told[output_word] > 0,
          .stop = stopping_,
          .orders = told[orders_word] > 0};
}

void Replicas::average(const std::vector<at::Tensor>& parameters, std::span<double> numbers,
                       std::uint64_t samples) {
  const at::NoGradGuard no_graph;
  const double share = static_cast<double>(samples) / static_cast<double>(shape_.batch);
  const std::int64_t gradients = elements_of(parameters);
  const at::Tensor all =
      at::empty({gradients + static_cast<std::int64_t>(numbers.size())}, at::kFloat);
  gather_gradients(parameters, all, share);
  float* told = all.mutable_data_ptr<float>() + gradients;
  for (std::size_t i = 0; i < numbers.size(); ++i) told[i] = static_cast<float>(numbers[i] * share);
  group_->sum(all);
  scatter_gradients(parameters, all);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(told[i]);
}

void Replicas::average_buffers(const std::vector<at::Tensor>& buffers, std::span<double> numbers) {
  const at::NoGradGuard no_graph;
  // In float64 the sum of equal floats, divided by their number, is that float.
  std::int64_t elements = static_cast<std::int64_t>(numbers.size());
  for (const auto& buffer : buffers)
    if (buffer.is_floating_point()) elements += buffer.numel();
  const at::Tensor all = at::empty({elements}, at::kDouble);
  std::int64_t place = 0;
  for (const auto& buffer : buffers) {
    if (!buffer.is_floating_point()) continue;
    all.narrow(0, place, buffer.numel()).copy_(buffer.reshape({-1}));
    place += buffer.numel();
  }
  double* told = all.mutable_data_ptr<double>() + place;
  for (std::size_t i = 0; i < numbers.size(); ++i) told[i] = numbers[i];
  group_->sum(all);
  all.div_(static_cast<double>(world()));
  place = 0;
  for (const auto& buffer : buffers) {
    if (!buffer.is_floating_point()) continue;
    buffer.detach().copy_(all.narrow(0, place, buffer.numel()).view(buffer.sizes()));
    place += buffer.numel();
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = told[i];
}

bool Replicas::same_everywhere(std::uint64_t hash) {
  // All pieces are equal exactly when n * sum(h^2) = sum(h)^2; sixteen squares of 16 bits, and
  // their square, are exact in float64.
  constexpr int pieces = 4, bits = 16;
  const at::Tensor sums = at::empty({2 * pieces}, at::kDouble);
  double* word = sums.mutable_data_ptr<double>();
  for (int i = 0; i < pieces; ++i) {
    const auto piece = static_cast<double>((hash >> (i * bits)) & 0xffffU);
    word[2 * i] = piece;
    word[2 * i + 1] = piece * piece;
  }
  group_->sum(sums);
  for (int i = 0; i < pieces; ++i)
    if (world() * word[2 * i + 1] != word[2 * i] * word[2 * i]) return false;
  return true;
}

bool Replicas::all_ready(std::optional<std::uint64_t> hash) {
  if (hash && !commit_.prepare(0, ++plans_, *hash))
    throw InvariantViolation("a change is prepared while another is under way");
  const auto word = commit_.word(/*skip=*/false, {});
  const at::Tensor sums = at::empty({static_cast<std::int64_t>(word.size())}, at::kFloat);
  float* told = sums.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < word.size(); ++i) told[i] = static_cast<float>(word[i]);
  try {
    group_->sum(sums);
  } catch (const CollectiveFailed&) {
    commit_.membership_changed();
    throw;
  }
  std::vector<std::uint32_t> sum(word.size());
  for (std::size_t i = 0; i < word.size(); ++i)
    sum[i] = static_cast<std::uint32_t>(std::lround(told[i]));
  return commit_.read(sum, world()).changes.front() == ChangeVerdict::apply;
}

std::uint32_t Replicas::count(bool true_here) {
  const at::Tensor sum = at::full({1}, true_here ? 1.0 : 0.0, at::kDouble);
  group_->sum(sum);
  return static_cast<std::uint32_t>(sum.item<double>());
}

std::string Replicas::from_leader(std::string bytes, std::uint32_t from) {
  group_->broadcast(bytes, from);
  return bytes;
}

}  // namespace esper
