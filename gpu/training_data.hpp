#pragma once
// What a trainer trains on: three splits that no sample is in twice, given out by seed.
#include <compare>
#include <cstdint>
#include <memory>

#include "gpu/batch.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// Where the data stream stands: `batch` batches of epoch `epoch` were given out. Order and
/// augmentation follow from (seed, epoch, batch) alone, so this is the whole state.
struct DataPosition {
  std::uint64_t epoch{};
  std::uint64_t batch{};
  friend constexpr auto operator<=>(const DataPosition&, const DataPosition&) = default;
};

class TrainingData {
 public:
  virtual ~TrainingData() = default;
  TrainingData(const TrainingData&) = delete;
  TrainingData& operator=(const TrainingData&) = delete;

  /// The next training batch; an epoch's last samples that fill no batch are left out.
  [[nodiscard]] virtual Batch next() = 0;
  [[nodiscard]] virtual std::uint64_t batches_per_epoch() const = 0;
  [[nodiscard]] virtual DataPosition position() const = 0;
  virtual void set_position(DataPosition position) = 0;

  /// The first `count` samples of the gate split, never augmented; always the same ones.
  /// Errors: InvariantViolation beyond the split's size.
  [[nodiscard]] virtual Batch gate(std::size_t count) const = 0;
  [[nodiscard]] virtual std::size_t gate_size() const = 0;

  /// The only reader of the test split, for the report alone. Errors: InvariantViolation at a
  /// second call; std::runtime_error, one sentence, when it cannot be read.
  [[nodiscard]] virtual Batch read_test_split() = 0;

  /// Samples that are evaluated at once: more leave the processor's caches.
  [[nodiscard]] virtual std::int64_t evaluated_at_once() const = 0;

 protected:
  TrainingData() = default;
};

/// The data that a run's host is trained on. Errors: std::runtime_error, one sentence with path and
/// remedy.
[[nodiscard]] std::unique_ptr<TrainingData> make_training_data(const RunConfig& config);

}  // namespace esper
