#include "gpu/seeded_splits.hpp"

#include <utility>

#include "messages/result.hpp"

namespace esper {
namespace {

constexpr std::uint64_t never_shuffled = static_cast<std::uint64_t>(-1);

}  // namespace

void shuffle(std::span<std::uint32_t> samples, RandomStream stream) {
  for (std::size_t i = samples.size(); i > 1; --i)
    std::swap(samples[i - 1], samples[stream.below(i)]);
}

SeededSplits::SeededSplits(const DataConfig& config, std::uint32_t batch, std::uint64_t seed)
    : config_(config), batch_(batch), seed_(seed), shuffled_(never_shuffled) {}

void SeededSplits::set_splits(std::vector<std::uint32_t> training,
                              std::vector<std::uint32_t> gate) {
  training_ = std::move(training);
  gate_ = std::move(gate);
}

void SeededSplits::shuffle_for(std::uint64_t epoch) {
  if (shuffled_ == epoch) return;
  order_ = training_;
  shuffle(order_, RandomStream(seed_, "batch order", epoch));
  shuffled_ = epoch;
}

Batch SeededSplits::next() {
  if (position_.batch >= batches_per_epoch()) position_ = {position_.epoch + 1, 0};
  shuffle_for(position_.epoch);
  const std::uint64_t number = position_.epoch * batches_per_epoch() + position_.batch;
  RandomStream shifts(seed_, "augmentation", number);
  const auto samples = std::span(order_).subspan(position_.batch * batch_, batch_);
  ++position_.batch;
  return gather(samples, config_.augment ? &shifts : nullptr);
}

Batch SeededSplits::gate(std::size_t count) const {
  if (count > gate_.size()) throw InvariantViolation("the gate split holds fewer samples");
  return gather(std::span(gate_).first(count), nullptr);
}

Batch SeededSplits::read_test_split() {
  if (test_read_) throw InvariantViolation("the test split is read once, by the report");
  test_read_ = true;
  return read_test();
}

}  // namespace esper
