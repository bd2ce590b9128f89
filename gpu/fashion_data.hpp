#pragma once
// Fashion-MNIST, split three ways: training, gate (cut from training) and test (read once).
#include <string>
#include <vector>

#include "gpu/seeded_splits.hpp"

namespace esper {

/// Labels are in [0, fashion_classes).
inline constexpr std::size_t fashion_classes = 10;

/// Raw pixels as the files hold them, one byte each.
struct PixelSet {
  std::vector<std::uint8_t> pixels;  ///< count * 784
  std::vector<std::uint8_t> labels;  ///< count
};

class FashionData final : public SeededSplits {
 public:
  /// Reads the training files, checks their SHA-256, and cuts off the gate split by a permutation
  /// that follows from `seed`. Errors: std::runtime_error, one sentence with path and remedy, for a
  /// folder or file that is missing or damaged, or more samples asked for than there are.
  FashionData(const DataConfig& config, std::uint32_t batch, std::uint64_t seed);

  [[nodiscard]] std::int64_t evaluated_at_once() const override { return 512; }

 private:
  /// inputs [batch, 1, 28, 28] float32, normalised; targets [batch] int64.
  [[nodiscard]] Batch gather(std::span<const std::uint32_t> samples,
                             RandomStream* shifts) const override;
  [[nodiscard]] Batch read_test() const override;

  PixelSet set_;
};

}  // namespace esper
