#pragma once
// Replicas as threads of one process, each with its own group over Gloo and a loop of its own.
#include <exception>
#include <mutex>
#include <thread>

#include "gpu/gloo_collective.hpp"
#include "tests/gpu/test_loop.hpp"

namespace esper {

inline constexpr std::chrono::milliseconds replica_patience{20'000};

/// Runs `body(rank, group)` on a thread for each replica; the first exception comes out.
template <typename Body>
void on_replicas(std::uint32_t world, const Body& body) {
  at::set_num_threads(1);
  const auto store = SharedStore::keep(0, replica_patience);
  std::mutex lock;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (std::uint32_t rank = 0; rank < world; ++rank)
    threads.emplace_back([&, rank] {
      try {
        at::set_num_threads(1);
        const auto own = SharedStore::reach("127.0.0.1", store->port(), replica_patience);
        body(rank, gloo_collective(own, {.group = "test",
                                         .address = "127.0.0.1",
                                         .rank = rank,
                                         .world = world,
                                         .patience = replica_patience}));
      } catch (...) {
        const std::lock_guard guard(lock);
        if (!first) first = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

/// One replica of a loop.
struct ReplicaUnderTest {
  ReplicaUnderTest(std::unique_ptr<Collective> group, const SessionSettings& settings,
                   const HostUnderTest& tested) {
    // Hosts draw their first weights from the process's one global stream.
    static std::mutex one_at_a_time;
    const std::lock_guard guard(one_at_a_time);
    const auto host = tested.make();
    replicas = std::make_unique<Replicas>(
        std::move(group),
        ReplicaShape{.regions = static_cast<std::uint32_t>(host->description().regions.size()),
                     .batch = 32,
                     .seed = settings.seed});
    loop = std::make_unique<TestLoop>(settings, tested, replicas.get());
  }
  /// Until all are made: a step seeds that global stream again, under whoever still draws from it.
  void await_others() { (void)replicas->count(true); }

  std::unique_ptr<Replicas> replicas;
  std::unique_ptr<TestLoop> loop;
};

/// What every replica has alike between two windows: weights, buffers, moments; of seeds, too.
inline Digest shared_digest(TestLoop& loop) {
  Digest all = loop.digest(/*streams=*/false);
  if (!loop.session) return all;
  for (const auto& live : loop.session->bed().seeds()) {
    all.push_back(torch::tensor(live->seed->alpha, torch::kFloat64));
    all.push_back(torch::tensor(static_cast<std::int64_t>(live->stage)));
    for (const auto& tensor : live->average.tensors()) all.push_back(tensor.clone());
    for (const auto& buffer : live->seed->buffers()) all.push_back(buffer.clone());
    for (const auto& parameter : live->parameters) all.push_back(parameter.detach().clone());
  }
  return all;
}

}  // namespace esper
