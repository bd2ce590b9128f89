// Trainers in processes of their own, found through the store of the first; some are killed as by
// kill -9.
#include <fstream>
#include <map>
#include <thread>

#include <sys/wait.h>

#include "actors/decisions/random.hpp"
#include "messages/failpoint.hpp"
#include "messages/interfaces.hpp"
#include "tests/free_port.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/long_tier.hpp"
#include "tests/runtime/scratch_folder.hpp"
#include "tests/test_seed.hpp"

#include <ATen/Parallel.h>

extern "C" esper::TrainingFactory* esper_gpu();

using namespace esper;

namespace {

RunConfig config_of(const std::vector<std::string>& names, std::uint32_t steps) {
  RunConfig config;
  config.name = "replicas";
  config.seed = 3;
  config.pace.mode = Pace::free;
  config.data.training_samples = 960;
  config.data.gate_samples = 256;
  config.data.test_samples = 300;
  config.training.batch = 32;
  config.training.steps_max = steps;
  config.training.epochs = 10;
  config.time.window_steps = 6;
  config.time.gate_samples = 64;
  config.time.verdict_samples = 64;
  config.cluster.quorum = QuorumRule::none;
  for (const auto& name : names) {
    NodeConfig node;
    node.name = name;
    node.roles = {NodeRole::trainer};
    if (name == names.front()) node.roles.push_back(NodeRole::prime);
    config.nodes.push_back(node);
  }
  return config;
}

struct Process {
  std::string node;
  std::string failpoint{};       ///< that kills it; "": none
  std::uint32_t comes_after{};   ///< steps of the first that trains throughout; 0: at once
  std::uint32_t stands_still{};  ///< at this step, until that first is at `wakes_after`; 0: never
  std::uint32_t wakes_after{};
};

/// Trains from the first step to the last.
std::string first_steady(const std::vector<Process>& processes) {
  return std::find_if(processes.begin(), processes.end(),
                      [](const Process& process) {
                        return process.stands_still == 0 && process.failpoint.empty();
                      })
      ->node;
}

struct Told {
  int signal{};
  std::string hash, failure;
  std::uint64_t steps{};
  double last_loss{};
};

/// Trains `arm` in a process for each; what each one's end was. `detector`: the others are told
/// of whoever stands still.
std::vector<Told> train(const RunConfig& config, const char* arm,
                        const std::vector<Process>& processes, bool detector = false) {
  const ScratchFolder folder;
  std::map<std::string, std::uint16_t> ports;
  std::vector<std::string> stores;
  for (const Process& process : processes)
    if (ports.emplace(process.node, 0).second) {
      ports[process.node] = free_port();
      stores.push_back("127.0.0.1:" + std::to_string(ports[process.node]));
    }
  const auto file = [&](const std::string& node) { return (folder.path() / node).string(); };
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const Process& process = processes[i];
    const std::string answer = file(std::to_string(i));
    const pid_t child = ::fork();
    if (child == 0) {
      std::ofstream out;
      try {
        TrainingRequest request{config, arm, {}};
        const bool leads = process.node == processes.front().node;
        request.replica = ReplicaPlace{.node = process.node,
                                       .stores = stores,
                                       .store_port = ports[process.node],
                                       .leads = leads};
        const auto training = esper_gpu()->make(request);
        if (!arm_failpoint(process.failpoint).empty()) ::_exit(3);
        while (process.comes_after > 0 && !std::ifstream(file("reached"))) ::usleep(1'000);
        std::uint32_t reach = 0;
        for (const Process& other : processes)
          reach = std::max({reach, other.comes_after, other.wakes_after});
        const bool tells = process.node == first_steady(processes);
        const std::atomic<bool> stop{false};
        std::jthread told;
        if (process.stands_still == 0 && detector)
          told = std::jthread([&](const std::stop_token& ended) {
            while (!ended.stop_requested() && !std::ifstream(file("still"))) ::usleep(1'000);
            for (const Process& other : processes)
              if (other.stands_still > 0) training->lose(other.node);
          });
        const auto end = training->run(stop, [&](const TrainingProgress& progress) {
          if (tells && reach > 0 && progress.step.value >= reach)
            std::ofstream(file("reached")) << "yes";
          if (process.stands_still == 0 || progress.step.value < process.stands_still) return;
          if (std::ifstream(file("still"))) return;
          std::ofstream(file("still")) << "yes";
          ::raise(SIGSTOP);
        });
        out.open(answer);
        out << end.model.weights_hash << ' ' << end.model.steps << ' '
            << (end.window_losses.empty() ? 0 : end.window_losses.back()) << std::endl;
      } catch (const std::exception& failure) {
        out.open(answer);
        out << "failed 0 0 " << failure.what() << std::endl;
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (processes[i].wakes_after == 0) continue;
    while (!std::ifstream(file("reached"))) ::usleep(1'000);
    ::kill(children[i], SIGCONT);
  }
  std::vector<Told> all;
  for (std::size_t i = 0; i < children.size(); ++i) {
    Told& told = all.emplace_back();
    int status = 0;
    if (::waitpid(children[i], &status, 0) != children[i]) throw std::runtime_error("no child");
    told.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    std::ifstream in(file(std::to_string(i)));
    in >> told.hash >> told.steps >> told.last_loss;
    std::getline(in, told.failure);
  }
  return all;
}

void alike(const std::vector<Told>& told, std::uint64_t steps) {
  std::string hash;
  for (const Told& one : told) {
    if (one.signal != 0) continue;
    CHECK(one.failure == "");
    CHECK(one.steps == steps);
    if (!hash.empty()) CHECK(one.hash == hash);
    hash = one.hash;
  }
  CHECK(hash.size() == 64);
}

}  // namespace

SCENARIO("trainers in three processes end with the same weights", "[replicas][processes]") {
  at::set_num_threads(1);
  const auto arm = GENERATE("host", "grown");
  const auto config = config_of({"a", "b", "c"}, 40);
  const auto told = train(config, arm, {{.node = "a"}, {.node = "b"}, {.node = "c"}});
  for (const Told& one : told) CHECK(one.signal == 0);
  alike(told, 40);
}

SCENARIO("a trainer killed inside the collective leaves two that go on alike",
         "[replicas][processes][elastic]") {
  at::set_num_threads(1);
  const std::string victim = GENERATE("a", "b", "c");
  const std::string failpoint = GENERATE("collective:15", "prepared:2");
  INFO(victim << " at " << failpoint);
  std::vector<Process> processes{{.node = "a"}, {.node = "b"}, {.node = "c"}};
  for (Process& process : processes)
    if (process.node == victim) process.failpoint = failpoint;
  const auto told = train(config_of({"a", "b", "c"}, 40), "grown", processes);
  for (std::size_t i = 0; i < told.size(); ++i)
    CHECK(told[i].signal == (processes[i].node == victim ? SIGKILL : 0));
  alike(told, 40);
}

SCENARIO("a trainer killed at any moment leaves two that go on alike",
         "[replicas][processes][elastic]") {
  at::set_num_threads(1);
  RandomStream random(test_seed(), "kills", 0);
  const int rounds = cases(1, 20);
  for (int round = 0; round < rounds; ++round) {
    std::vector<Process> processes{{.node = "a"}, {.node = "b"}, {.node = "c"}};
    const auto victim = random.below(processes.size());
    const std::string moment = random.below(3) > 0
                                   ? "collective:" + std::to_string(1 + random.below(38))
                                   : "prepared:" + std::to_string(1 + random.below(5));
    processes[victim].failpoint = moment;
    CAPTURE(round, victim, moment);
    const auto told = train(config_of({"a", "b", "c"}, 40), "grown", processes);
    for (std::size_t i = 0; i < told.size(); ++i)
      CHECK(told[i].signal == (i == victim ? SIGKILL : 0));
    alike(told, 40);
  }
}

SCENARIO("a trainer that was killed comes again as a new process and ends alike",
         "[replicas][processes][elastic]") {
  at::set_num_threads(1);
  const auto told = train(config_of({"a", "b", "c"}, 300), "grown",
                          {{.node = "a"},
                           {.node = "b"},
                           {.node = "c", .failpoint = "collective:15"},
                           {.node = "c", .comes_after = 30}});
  CHECK(told[2].signal == SIGKILL);
  CHECK(told[3].signal == 0);
  alike(told, 300);
}

SCENARIO("a leader without a checkpoint does not lead those whose launch it does not know",
         "[replicas][processes][elastic]") {
  at::set_num_threads(1);
  const auto told = train(config_of({"a", "b", "c"}, 300), "grown",
                          {{.node = "a", .failpoint = "collective:15"},
                           {.node = "b"},
                           {.node = "c"},
                           {.node = "a", .comes_after = 30}});
  CHECK(told[0].signal == SIGKILL);
  CHECK_THAT(told[3].failure, Catch::Contains("other trainers of another launch go on without a"));
  alike({told[1], told[2]}, 300);
}

SCENARIO("a trainer that stood still is gone on without, let in again, and ends alike",
         "[replicas][processes][elastic]") {
  at::set_num_threads(1);
  auto config = config_of({"a", "b", "c"}, 1'000);
  config.training.epochs = 100;
  config.cluster.quorum = QuorumRule::majority;
  // The first keeps the table where the others meet: it takes connections, and answers nothing.
  const std::string victim = GENERATE("a", "c");
  const bool detector = GENERATE(false, true);
  INFO(victim << ' ' << detector);
  // With a detector nothing else ends the sum that waits for it.
  if (!detector) config.cluster.timeouts.collective_ms = 1'500;
  if (detector) config.cluster.timeouts.collective_ms = 600'000;
  config.cluster.timeouts.confirmation_ms = 500;
  std::vector<Process> processes{{.node = "a"}, {.node = "b"}, {.node = "c"}};
  for (Process& process : processes)
    if (process.node == victim) process.stands_still = 20, process.wakes_after = 40;
  const auto told = train(config, "grown", processes, detector);
  for (const Told& one : told) CHECK(one.signal == 0);
  alike(told, 1'000);
}
