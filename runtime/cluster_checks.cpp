// What contradicts itself in a config of several nodes.
#include <algorithm>
#include <map>
#include <set>

#include "actors/decisions/host_catalogue.hpp"
#include "actors/decisions/structural_commit.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/config_checks.hpp"
#include "runtime/listed.hpp"
#include "runtime/node_name.hpp"

namespace esper {

namespace {

class ClusterChecks {
 public:
  explicit ClusterChecks(const RunConfig& config) : config_(config) {}

  std::vector<ConfigContradiction> all() {
    check_timeouts();
    check_journal();
    if (config_.nodes.empty()) {
      expect(config_.cluster.pins.empty(), "cluster.pins", "pins regions where there are no nodes",
             "add nodes, or remove the pins");
      return std::move(found_);
    }
    for (std::size_t i = 0; i < config_.nodes.size(); ++i) check_node(i);
    check_roles();
    check_trainers();
    check_pins();
    check_room();
    check_certificates();
    return std::move(found_);
  }

 private:
  void expect(bool holds, std::string key, std::string problem, std::string remedy) {
    if (!holds) found_.push_back({std::move(key), std::move(problem), std::move(remedy)});
  }

  void check_node(std::size_t i) {
    const auto& node = config_.nodes[i];
    const auto key = "nodes[" + std::to_string(i) + "]";
    expect(is_node_name(node.name), key + ".name", "\"" + node.name + "\" is no name of a node",
           std::string{node_name_rule});
    expect(!node.address.empty(), key + ".address", "is empty", "give a host's name or IP address");
    expect(!node.roles.empty(), key + ".roles", node.name + " has nothing to do",
           "give at least one of prime, standby, trainer, narsets");
    const std::set<NodeRole> roles(node.roles.begin(), node.roles.end());
    expect(roles.size() == node.roles.size(), key + ".roles", "names a role twice", "name it once");
    for (std::size_t before = 0; before < i; ++before) {
      const auto& other = config_.nodes[before];
      expect(other.name != node.name, key + ".name",
             "\"" + node.name + "\" is taken by nodes[" + std::to_string(before) + "]",
             "give another name");
      expect(other.address != node.address || other.port != node.port, key + ".port",
             std::to_string(node.port) + " on " + node.address + " is taken by " + other.name,
             "give another port");
    }
    expect(!(roles.contains(NodeRole::prime) && roles.contains(NodeRole::standby)), key + ".roles",
           node.name + " would stand by for itself", "make another node the standby");
    const bool trains = roles.contains(NodeRole::trainer);
    for (const NodeRole role : {NodeRole::prime, NodeRole::standby})
      expect(!roles.contains(role) || trains, key + ".roles",
             node.name + " is " + std::string{name_of(role)} +
                 " and no trainer: commands reach the replicas by the one beside it",
             "add trainer");
    expect(node.device == "cpu", key + ".device",
           "\"" + node.device + "\" is no device that this version trains on", "give cpu");
    expect(roles.contains(NodeRole::narsets) || node.narsets_max == 0, key + ".narsets_max",
           node.name + " takes no Narsets", "remove it, or add the role narsets");
  }

  void check_roles() {
    const auto primes = nodes_with(config_, NodeRole::prime);
    expect(!primes.empty(), "nodes", "has no prime", "give one node the role prime");
    for (std::size_t i = 1; i < primes.size(); ++i)
      expect(false, "nodes",
             "has two primes, " + primes[0].name + " and " + primes[i].name +
                 ": energy would be minted twice",
             "make the second a standby");
    const auto standbys = nodes_with(config_, NodeRole::standby);
    expect(standbys.size() <= 1, "nodes", "has more than one standby", "leave one");
    expect(standbys.empty() || config_.cluster.journal == JournalBackend::postgresql,
           "cluster.journal",
           "is sqlite, a file of the prime's machine that no standby can go on with",
           "give postgresql, or remove the standby");
    expect(!nodes_with(config_, NodeRole::narsets).empty(), "nodes", "takes no Narsets anywhere",
           "give at least one node the role narsets");
  }

  void check_trainers() {
    const auto trainers = static_cast<std::uint32_t>(nodes_with(config_, NodeRole::trainer).size());
    expect(trainers <= StructuralCommit::world_max, "nodes",
           "has " + std::to_string(trainers) + " trainers", "give at most 16");
    if (trainers < 2) return;
    expect(config_.cluster.quorum == QuorumRule::none || config_.nodes.size() != 2,
           "cluster.quorum", "is majority of two nodes: the loss of either would stop the other",
           "add a third node, which need not train, or give none");
    expect(config_.cluster.store_port != 0, "cluster.store_port",
           "is not given, and several trainers have to find each other",
           "give a free port of the prime's machine");
    expect(config_.cluster.store_port + trainers - 1 <= 65'535, "cluster.store_port",
           "leaves no " + std::to_string(trainers) + " ports from there on, one for each trainer",
           "give a lower port");
    const auto ranked = trainers_of(config_);
    for (std::size_t rank = 0; rank < ranked.size(); ++rank)
      for (const auto& node : config_.nodes)
        expect(node.address != ranked[rank].address || node.port != store_port_of(config_, rank),
               "cluster.store_port",
               std::to_string(node.port) + ", of the trainer " + ranked[rank].name +
                   ", is the gate of " + node.name,
               "give another port; each trainer takes the next from there on");
    expect(config_.training.batch % trainers == 0, "training.batch",
           std::to_string(config_.training.batch) + " samples can't be shared evenly by " +
               std::to_string(trainers) + " trainers",
           "give a multiple of " + std::to_string(trainers));
  }

