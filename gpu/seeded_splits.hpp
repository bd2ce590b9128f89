#pragma once
// Training and gate samples, known by a number each and given out in an order that follows from a
// seed. What a number stands for is the data's own.
#include <span>
#include <vector>

#include "actors/decisions/random.hpp"
#include "gpu/training_data.hpp"

namespace esper {

/// Fisher and Yates's; the same everywhere.
void shuffle(std::span<std::uint32_t> samples, RandomStream stream);

class SeededSplits : public TrainingData {
 public:
  [[nodiscard]] Batch next() final;
  [[nodiscard]] std::uint64_t batches_per_epoch() const final { return training_.size() / batch_; }
  [[nodiscard]] DataPosition position() const final { return position_; }
  void set_position(DataPosition position) final { position_ = position; }
  [[nodiscard]] Batch gate(std::size_t count) const final;
  [[nodiscard]] std::size_t gate_size() const final { return gate_.size(); }
  [[nodiscard]] Batch read_test_split() final;

 protected:
  /// batch > 0
  SeededSplits(const DataConfig& config, std::uint32_t batch, std::uint64_t seed);
  void set_splits(std::vector<std::uint32_t> training, std::vector<std::uint32_t> gate);
  [[nodiscard]] const DataConfig& config() const { return config_; }

 private:
  /// `shifts` null: the samples as they are; else one draw for each.
  [[nodiscard]] virtual Batch gather(std::span<const std::uint32_t> samples,
                                     RandomStream* shifts) const = 0;
  /// Called once.
  [[nodiscard]] virtual Batch read_test() const = 0;
  void shuffle_for(std::uint64_t epoch);

  DataConfig config_;
  std::uint32_t batch_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> training_, gate_;
  std::vector<std::uint32_t> order_;  ///< training samples in the order of epoch shuffled_
  std::uint64_t shuffled_;
  DataPosition position_;
  bool test_read_{};
};

}  // namespace esper
