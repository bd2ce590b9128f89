#pragma once
// Bytes of one text, split three ways by chunks: training, gate and test (read once).
#include <string>
#include <vector>

#include "gpu/seeded_splits.hpp"

namespace esper {

/// A text is cut into chunks of 64 KiB; of every 50, the last is the test split's and the one in
/// the middle the gate split's, so that each split is strewn over the whole text. A sample is a
/// sequence of `context` bytes and, as targets, each one's next byte; no sample reaches out of its
/// chunk, and what fills no chunk is left out. Which samples of the gate split count, and the order
/// of the training's, follow from the seed.
class TextData final : public SeededSplits {
 public:
  static constexpr std::size_t chunk_bytes = 65'536;
  static constexpr std::size_t chunks_per_test = 50;

  /// config.path     a text, gzipped (as dictd keeps its dictionaries) or plain
  /// config.augment  each sequence trained on begins 0 to context - 1 bytes later, drawn anew
  /// Errors: std::runtime_error, one sentence with path and remedy, for a file that is missing,
  /// damaged or too short, or more samples asked for than there are.
  TextData(const DataConfig& config, std::uint32_t batch, std::uint64_t seed);

  [[nodiscard]] std::int64_t evaluated_at_once() const override { return 32; }

 private:
  /// inputs, targets [batch, context] int64, in [0, 256).
  [[nodiscard]] Batch gather(std::span<const std::uint32_t> samples,
                             RandomStream* shifts) const override;
  /// All of the split, or `test_samples` of it, evenly strewn.
  [[nodiscard]] Batch read_test() const override;

  std::vector<std::uint8_t> text_;  ///< without the test split's chunks: those are zeroed
};

}  // namespace esper
