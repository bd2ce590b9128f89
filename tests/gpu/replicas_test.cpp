// Several replicas train one model: what they do together, and that it is what one would do.
#include "tests/gpu/catch.hpp"
#include "tests/gpu/replica_threads.hpp"
#include "tests/gpu/smooth_host.hpp"

using namespace esper;

namespace {

constexpr std::size_t steps = 30;

struct Trained {
  std::vector<Digest> digests;              ///< by replica
  std::vector<std::vector<double>> losses;  ///< by replica, of each step
};

Trained train(std::uint32_t world, const SessionSettings& settings, const HostUnderTest& tested) {
  Trained trained;
  trained.digests.resize(world);
  trained.losses.resize(world);
  on_replicas(world, [&](std::uint32_t rank, std::unique_ptr<Collective> group) {
    ReplicaUnderTest own(std::move(group), settings, tested);
    own.await_others();
    for (std::size_t i = 0; i < steps; ++i) {
      (void)own.loop->tick();
      trained.losses[rank].push_back(own.loop->seen_loss);
    }
    trained.digests[rank] = shared_digest(*own.loop);
    own.replicas->leave();
  });
  return trained;
}

double furthest(const Digest& a, const Digest& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].numel() > 0 && a[i].is_floating_point())
      largest = std::max(largest, (a[i] - b[i]).abs().max().item<double>());
  return largest;
}

}  // namespace

SCENARIO("a group sums, broadcasts and can be aborted", "[replicas]") {
  GIVEN("three replicas") {
    std::vector<float> sums(3);
    std::vector<std::string> heard(3);
    std::vector<int> failed(3);
    std::atomic<int> waiting{0};
    on_replicas(3, [&](std::uint32_t rank, std::unique_ptr<Collective> group) {
      const auto values = torch::full({1'000}, static_cast<float>(rank + 1));
      group->sum(values);
      sums[rank] = values[999].item<float>();
      heard[rank] = rank == 1 ? std::string(50'000, 'x') + "end" : "";
      group->broadcast(heard[rank], 1);
      if (rank == 2) {  // it leaves the others waiting until one of them is told
        while (waiting.load() < 2) std::this_thread::yield();
        group->abort();
      } else {
        ++waiting;
      }
      try {
        group->sum(values);
      } catch (const CollectiveFailed&) {
        failed[rank] = 1;
      }
    });
    THEN("all have the same, and the sum that one aborted fails on all") {
      CHECK(sums == std::vector<float>{6, 6, 6});
      for (const auto& one : heard) CHECK(one == std::string(50'000, 'x') + "end");
      CHECK(failed == std::vector<int>{1, 1, 1});
    }
  }
}

SCENARIO("replicas end bit-identical and as one that took the whole batch", "[replicas]") {
  GIVEN("a host whose loss is a mean over samples") {
    const auto settings = test_settings(Mode::off);
    const Trained alone = train(1, settings, smooth_host());
    for (const std::uint32_t world : {2U, 3U}) {
      WHEN(std::to_string(world) + " replicas share each batch of 32") {
        const Trained shared = train(world, settings, smooth_host());
        THEN("weights and moments are the same bits on each, and those of one within rounding") {
          for (std::uint32_t rank = 1; rank < world; ++rank) {
            CHECK(differing(shared.digests[0], shared.digests[rank]) == 0);
            CHECK(shared.losses[0] == shared.losses[rank]);
          }
          CHECK(furthest(shared.digests[0], alone.digests[0]) < 1e-4);
          for (std::size_t i = 0; i < steps; ++i)
            CHECK(shared.losses[0][i] == Approx(alone.losses[0][i]).epsilon(1e-4));
        }
      }
    }
  }
  GIVEN("a host with batch norm, whose statistics are each replica's own within a window") {
    const auto settings = test_settings(Mode::observe);
    const Trained shared = train(3, settings, fashion_cnn("tiny", {}));
    THEN("weights, moments and, at a window's end, statistics are the same bits on each") {
      CHECK(differing(shared.digests[0], shared.digests[1]) == 0);
      CHECK(differing(shared.digests[0], shared.digests[2]) == 0);
    }
  }
}

SCENARIO("more replicas than a batch has samples are refused", "[replicas]") {
  std::vector<std::string> told(2);
  on_replicas(2, [&](std::uint32_t rank, std::unique_ptr<Collective> group) {
    try {
      const Replicas refused(std::move(group), {.regions = 1, .batch = 1, .seed = 1});
    } catch (const std::runtime_error& refusal) {
      told[rank] = refusal.what();
    }
  });
  for (const auto& one : told) CHECK_THAT(one, Catch::Contains("cannot share a batch of 1"));
}
