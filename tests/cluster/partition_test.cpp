// Nodes on hosts of their own: real TCP and TLS, and a network that is cut, deaf, lossy.
#include <functional>

#include "tests/cluster/cluster_runs.hpp"
#include "tests/cluster/network_hosts.hpp"
#include "tests/durability/watched_run.hpp"
#include "tests/long_tier.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

constexpr std::uint32_t gate_port = 7'400;

/// A prime and two nodes for Narsets, each on a host of its own.
class Cluster {
 public:
  explicit Cluster(const NetworkHosts& hosts)
      : hosts_(hosts), config_(make_config(hosts)), runs_(config_) {
    const ScratchFolder elsewhere;
    Process certs{runs_.executable(), {"certs", certificates().string(), "a", "b", "c"}, elsewhere};
    REQUIRE(certs.wait() == 0);
    for (const char* name : {"a", "b", "c"}) start(name);
  }

  void start(const std::string& name) {
    const Environment environment{{{plain::window_ms_variable, "10"},
                                   {plain::witness_variable, runs_.witness("run").string()}}};
    auto command = hosts_.at(name);
    for (const auto& word :
         {runs_.executable().string(), std::string{"node"}, (runs_ / "config.json").string(),
          std::string{"--name"}, name, std::string{"--certificates"}, certificates().string(),
          std::string{"--out"}, folder_of(name).string()})
      command.push_back(word);
    const std::string program = command.front();
    command.erase(command.begin());
    processes_.insert_or_assign(name, Running{std::make_unique<ScratchFolder>(), nullptr});
    auto& running = processes_.at(name);
    running.process = std::make_unique<Process>(program, command, *running.output);
  }
  void signal(const std::string& name, int number) { processes_.at(name).process->signal(number); }
  int wait(const std::string& name) { return processes_.at(name).process->wait(); }

  [[nodiscard]] std::filesystem::path run() const { return runs_ / "run"; }
  [[nodiscard]] std::vector<NodeStanding> nodes() const {
    const auto status = told();
    return status.is_null() ? std::vector<NodeStanding>{} : nodes_in(status);
  }
  [[nodiscard]] std::uint64_t window() const {
    const auto status = told();
    return status.is_null() ? 0 : status.at("run").at("window").get<std::uint64_t>();
  }
  [[nodiscard]] const NodeStanding* standing(const std::string& name,
                                             const std::vector<NodeStanding>& nodes) const {
    for (const auto& node : nodes)
      if (node.node == name) return &node;
    return nullptr;
  }
  /// True once the node stands so, with or without regions.
  [[nodiscard]] bool comes_to(const std::string& name, const std::string& state,
                              bool regions) const {
    return comes_true([&] {
      const auto all = nodes();
      const auto* node = standing(name, all);
      return node != nullptr && node->state == state && node->regions.empty() != regions;
    });
  }
  [[nodiscard]] bool goes_on() const {
    const auto before = window();
    return comes_true([&] { return window() > before + 5; });
  }
  /// A node that has regions now.
  [[nodiscard]] std::string home() const {
    const auto all = nodes();
    const auto* b = standing("b", all);
    return b != nullptr && !b->regions.empty() ? "b" : "c";
  }
  /// What the journal says in the end.
  [[nodiscard]] std::string look() {
    signal("a", SIGTERM);
    CHECK(wait("a") == 130);
    WatchedRun watched(run(), runs_.witness("run"));
    return watched.look();
  }

 private:
  struct Running {
    std::unique_ptr<ScratchFolder> output;
    std::unique_ptr<Process> process;
  };

  static RunConfig make_config(const NetworkHosts& hosts) {
    auto config = cluster_config(test_seed(), 1'000'000);
    for (auto& node : config.nodes) {
      node.address = hosts.address(node.name);
      node.port = gate_port;
    }
    config.cluster.certificates = "certificates";
    return config;
  }
  [[nodiscard]] std::filesystem::path certificates() const { return runs_ / "certs"; }
  [[nodiscard]] std::filesystem::path folder_of(const std::string& name) const {
    return name == "a" ? run() : runs_ / name;
  }
  [[nodiscard]] nlohmann::json told() const {
    const ScratchFolder elsewhere;
    Process process{runs_.executable(), {"status", run().string(), "-o", "json"}, elsewhere};
    return process.wait() == 0 ? nlohmann::json::parse(process.out()) : nlohmann::json{};
  }

