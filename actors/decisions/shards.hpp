#pragma once
// Which samples each replica takes. A step uses up one batch of the epoch's shuffled order, and the
// replicas cut that batch up among them: nobody owns a share of the epoch, so that whoever is lost
// leaves no remainder behind, and the next batch is cut for those who are there then.
#include <cstdint>

namespace esper {

struct DataShape {
  std::uint64_t batches_per_epoch{};
  std::uint64_t batch{};  ///< samples of one step, of all replicas together
};

/// Where training stands in its data, the same on every replica.
struct DataCursor {
  std::uint64_t epoch{};
  std::uint64_t batch{};  ///< of that epoch, counted from 0: the next one
  friend constexpr bool operator==(const DataCursor&, const DataCursor&) = default;
};

/// Places [first, first + count) of an epoch's shuffled order.
struct Share {
  std::uint64_t first{}, count{};
  friend constexpr bool operator==(const Share&, const Share&) = default;
};

/// `position`: batches used so far, over all epochs. Errors: InvariantViolation without batches.
[[nodiscard]] DataCursor cursor_at(const DataShape& shape, std::uint64_t position);

/// What the replica `rank` of `world` takes of the batch at `position`. Shares of one batch differ
/// by one sample at most, so that a mean over replicas weighs each by its count; a share is empty
/// when there are more replicas than samples. Errors: InvariantViolation for a rank outside
/// `world`.
[[nodiscard]] Share share_of(const DataShape& shape, std::uint64_t position, std::uint32_t rank,
                             std::uint32_t world);

}  // namespace esper
