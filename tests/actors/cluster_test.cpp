// Narsets on other nodes, as the prime's tree has them: proxies, fences, places. No network here.
#include <catch2/catch.hpp>

#include "actors/cluster_side.hpp"
#include "actors/narset_host.hpp"
#include "messages/cluster_handles.hpp"
#include "messages/json.hpp"
#include "tests/actors/control_plane_rig.hpp"

namespace esper {
namespace {

RunConfig cluster_config() {
  auto config = small_config();
  for (const char* name : {"a", "b", "c"})
    config.nodes.push_back({.name = name, .port = 1, .roles = {NodeRole::narsets}});
  config.nodes.front().roles = {NodeRole::prime, NodeRole::trainer};
  config.cluster.timeouts = {.heartbeat_ms = 10, .suspicion_ms = 500, .confirmation_ms = 1'000};
  config.cluster.pins = {{"region0", "b"}};
  return config;
}

/// The other nodes' hosts live in the prime's own actor system.
class NearNodes final : public ClusterSide {
 public:
  NearNodes(const RunConfig& config, Metrics& metrics, Log& log)
      : config_(config), metrics_(metrics), log_(log) {}

  void configure(caf::actor_system_config&) override {}
  std::shared_ptr<NodeTable> make_table(const HostDescription& host) override {
    return table = std::make_shared<NodeTable>(config_, host, "a");
  }
  void open(caf::actor_system& system, const caf::strong_actor_ptr& reception) override {
    system_ = &system;
    reception_ = reception;
    for (const char* name : {"b", "c"}) start(name, 1);
    if (!wait_until([&] { return table->missing().empty(); })) throw std::runtime_error("missing");
  }
  void close() override {
    for (auto& [name, host] : hosts_) caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
    hosts_.clear();
    reception_ = nullptr;
  }

  void start(const std::string& name, std::uint64_t incarnation) {
    lives[name] = std::make_shared<NodeLife>();
    hosts_[name] =
        start_narset_host(*system_, {config_, name, incarnation, metrics_, log_, lives[name]});
    caf::anon_send(caf::actor_cast<NarsetHostHandle>(hosts_[name]), reception_);
  }
  void kill(const std::string& name) {
    caf::anon_send_exit(hosts_.at(name), caf::exit_reason::user_shutdown);
    hosts_.erase(name);
  }
  [[nodiscard]] std::string place(const std::string& region) const {
    for (const auto& node : table->standing())
      if (std::ranges::find(node.regions, region) != node.regions.end()) return node.node;
    return "";
  }
  [[nodiscard]] std::string state(const std::string& name) const {
    for (const auto& node : table->standing())
      if (node.node == name) return node.state;
    return "";
  }

  std::shared_ptr<NodeTable> table;
  std::map<std::string, std::shared_ptr<NodeLife>> lives;

 private:
  RunConfig config_;
  Metrics& metrics_;
  Log& log_;
  caf::actor_system* system_{};
  caf::strong_actor_ptr reception_;
  std::map<std::string, caf::strong_actor_ptr> hosts_;
};

/// Of the region's Narset, as its restarts are journalled; 0: it has none.
std::uint32_t newest_epoch(const MemoryJournal& journal, RegionId region) {
  std::uint32_t newest = 0;
  for (const auto& entry : journal.read({0}, {100'000})) {
    if (entry.kind != Restart::schema.name) continue;
    const auto restart = parsed<Restart>(entry.payload);
    CHECK(restart.role == Role::narset);
    if (restart.region == region) newest = std::max(newest, restart.epoch.value);
  }
  return newest;
}

}  // namespace

SCENARIO("Narsets on other nodes decide what they decide at home", "[cluster]") {
  constexpr std::uint64_t windows = 40;
  Rig home(cluster_config());
  const auto expected = decisions_of(home, windows);
  REQUIRE(expected != "");

  Rig rig(cluster_config());
  NearNodes nodes(rig.config, rig.metrics, rig.log);
  auto seams = rig.seams();
  seams.cluster = &nodes;
  ControlPlane plane(rig.config, rig.host, seams);
  REQUIRE(wait_until([&] { return nodes.place("region2") != ""; }));
  CHECK(nodes.place("region0") == "b");
  for (const char* region : {"region1", "region2"}) CHECK(nodes.place(region) != "a");
  for (std::uint64_t i = 0; i < windows; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{windows}, patience));
  CHECK(plane.stop().restarts == 0);
  CHECK(rig.journal.logical_text() == expected);
}

SCENARIO("a prime that another has taken over from bids nobody farewell", "[cluster][FENCE-1]") {
  const bool deposed = GENERATE(false, true);
  Rig rig(cluster_config());
  NearNodes nodes(rig.config, rig.metrics, rig.log);
  auto seams = rig.seams();
  seams.cluster = &nodes;
  seams.deposed = [&] { return deposed; };
  ControlPlane plane(rig.config, rig.host, seams);
  plane.stop();
  for (const char* name : {"b", "c"}) {
    const auto why = nodes.lives.at(name)->wait(milliseconds{100});
    CAPTURE(deposed, name, why);
    CHECK((why == run_is_over) == !deposed);
  }
}

SCENARIO("a lost node's regions move under a higher epoch, and turns go on", "[cluster][FENCE-1]") {
  auto config = cluster_config();
  config.cluster.pins.clear();
  Rig rig(config);
  NearNodes nodes(rig.config, rig.metrics, rig.log);
  auto seams = rig.seams();
  seams.cluster = &nodes;
  ControlPlane plane(rig.config, rig.host, seams);
  std::uint64_t window = 0;
  const auto close_window = [&] {
    REQUIRE(rig.trainer.close_window(patience));
    ++window;
  };
  // A restart is in the journal with the window that it fell into, whichever that is.
  const auto under_epoch = [&](std::uint32_t epoch) {
    return wait_until([&] {
      close_window();
      return newest_epoch(rig.journal, RegionId{1}) >= epoch;
    });
  };
  for (int i = 0; i < 10; ++i) close_window();
  const auto home = nodes.place("region1");
  REQUIRE(home != "");
  const std::string other = home == "b" ? "c" : "b";
  nodes.kill(home);
  REQUIRE(wait_until([&] { return nodes.place("region1") == other; }));
  CHECK(under_epoch(2));
  CHECK(nodes.lives.at(home)->wait(patience) == "it was told to end");

  // It comes back as new, and takes what is pinned nowhere only when the other is lost.
  REQUIRE(wait_until([&] { return nodes.state(home) == "lost"; }));
  CHECK(nodes.table->refusal_of({home, 1}) != "");
  nodes.start(home, 2);
  REQUIRE(wait_until([&] { return nodes.state(home) == "alive"; }));
  for (int i = 0; i < 5; ++i) close_window();
  CHECK(nodes.place("region1") == other);
  const auto before = newest_epoch(rig.journal, RegionId{1});
  nodes.kill(other);
  REQUIRE(wait_until([&] { return nodes.place("region1") == home; }));
  CHECK(under_epoch(before + 1));
  REQUIRE(plane.finish(Window{window}, patience));
  plane.stop();
}

}  // namespace esper
