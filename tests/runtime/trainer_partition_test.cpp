// Real trainers on hosts of their own: each is cut off in turn, and let in again.
#include <map>

#include <signal.h>
#include <catch2/catch.hpp>

#include "runtime/config.hpp"
#include "tests/cluster/comes_true.hpp"
#include "tests/cluster/network_hosts.hpp"
#include "tests/long_tier.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/json_of.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

constexpr std::uint32_t steps = 1'000, gate_port = 7'400, store_port = 7'500;

/// Three nodes; `count`: how many of them train. Narsets are on all, the prime is on the first.
class Trainers {
 public:
  Trainers(const NetworkHosts& hosts, std::size_t count) : hosts_(hosts) {
    auto config = load_config(small).config;
    config.training.steps_max = steps;
    config.training.epochs = 1'000;
    config.training.batch = 126;
    config.baselines = {.host = false, .widened = false, .scratch = false, .uncut = false};
    for (const char* name : {"a", "b", "c"}) {
      config.nodes.push_back({.name = name,
                              .address = hosts.address(name),
                              .port = gate_port,
                              .roles = {NodeRole::narsets}});
      if (config.nodes.size() <= count) config.nodes.back().roles.push_back(NodeRole::trainer);
    }
    config.nodes.front().roles.push_back(NodeRole::prime);
    config.cluster.store_port = store_port;
    config.cluster.certificates = (folder_ / "certs").string();
    write_text(folder_ / "config.json", effective_config(config));
    Process certs{binary, {"certs", (folder_ / "certs").string(), "a", "b", "c"}, folder_};
    REQUIRE(certs.wait() == 0);
    for (const char* name : {"a", "b", "c"}) start(name);
  }

  [[nodiscard]] std::filesystem::path of(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string said_by(const std::string& name) const {
    return processes_.at(name).second->err();
  }
  [[nodiscard]] bool has_said(const std::string& name, const std::string& words) const {
    return comes_true([&] { return said_by(name).find(words) != std::string::npos; });
  }
  [[nodiscard]] int wait(const std::string& name) { return processes_.at(name).second->wait(); }

 private:
  void start(const std::string& name) {
    auto command = hosts_.at(name);
    for (const auto& word :
         {binary.string(), std::string{"node"}, (folder_ / "config.json").string(),
          std::string{"--name"}, name, std::string{"--out"}, of(name).string()})
      command.push_back(word);
    const std::string program = command.front();
    command.erase(command.begin());
    auto output = std::make_unique<ScratchFolder>();
    auto process = std::make_unique<Process>(program, command, *output);
    processes_.insert_or_assign(name, std::pair{std::move(output), std::move(process)});
  }

  const NetworkHosts& hosts_;
  ScratchFolder folder_;
  std::map<std::string, std::pair<std::unique_ptr<ScratchFolder>, std::unique_ptr<Process>>>
      processes_;
};

/// `said`: what the other tells then.
void cut_and_heal(const NetworkHosts& hosts, Trainers& trainers, const std::string& lost,
                  const std::string& other, const std::string& said) {
  REQUIRE(trainers.has_said("a", "grown  step"));
  hosts.cut(lost);
  INFO(trainers.said_by("a") << trainers.said_by("b") << trainers.said_by("c"));
  CHECK(trainers.has_said(other, said));
  CHECK(trainers.has_said(lost, "stands still until it is let in again"));
  hosts.heal(lost);
  CHECK(trainers.has_said(lost, "is one of them again"));
}

void ends_alike(Trainers& trainers, const std::vector<std::string>& followers) {
  REQUIRE(trainers.wait("a") == 0);
  const auto report = json_of(trainers.of("a") / "report.json");
  CHECK(report.at("arms").back().at("steps") == steps);
  for (const auto& name : followers) {
    CHECK(trainers.wait(name) == 0);
    CHECK(json_of(trainers.of(name) / "replica.json").at("weights_hash") ==
          report.at("weights_hash"));
  }
}

}  // namespace

SCENARIO("a trainer that is cut off stands still, is let in again, and all end alike",
         "[cluster][network][TRAIN-1][COMMIT-1]") {
  if (!can_run(/*training=*/true)) return;
  const NetworkHosts hosts({"a", "b", "c"});
  if (!hosts.able())
    return cannot_run_here("network namespaces with iptables can't be made: that needs root");
  const std::vector<std::string> all{"a", "b", "c"};  // the prime among them
  for (std::size_t victim = long_tier() ? 0 : 2; victim < all.size(); ++victim) {
    CAPTURE(all[victim]);
    Trainers trainers(hosts, 3);
    cut_and_heal(hosts, trainers, all[victim], all[(victim + 1) % all.size()],
                 "2 replicas go on together");
    ends_alike(trainers, {"b", "c"});
  }
}

SCENARIO("of two trainers the one that reaches the third node goes on, and lets the other in",
         "[cluster][network][quorum][TRAIN-1]") {
  if (!can_run(/*training=*/true)) return;
  const NetworkHosts hosts({"a", "b", "c"});
  if (!hosts.able())
    return cannot_run_here("network namespaces with iptables can't be made: that needs root");
  for (const bool prime : {false, true}) {
    if (prime && !long_tier()) continue;
    CAPTURE(prime);
    Trainers trainers(hosts, 2);
    cut_and_heal(hosts, trainers, prime ? "a" : "b", prime ? "b" : "a",
                 "one replica goes on alone");
    ends_alike(trainers, {"b"});
    CHECK(trainers.wait("c") == 0);
    const auto votes = json_of(trainers.of("c") / "votes.json");
    CHECK(votes.at("members") == nlohmann::json{prime ? "b" : "a"});
  }
}

}  // namespace esper
