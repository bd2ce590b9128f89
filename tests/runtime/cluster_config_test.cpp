// Configs of several nodes: each mistake in its own sentence.
#include <catch2/catch.hpp>

#include <set>

#include "runtime/config.hpp"

namespace esper {
namespace {

/// Three nodes that are right: a prime that trains, and two that take Narsets.
nlohmann::json whole() {
  return nlohmann::json::parse(R"({
    "version": 1, "name": "test", "model": {"host": "fashion_cnn", "size": "tiny"},
    "nodes": [
      {"name": "a", "port": 7001, "roles": ["prime", "trainer", "narsets"]},
      {"name": "b", "port": 7002, "roles": ["narsets"]},
      {"name": "c", "port": 7003, "roles": ["narsets"]}]})");
}

struct Broken {
  const char* what;
  std::string pointer;  ///< of the value that is replaced or added
  nlohmann::json value;
  std::string key, problem;
};

std::vector<Broken> broken() {
  const auto pins = [](const char* region, const char* at) {
    return nlohmann::json{{"pins", {{{"region", region}, {"node", at}}}}};
  };
  return {
      {"a port clash", "/nodes/1/port", 7'001, "nodes[1].port", "7001 on 127.0.0.1 is taken by a"},
      {"no prime", "/nodes/0/roles", {"trainer", "narsets"}, "nodes", "has no prime"},
      {"two primes",
       "/nodes/1/roles",
       {"prime", "trainer"},
       "nodes",
       "has two primes, a and b: energy would be minted twice"},
      {"a prime that trains nothing",
       "/nodes/0/roles",
       {"prime"},
       "nodes[0].roles",
       "a is prime and no trainer: commands reach the replicas by the one beside it"},
      {"a name twice", "/nodes/2/name", "b", "nodes[2].name", "\"b\" is taken by nodes[1]"},
      {"a name that no certificate can hold", "/nodes/2/name", "Node C", "nodes[2].name",
       "\"Node C\" is no name of a node"},
      {"no address", "/nodes/2/address", "", "nodes[2].address", "is empty"},
      {"nothing to do", "/nodes/2/roles", nlohmann::json::array(), "nodes[2].roles",
       "c has nothing to do"},
      {"a role twice",
       "/nodes/2/roles",
       {"narsets", "narsets"},
       "nodes[2].roles",
       "names a role twice"},
      {"a role that is none",
       "/nodes/2/roles",
       {"narset"},
       "nodes[2].roles[0]",
       "\"narset\" is not one of \"prime\", \"standby\", \"trainer\", \"narsets\""},
      {"no device", "/nodes/0/device", "gpu", "nodes[0].device",
       "\"gpu\" is no device that this version trains on"},
      {"room on a node that takes none",
       "/nodes/0",
       {{"name", "a"}, {"port", 7'001}, {"roles", {"prime", "trainer"}}, {"narsets_max", 2}},
       "nodes[0].narsets_max",
       "a takes no Narsets"},
      {"no room",
       "/nodes",
       {{{"name", "a"},
         {"port", 7'001},
         {"roles", {"prime", "trainer", "narsets"}},
         {"narsets_max", 1}}},
       "nodes",
       "take 1 Narsets in all, and there are 3 regions"},
      {"a quorum that one loss would stop",
       "/nodes",
       {{{"name", "a"}, {"port", 7'001}, {"roles", {"prime", "trainer", "narsets"}}},
        {{"name", "b"}, {"port", 7'002}, {"roles", {"trainer"}}}},
       "cluster.quorum",
       "is majority of two nodes: the loss of either would stop the other"},
      {"a pin to nowhere", "/cluster", pins("early", "z"), "cluster.pins[0].node",
       "there is no node \"z\""},
      {"a pin of nothing", "/cluster", pins("nowhere", "b"), "cluster.pins[0].region",
       "there is no region \"nowhere\""},
      {"time-outs out of order",
       "/cluster",
       {{"timeouts", {{"suspicion_ms", 2'500}}}},
       "cluster.timeouts.suspicion_ms",
       "is not below cluster.timeouts.confirmation_ms, 1750: a node would be lost before it was "
       "suspected"},
      {"a heartbeat that is too slow",
       "/cluster",
       {{"timeouts", {{"heartbeat_ms", 1'000}}}},
       "cluster.timeouts.heartbeat_ms",
       "is not below cluster.timeouts.suspicion_ms, 1000: every node would be suspected between "
       "two of its signs of life"},
      {"a standby of a file",
       "/nodes/1/roles",
       {"standby", "trainer"},
       "cluster.journal",
       "is sqlite, a file of the prime's machine that no standby can go on with"},
      {"a database without a name",
       "/cluster",
       {{"journal", "postgresql"}},
       "cluster.database",
       "is empty, and the journal is in PostgreSQL"},
      {"a database for nothing",
       "/cluster",
       {{"database", "host=db"}},
       "cluster.database",
       "names a database, and the journal is in SQLite"},
      {"a password",
       "/cluster",
       {{"journal", "postgresql"}, {"database", "host=db password=secret"}},
       "cluster.database",
       "holds a password, which everybody who reads this would see"},
      {"another machine without certificates", "/nodes/2/address", "10.0.0.3", "nodes[2].address",
       "10.0.0.3 is another machine's, and no certificates are named"},
      {"trainers that can't find each other",
       "/nodes/1/roles",
       {"trainer", "narsets"},
       "cluster.store_port",
       "is not given, and several trainers have to find each other"},
  };
}

}  // namespace

SCENARIO("each broken config of several nodes is refused with its own sentence",
         "[config][cluster]") {
  CHECK(parse_config(whole().dump(), "test.json").mistakes.empty());
  std::set<std::string> sentences;
  std::size_t count = 0;
  for (const auto& one : broken()) {
    CAPTURE(one.what);
    auto json = whole();
    json[nlohmann::json::json_pointer(one.pointer)] = one.value;
    const auto parsed = parse_config(json.dump(2), "test.json");
    for (const auto& mistake : parsed.mistakes) UNSCOPED_INFO(sentence_of(mistake));
    const auto found = std::find_if(
        parsed.mistakes.begin(), parsed.mistakes.end(), [&](const ConfigMistake& mistake) {
          return mistake.key == one.key && mistake.problem == one.problem;
        });
    REQUIRE(found != parsed.mistakes.end());
    CHECK_FALSE(found->remedy.empty());
    CHECK(found->line > 0);
    sentences.insert(sentence_of(*found));
    ++count;
  }
  CHECK(count >= 20);
  CHECK(sentences.size() == count);
}

SCENARIO("two trainers can lose one where a third node has a vote", "[config][cluster][quorum]") {
  auto json = whole();
  json["nodes"][1]["roles"] = {"trainer", "narsets"};
  json["cluster"]["store_port"] = 7'100;
  CHECK(parse_config(json.dump(2), "test.json").mistakes.empty());
}

SCENARIO("a batch is shared evenly by its trainers, and pins have room", "[config][cluster]") {
  auto json = whole();
  json["nodes"][1]["roles"] = {"trainer", "narsets"};
  json["nodes"][2]["roles"] = {"trainer", "narsets"};
  json["cluster"]["store_port"] = 7'100;
  const auto uneven = parse_config(json.dump(2), "test.json");
  REQUIRE(uneven.mistakes.size() == 1);
  CHECK(uneven.mistakes[0].problem == "128 samples can't be shared evenly by 3 trainers");
  json["training"]["batch"] = 126;
  CHECK(parse_config(json.dump(2), "test.json").mistakes.empty());
  json["cluster"]["store_port"] = 7'002;
  CHECK(parse_config(json.dump(2), "test.json").mistakes.at(0).problem ==
        "7002, of the trainer a, is the gate of b");
  json["cluster"]["store_port"] = 65'534;
  CHECK(parse_config(json.dump(2), "test.json").mistakes.at(0).problem ==
        "leaves no 3 ports from there on, one for each trainer");

  json = whole();
  json["nodes"][1]["narsets_max"] = 1;
  json["cluster"]["pins"] = {{{"region", "early"}, {"node", "b"}},
                             {{"region", "late"}, {"node", "b"}}};
  CHECK(parse_config(json.dump(2), "test.json").mistakes.at(0).problem ==
        "puts 2 regions on b, which takes 1");
  json["cluster"]["pins"][1] = {{"region", "early"}, {"node", "c"}};
  CHECK(parse_config(json.dump(2), "test.json").mistakes.at(0).problem ==
        "early is pinned to b already");
  json["cluster"]["pins"] = {{{"region", "early"}, {"node", "b"}}};
  json["nodes"][1]["roles"] = {"trainer"};
  const auto pinned = parse_config(json.dump(2), "test.json");
  CHECK(
      std::any_of(pinned.mistakes.begin(), pinned.mistakes.end(), [](const ConfigMistake& mistake) {
        return mistake.key == "cluster.pins[0].node" && mistake.problem == "b takes no Narsets";
      }));
}

}  // namespace esper
