#pragma once
// Fashion-MNIST, split three ways: training, gate (cut from training) and test (read once).
#include <string>
#include <vector>

#include "gpu/training_data.hpp"

namespace esper {

/// Labels are in [0, fashion_classes).
inline constexpr std::size_t fashion_classes = 10;

/// Raw pixels as the files hold them, one byte each.
struct PixelSet {
  std::vector<std::uint8_t> pixels;  ///< count * 784
  std::vector<std::uint8_t> labels;  ///< count
};

class FashionData final : public TrainingData {
 public:
  /// Reads the training files, checks their SHA-256, and cuts off the gate split by a permutation
  /// that follows from `seed`. Errors: std::runtime_error, one sentence with path and remedy, for a
  /// folder or file that is missing or damaged, or more samples asked for than there are.
  FashionData(const DataConfig& config, std::uint32_t batch, std::uint64_t seed);

  /// inputs [batch, 1, 28, 28] float32, normalised; targets [batch] int64.
  [[nodiscard]] Batch next() override;
  [[nodiscard]] std::uint64_t batches_per_epoch() const override {
    return training_.size() / batch_;
  }
  [[nodiscard]] DataPosition position() const override { return position_; }
  void set_position(DataPosition position) override { position_ = position; }
  [[nodiscard]] Batch gate(std::size_t count) const override;
  [[nodiscard]] std::size_t gate_size() const override { return gate_.size(); }
  [[nodiscard]] Batch read_test_split() override;
  [[nodiscard]] std::int64_t evaluated_at_once() const override { return 512; }

 private:
  void shuffle_for(std::uint64_t epoch);

  DataConfig config_;
  std::uint32_t batch_;
  std::uint64_t seed_;
  PixelSet set_;
  std::vector<std::uint32_t> training_, gate_;  ///< rows of set_
  std::vector<std::uint32_t> order_;            ///< rows in the order of epoch shuffled_
  std::uint64_t shuffled_;
  DataPosition position_;
  bool test_read_{};
};

}  // namespace esper
