// The prime's book of nodes, bare: where a Narset is, and where its next one goes.
#include "actors/node_table.hpp"

#include <catch2/catch.hpp>

namespace esper {
namespace {

constexpr std::uint64_t suspicion_ms = 100, confirmation_ms = 200;

RunConfig config_of(std::uint32_t narsets_max) {
  RunConfig config;
  config.nodes = {{.name = "prime", .roles = {NodeRole::prime}}};
  for (const char* name : {"b", "c", "d"})
    config.nodes.push_back(
        {.name = name, .roles = {NodeRole::narsets}, .narsets_max = narsets_max});
  config.cluster.timeouts.suspicion_ms = suspicion_ms;
  config.cluster.timeouts.confirmation_ms = confirmation_ms;
  return config;
}

HostDescription host_of(int regions) {
  HostDescription host;
  for (int i = 0; i < regions; ++i) host.regions.emplace_back().name = std::to_string(i);
  return host;
}

caf::behavior idle(caf::event_based_actor*) {
  return {[](int) {}};
}

constexpr std::array names{"b", "c", "d"};

/// Three nodes of Narsets, all of them there at 0 ms.
struct Book {
  explicit Book(std::uint32_t regions, std::uint32_t narsets_max = 0)
      : table(config_of(narsets_max), host_of(static_cast<int>(regions)), "prime") {
    for (const char* name : names) table.join({name, 1}, hosts[name] = some_actor(), 0);
    for (std::uint32_t i = 0; i < regions; ++i) start(i);
  }

  caf::strong_actor_ptr some_actor() {
    return kept.emplace_back(caf::actor_cast<caf::strong_actor_ptr>(system.spawn(idle)));
  }
  /// The region's Narset begins, as the supervisor has it begun. Returns on which node.
  std::string start(std::uint32_t region) {
    const auto seat = table.seat(RegionId{region});
    if (!seat) return "";
    proxies[region] = caf::actor_cast<caf::actor_addr>(some_actor());
    table.seated(RegionId{region}, proxies[region]);
    return seat->node;
  }
  [[nodiscard]] std::string node_of(std::uint32_t region) const {
    for (const auto& node : table.standing())
      for (const auto& name : node.regions)
        if (name == std::to_string(region)) return node.node;
    return "";
  }
  [[nodiscard]] std::vector<std::uint32_t> regions_on(const std::string& node) const {
    std::vector<std::uint32_t> found;
    for (const auto& [region, proxy] : proxies)
      if (node_of(region) == node) found.push_back(region);
    return found;
  }
  /// Every node but this one is heard at that instant.
  void all_heard_but(const std::string& silent, std::uint64_t now_ms) {
    for (const char* name : names)
      if (name != silent) table.heard({name, 1}, now_ms);
  }

  void lose_stream(const std::string& node) {
    table.gone(caf::actor_cast<caf::actor_addr>(hosts.at(node)));
  }
  /// The node of the three that is neither.
  [[nodiscard]] static std::string third(const std::string& one, const std::string& other) {
    return *std::ranges::find_if(names,
                                 [&](const char* name) { return name != one && name != other; });
  }

  caf::actor_system_config settings;
  caf::actor_system system{settings};
  NodeTable table;
  std::vector<caf::strong_actor_ptr> kept;
  std::map<std::string, caf::strong_actor_ptr> hosts;
  std::map<std::uint32_t, caf::actor_addr> proxies;
};

}  // namespace

SCENARIO("whoever stands on a silent node stays there though another region falls meanwhile",
         "[cluster][node_table]") {
  Book book(9);
  const auto silent = book.node_of(0);
  const auto there = book.regions_on(silent);
  std::uint32_t elsewhere = 0;
  while (book.node_of(elsewhere) == silent) ++elsewhere;
  const auto at_home = book.node_of(elsewhere);

  book.all_heard_but(silent, suspicion_ms + 1);
  CHECK(book.table.look(suspicion_ms + 1).empty());  // suspected, no more
  REQUIRE(book.start(elsewhere) == at_home);
  const auto other = Book::third(silent, at_home);
  book.lose_stream(at_home);
  REQUIRE(book.start(elsewhere) == other);
  CHECK(book.regions_on(silent) == there);

  GIVEN("it is lost after all: each of its Narsets' proxies is told, and each moves") {
    book.all_heard_but(silent, confirmation_ms + 1);
    std::vector<std::string> lost;
    for (const auto& node : book.table.look(confirmation_ms + 1)) lost.push_back(node.node);
    CHECK(std::ranges::count(lost, silent) == 1);
    CHECK(book.regions_on(silent).empty());  // its Narsets can do nothing more
    const auto told = book.table.proxies_on(silent);
    REQUIRE(told.size() == there.size());
    for (const auto region : there) {
      CHECK(std::ranges::count(told, book.proxies.at(region)) == 1);
      // Those that have not fallen yet are told still, whoever falls first.
      CHECK(book.start(region) == other);
      CHECK(book.node_of(region) == other);
    }
    CHECK(book.table.proxies_on(silent).empty());

    // It comes back as new: what stood there stands there no more.
    book.table.join({silent, 2}, book.some_actor(), confirmation_ms + 2);
    CHECK(book.regions_on(silent).empty());
  }
  GIVEN("it is heard again: its regions have never moved") {
    book.all_heard_but("", suspicion_ms + 2);
    static_cast<void>(book.table.look(suspicion_ms + 2));
    for (const auto region : there) CHECK(book.start(region) == silent);
  }
}

SCENARIO("a drained node's proxies are told, though one that fell moved the others' next places",
         "[cluster][node_table]") {
  Book book(9);
  const auto drained = book.node_of(0);
  const auto there = book.regions_on(drained);
  REQUIRE(there.size() > 1);
  REQUIRE(book.table.drain(drained) == "");
  CHECK(book.start(0) != drained);
  CHECK(book.table.proxies_on(drained).size() == there.size() - 1);
}

SCENARIO("a node that was silent for a while is not filled beyond its room",
         "[cluster][node_table]") {
  constexpr std::uint32_t room = 3, regions = 6;
  Book book(regions, room);
  const auto silent = book.node_of(0);
  const auto there = book.regions_on(silent);
  book.all_heard_but(silent, suspicion_ms + 1);
  static_cast<void>(book.table.look(suspicion_ms + 1));
  const auto gone = Book::third(silent, "");
  const auto fallen = book.regions_on(gone);
  book.lose_stream(gone);
  for (const auto region : fallen) static_cast<void>(book.start(region));
  CHECK(book.regions_on(silent) == there);

  book.table.heard({silent, 1}, suspicion_ms + 2);  // and whoever found no room tries again
  for (const auto region : fallen) CHECK(book.start(region) != "");
  for (const auto& node : {silent, Book::third(silent, gone)})
    CHECK(book.regions_on(node).size() == room);
}

}  // namespace esper
