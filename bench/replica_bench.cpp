// Seconds a step of one, two and three replicas on this machine, each a process of its own with one
// thread, all sharing the same whole batch; interleaved, the ratios side by side.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "gpu/trainer.hpp"
#include "tests/free_port.hpp"

namespace {

using namespace esper;

constexpr std::uint32_t steps = 60;

RunConfig config_of(std::uint32_t world, const char* size) {
  RunConfig config;
  config.seed = 3;
  config.model.size = size;
  config.training.batch = 128;
  config.training.steps_max = steps;
  config.training.threads = 1;
  config.data.gate_samples = 256;
  config.data.test_samples = 100;
  for (std::uint32_t rank = 0; rank < world; ++rank) {
    NodeConfig node;
    node.name = "replica" + std::to_string(rank);
    node.roles = {NodeRole::trainer};
    if (rank == 0) node.roles.push_back(NodeRole::prime);
    config.nodes.push_back(node);
  }
  return config;
}

/// Milliseconds a step, as the first of `world` measured it.
double milliseconds_a_step(std::uint32_t world, const char* size) {
  const RunConfig config = config_of(world, size);
  const std::uint16_t port = free_port();
  int ends[2];
  if (::pipe(ends) != 0) std::exit(1);
  std::vector<pid_t> children;
  for (std::uint32_t rank = 0; rank < world; ++rank) {
    const pid_t child = ::fork();
    if (child == 0) {
      TrainingRequest request{config, "host", {}};
      if (world > 1)
        request.replica = ReplicaPlace{.node = "replica" + std::to_string(rank),
                                       .stores = {"127.0.0.1:" + std::to_string(port)},
                                       .store_port = rank == 0 ? port : std::uint16_t{},
                                       .leads = rank == 0};
      Trainer trainer(request);
      const std::atomic<bool> stop{false};
      const double taken = 1e3 * trainer.run(stop, {}).model.wall_seconds / steps;
      const bool told = rank > 0 || ::write(ends[1], &taken, sizeof taken) == sizeof taken;
      ::_exit(told ? 0 : 1);
    }
    children.push_back(child);
  }
  double taken = 0;
  const bool told = ::read(ends[0], &taken, sizeof taken) == sizeof taken;
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  return told ? taken : -1;
}

}  // namespace

int main(int count, char** words) {
  const int rounds = count > 1 ? std::atoi(words[1]) : 3;
  for (const char* size : {"tiny", "base"}) {
    std::printf("fashion_cnn %s, batch 128 in all, ms a step of 1, 2, 3 replicas; over one\n",
                size);
    for (int round = 0; round < rounds; ++round) {
      double taken[3];
      for (std::uint32_t world = 1; world <= 3; ++world)
        taken[world - 1] = milliseconds_a_step(world, size);
      std::printf("  %8.2f %8.2f %8.2f   %5.2f %5.2f\n", taken[0], taken[1], taken[2],
                  taken[1] / taken[0], taken[2] / taken[0]);
      std::fflush(stdout);
    }
  }
  return 0;
}