  const NetworkHosts& hosts_;
  RunConfig config_;
  PlainRuns runs_;
  std::map<std::string, Running> processes_;
};

struct Fault {
  const char* name;
  std::function<void(const NetworkHosts&, Cluster&, const std::string&node)> strike, heal;
  bool loses_the_node;
};

std::vector<Fault> faults() {
  const auto healed = [](const NetworkHosts& hosts, Cluster&, const std::string& node) {
    hosts.heal(node);
  };
  return {
      {"cut off",
       [](const NetworkHosts& hosts, Cluster&, const std::string& node) { hosts.cut(node); },
       healed, true},
      {"mute",
       [](const NetworkHosts& hosts, Cluster&, const std::string& node) { hosts.mute(node); },
       healed, true},
      {"a fifth of what it is sent is lost",
       [](const NetworkHosts& hosts, Cluster&, const std::string& node) { hosts.lose(node, 20); },
       healed, false},
      {"stopped for longer than a lease",
       [](const NetworkHosts&, Cluster& cluster, const std::string& node) {
         cluster.signal(node, SIGSTOP);
       },
       [](const NetworkHosts&, Cluster& cluster, const std::string& node) {
         cluster.signal(node, SIGCONT);
       },
       true},
      {"killed",
       [](const NetworkHosts&, Cluster& cluster, const std::string& node) {
         cluster.signal(node, SIGKILL);
       },
       [](const NetworkHosts&, Cluster& cluster, const std::string& node) { cluster.start(node); },
       true},
  };
}

}  // namespace

SCENARIO("a Narset node's network fails, and heals: turns go on, energy is spent once",
         "[cluster][network][FENCE-1][LEDGER-1][LEDGER-2]") {
  if (!can_run_plain()) return;
  const NetworkHosts hosts({"a", "b", "c"});
  if (!hosts.able()) {
    cannot_run_here("network namespaces with iptables can't be made: that needs root");
    return;
  }
  const int rounds = cases(1, 20);
  for (int round = 0; round < rounds; ++round)
    for (const auto& fault : faults()) {
      CAPTURE(fault.name, round);
      Cluster cluster(hosts);
      REQUIRE(comes_true([&] { return cluster.window() > 5; }));
      const auto node = cluster.home();
      const std::string other = node == "b" ? "c" : "b";
      fault.strike(hosts, cluster, node);
      if (fault.loses_the_node) {
        CHECK(cluster.comes_to(node, "lost", /*regions=*/false));
        CHECK(cluster.comes_to(other, "alive", true));
      }
      CHECK(cluster.goes_on());
      fault.heal(hosts, cluster, node);
      CHECK(cluster.comes_to(node, "alive", !fault.loses_the_node));
      CHECK(cluster.goes_on());
      CHECK(cluster.look() == "");
    }
}

SCENARIO("the prime is cut off from every node: its regions hold, and go on when it is healed",
         "[cluster][network][TRAIN-1]") {
  if (!can_run_plain()) return;
  const NetworkHosts hosts({"a", "b", "c"});
  if (!hosts.able()) {
    cannot_run_here("network namespaces with iptables can't be made: that needs root");
    return;
  }
  Cluster cluster(hosts);
  REQUIRE(comes_true([&] { return cluster.window() > 5; }));
  hosts.cut("a");
  CHECK(cluster.comes_to("b", "lost", false));
  CHECK(cluster.comes_to("c", "lost", false));
  CHECK(cluster.goes_on());  // turns without Narsets: nothing is spent
  hosts.heal("a");
  CHECK(comes_true([&] {
    const auto all = cluster.nodes();
    std::size_t regions = 0;
    for (const auto& node : all) regions += node.state == "alive" ? node.regions.size() : 0;
    return regions > 1;
  }));
  CHECK(cluster.goes_on());
  CHECK(cluster.look() == "");
}

}  // namespace esper
