// Each sample of an epoch is used exactly once, whoever comes and goes.
#include "actors/decisions/shards.hpp"

#include <catch2/catch.hpp>

#include <vector>

#include "actors/decisions/random.hpp"
#include "messages/result.hpp"
#include "tests/property.hpp"

namespace esper {

SCENARIO("each sample of an epoch is used exactly once over any losses and joins", "[shards]") {
  CHECK(holds("shards", 300, [] {
    const DataShape shape{*rc::gen::inRange<std::uint64_t>(1, 12),
                          *rc::gen::inRange<std::uint64_t>(1, 40)};
    RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), "shards");
    const auto members = [&] { return static_cast<std::uint32_t>(1 + random.below(8)); };
    auto world = members();
    std::uint64_t position = *rc::gen::inRange<std::uint64_t>(0, 3) * shape.batches_per_epoch;
    std::vector<int> used(shape.batches_per_epoch * shape.batch, 0);
    for (std::uint64_t step = 0; step < shape.batches_per_epoch; ++step) {
      // A step that a loss broke off was completed nowhere: its batch is cut again.
      if (random.below(4) == 0) world = members();
      std::uint64_t smallest = shape.batch, largest = 0;
      for (std::uint32_t rank = 0; rank < world; ++rank) {
        const auto share = share_of(shape, position, rank, world);
        smallest = std::min(smallest, share.count);
        largest = std::max(largest, share.count);
        for (std::uint64_t i = 0; i < share.count; ++i) ++used.at(share.first + i);
      }
      RC_ASSERT(largest - smallest <= 1U);
      ++position;
    }
    for (const int times : used) RC_ASSERT(times == 1);
    RC_ASSERT(cursor_at(shape, position).batch == 0U);
  }));
}

SCENARIO("a batch that does not divide is cut in shares that differ by one", "[shards]") {
  const DataShape shape{10, 32};
  CHECK(share_of(shape, 0, 0, 3) == Share{0, 11});
  CHECK(share_of(shape, 0, 1, 3) == Share{11, 11});
  CHECK(share_of(shape, 0, 2, 3) == Share{22, 10});
  CHECK(share_of(shape, 13, 0, 1) == Share{96, 32});
  CHECK(cursor_at(shape, 13) == DataCursor{1, 3});
  CHECK_THROWS_AS(share_of(shape, 0, 3, 3), InvariantViolation);
  CHECK_THROWS_AS(cursor_at({0, 32}, 0), InvariantViolation);
}

}  // namespace esper