  void check_timeouts() {
    const auto& times = config_.cluster.timeouts;
    struct Step {
      const char* shorter;
      std::uint32_t shorter_ms;
      const char* longer;
      std::uint32_t longer_ms;
      const char* why;
    };
    const auto steps = std::to_array<Step>({
        {"heartbeat_ms", times.heartbeat_ms, "suspicion_ms", times.suspicion_ms,
         "every node would be suspected between two of its signs of life"},
        {"suspicion_ms", times.suspicion_ms, "confirmation_ms", times.confirmation_ms,
         "a node would be lost before it was suspected"},
        {"confirmation_ms", times.confirmation_ms, "connection_ms", times.connection_ms,
         "a connection would be cut before its node is known to be lost"},
        {"connection_ms", times.connection_ms, "request_ms", times.request_ms,
         "a request would be given up while its connection may still be whole"},
        {"request_ms", times.request_ms, "collective_ms", times.collective_ms,
         "trainers would give each other up while a request for them is under way"},
        {"collective_ms", times.collective_ms, "ready_ms", times.ready_ms,
         "a start would be given up while trainers still find each other"},
    });
    for (const auto& step : steps)
      expect(step.shorter_ms < step.longer_ms, std::string{"cluster.timeouts."} + step.shorter,
             "is not below cluster.timeouts." + std::string{step.longer} + ", " +
                 std::to_string(step.longer_ms) + ": " + step.why,
             "give less than " + std::to_string(step.longer_ms));
  }

  void check_journal() {
    const auto& cluster = config_.cluster;
    const bool remote = cluster.journal == JournalBackend::postgresql;
    expect(!remote || !cluster.database.empty(), "cluster.database",
           "is empty, and the journal is in PostgreSQL", "give a connection string");
    expect(remote || cluster.database.empty(), "cluster.database",
           "names a database, and the journal is in SQLite",
           "remove it, or give cluster.journal postgresql");
    const auto& text = cluster.database;
    const bool secret = text.find("password") != std::string::npos ||
                        (text.find("://") != std::string::npos &&
                         text.find(':', text.find("://") + 3) < text.find('@'));
    expect(!secret, "cluster.database",
           "holds a password, which everybody who reads this would see",
           "put it into the file that PGPASSFILE names");
  }

  [[nodiscard]] std::vector<std::string> regions() const {
    std::vector<std::string> names;
    for (const auto& region : config_.model.regions) names.push_back(region.name);
    if (names.empty())
      if (const auto host = describe_host(config_.model.host, config_.model.size))
        for (const auto& region : host->regions) names.push_back(region.name);
    return names;
  }

  void check_pins() {
    const auto known = regions();
    std::map<std::string, std::string> pinned;
    const auto& pins = config_.cluster.pins;
    for (std::size_t i = 0; i < pins.size(); ++i) {
      const auto key = "cluster.pins[" + std::to_string(i) + "]";
      expect(std::ranges::find(known, pins[i].region) != known.end(), key + ".region",
             "there is no region \"" + pins[i].region + "\"", "write one of " + listed(known));
      const auto [first, fresh] = pinned.emplace(pins[i].region, pins[i].node);
      expect(fresh, key + ".region", pins[i].region + " is pinned to " + first->second + " already",
             "pin it once");
      const auto* node = node_named(config_, pins[i].node);
      std::vector<std::string> hosts;
      for (const auto& host : nodes_with(config_, NodeRole::narsets)) hosts.push_back(host.name);
      expect(node != nullptr, key + ".node", "there is no node \"" + pins[i].node + "\"",
             "write one of " + listed(hosts));
      expect(node == nullptr || has_role(*node, NodeRole::narsets), key + ".node",
             pins[i].node + " takes no Narsets",
             "give it the role narsets, or write one of " + listed(hosts));
    }
  }

  void check_room() {
    const auto hosts = nodes_with(config_, NodeRole::narsets);
    std::uint64_t room = 0;
    bool any = false;
    for (const auto& node : hosts) {
      room += node.narsets_max;
      any = any || node.narsets_max == 0;
      const auto pinned = static_cast<std::uint64_t>(std::ranges::count_if(
          config_.cluster.pins, [&](const PinConfig& pin) { return pin.node == node.name; }));
      expect(node.narsets_max == 0 || pinned <= node.narsets_max, "cluster.pins",
             "puts " + std::to_string(pinned) + " regions on " + node.name + ", which takes " +
                 std::to_string(node.narsets_max),
             "raise its narsets_max, or pin fewer");
    }
    const auto count = regions().size();
    expect(hosts.empty() || any || room >= count, "nodes",
           "take " + std::to_string(room) + " Narsets in all, and there are " +
               std::to_string(count) + " regions",
           "raise a narsets_max, or give 0 for any number");
  }

  void check_certificates() {
    if (!config_.cluster.certificates.empty()) return;
    for (std::size_t i = 0; i < config_.nodes.size(); ++i)
      expect(is_loopback(config_.nodes[i].address), "nodes[" + std::to_string(i) + "].address",
             config_.nodes[i].address + " is another machine's, and no certificates are named",
             "make them with esper certs and name their folder in cluster.certificates");
  }

  const RunConfig& config_;
  std::vector<ConfigContradiction> found_;
};

}  // namespace

std::vector<ConfigContradiction> cluster_contradictions(const RunConfig& config) {
  return ClusterChecks(config).all();
}

}  // namespace esper
