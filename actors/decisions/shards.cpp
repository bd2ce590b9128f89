#include "actors/decisions/shards.hpp"

#include "messages/result.hpp"

namespace esper {

DataCursor cursor_at(const DataShape& shape, std::uint64_t position) {
  if (shape.batches_per_epoch == 0) throw InvariantViolation("an epoch without batches");
  return {position / shape.batches_per_epoch, position % shape.batches_per_epoch};
}

Share share_of(const DataShape& shape, std::uint64_t position, std::uint32_t rank,
               std::uint32_t world) {
  if (rank >= world) throw InvariantViolation("a rank outside the world");
  const auto first = cursor_at(shape, position).batch * shape.batch;
  // The first ranks take one more each, until the rest is gone.
  const auto each = shape.batch / world, rest = shape.batch % world;
  const auto more_before = rank < rest ? rank : rest;
  return {first + rank * each + more_before, each + (rank < rest ? 1 : 0)};
}

}  // namespace esper
