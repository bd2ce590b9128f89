#pragma once
// Fashion-MNIST, split three ways: training, gate (cut from training) and test (read once).
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "messages/configuration.hpp"

namespace esper {

/// Labels are in [0, fashion_classes).
inline constexpr std::size_t fashion_classes = 10;

/// images [n, 1, 28, 28] float32, normalised; labels [n] int64.
struct Samples {
  at::Tensor images, labels;
};

/// Raw pixels as the files hold them, one byte each.
struct PixelSet {
  std::vector<std::uint8_t> pixels;  ///< count * 784
  std::vector<std::uint8_t> labels;  ///< count
};

/// Where the data stream stands: `batch` batches of epoch `epoch` were given out. Order and
/// augmentation follow from (seed, epoch, batch) alone, so this is the whole state.
struct DataPosition {
  std::uint64_t epoch{};
  std::uint64_t batch{};
  friend constexpr auto operator<=>(const DataPosition&, const DataPosition&) = default;
};

class FashionData {
 public:
  /// Reads the training files, checks their SHA-256, and cuts off the gate split by a permutation
  /// that follows from `seed`. Errors: std::runtime_error, one sentence with path and remedy, for a
  /// folder or file that is missing or damaged, or more samples asked for than there are.
  FashionData(const DataConfig& config, std::uint32_t batch, std::uint64_t seed);

  /// The next training batch; an epoch's last samples that fill no batch are left out.
  [[nodiscard]] Samples next();
  [[nodiscard]] std::uint64_t batches_per_epoch() const { return training_.size() / batch_; }
  [[nodiscard]] DataPosition position() const { return position_; }
  void set_position(DataPosition position) { position_ = position; }

  /// The first `count` samples of the gate split, never augmented; always the same ones.
  /// Errors: InvariantViolation beyond the split's size.
  [[nodiscard]] Samples gate(std::size_t count) const;
  [[nodiscard]] std::size_t gate_size() const { return gate_.size(); }

  /// The only reader of the test files, for the report alone. Errors: InvariantViolation at a
  /// second call; std::runtime_error as the constructor's.
  [[nodiscard]] Samples read_test_split();

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
