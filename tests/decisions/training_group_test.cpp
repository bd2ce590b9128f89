// Who trains together after losses and joins, and that no two groups train beside each other.
#include "actors/decisions/training_group.hpp"

#include <catch2/catch.hpp>

#include <map>

#include "actors/decisions/random.hpp"
#include "messages/result.hpp"
#include "tests/property.hpp"

namespace esper {
namespace {

const std::vector<Voter> nodes{{"a", true}, {"b", true}, {"c", true}, {"d", false}, {"e", false}};

Standing says(const std::string& node, std::uint64_t epoch, const Progress& progress,
              const Group& newest = {}) {
  return {node, epoch, progress, false, false, newest, {}};
}

TrainingGroup member_of(const std::string& self, const Group& group) {
  TrainingGroup node(nodes, QuorumRule::majority, self);
  REQUIRE(node.asked(group.epoch));
  REQUIRE(node.agree(group));
  REQUIRE(node.formed(group.epoch));
  node.took_state();
  return node;
}

}  // namespace

SCENARIO("survivors take the state of the one that completed the furthest step",
         "[training_group]") {
  const Group first{5, {"a", "b", "c"}, "a", {}, {}};
  const auto plan = plan_group(
      nodes,
      {says("c", 6, {5, 41, 41}, first), says("d", 6, {}, first), says("b", 6, {5, 40, 40}, first)},
      6, QuorumRule::majority);
  REQUIRE(plan.refused == "");
  CHECK(plan.group.members == std::vector<std::string>{"b", "c"});
  CHECK(plan.group.source == "c");
  CHECK(plan.group.from == Progress{5, 41, 41});
  WHEN("they know of different fences") {
    auto one = says("b", 6, {5, 40, 40}, first), other = says("c", 6, {5, 41, 41}, first);
    one.fences = {{1}, {4}};
    other.fences = {{2}, {3}};
    const auto both =
        plan_group(nodes, {one, other, says("d", 6, {}, first)}, 6, QuorumRule::majority);
    CHECK(both.group.fences == std::vector<Epoch>{{2}, {4}});
  }
  WHEN("both are as far") {
    const auto equal = plan_group(nodes,
                                  {says("c", 6, {5, 41, 41}, first), says("d", 6, {}, first),
                                   says("b", 6, {5, 41, 41}, first)},
                                  6, QuorumRule::majority);
    CHECK(equal.group.source == "b");
  }
  WHEN("one was cut off and went on alone in a group that is over") {
    const Group second{6, {"b", "c"}, "c", {5, 41, 41}, {}};
    const auto rejoined = plan_group(nodes,
                                     {says("a", 7, {5, 43, 43}, first),
                                      says("b", 7, {6, 42, 42}, second), says("d", 7, {}, second)},
                                     7, QuorumRule::majority);
    CHECK(rejoined.group.source == "b");
    CHECK(rejoined.group.members == std::vector<std::string>{"b"});  // at a boundary, not before
  }
}

SCENARIO("no group without a quorum of that epoch, nor while the newest state is elsewhere",
         "[training_group]") {
  const Group first{5, {"a", "b"}, "a", {}, {}};
  CHECK(plan_group(nodes,
                   {says("a", 6, {5, 9, 9}, first), says("b", 5, {5, 9, 9}, first),
                    says("d", 5, {}, first)},
                   6, QuorumRule::majority)
            .refused == "1 of 5 nodes are on this side, not more than half");
  CHECK(
      plan_group(nodes,
                 {says("c", 6, {3, 9, 9}, first), says("d", 6, {}, first), says("e", 6, {}, first)},
                 6, QuorumRule::majority)
          .refused == "the newest state may be with b, which does not answer");
  // A member is back from its disk, another may still be further.
  auto back = says("a", 6, {5, 5, 5}, first);
  back.restored = true;
  CHECK(plan_group(nodes, {back, says("d", 6, {}, first), says("e", 6, {}, first)}, 6,
                   QuorumRule::majority)
            .refused == "the newest state may be with b, which does not answer");
  CHECK(plan_group(nodes, {back, says("b", 6, {5, 9, 9}, first), says("e", 6, {}, first)}, 6,
                   QuorumRule::majority)
            .group.source == "b");
}

SCENARIO("a joiner is admitted at a boundary, with no change under way", "[training_group]") {
  const Group first{5, {"b", "c"}, "b", {}, {}};
  auto source = says("b", 6, {5, 50, 50}, first);
  const auto admitted = [&] {
    return plan_group(
               nodes,
               {says("a", 6, {}), source, says("c", 6, {5, 49, 49}, first), says("d", 6, {})}, 6,
               QuorumRule::majority)
        .group.members;
  };
  CHECK(admitted() == std::vector<std::string>{"b", "c"});
  source.boundary = true;
  CHECK(admitted() == std::vector<std::string>{"a", "b", "c"});
}

SCENARIO("each node knows what to do from whom it hears", "[training_group]") {
  const Group group{5, {"a", "b", "c"}, "a", {}, {}};
  const PeerWord a{"a", false, 5, false}, b{"b", false, 5, false}, c{"c", false, 5, false},
      d{"d", false, 0, false}, e{"e", false, 0, false};
  const auto lost = [](PeerWord peer) {
    peer.lost = true;
    return peer;
  };
  auto first = member_of("a", group);
  auto second = member_of("b", group);
  CHECK(first.next({b, c, d, e}).move == GroupMove::go_on);
  CHECK(first.next({b, lost(c), d, e}).move == GroupMove::ask);
  CHECK(second.next({a, lost(c), d, e}).move == GroupMove::wait);
  CHECK(second.next({lost(a), lost(c), d, e}).move == GroupMove::ask);
  const auto stop = second.next({lost(a), lost(c), d, lost(e)});
  CHECK(stop.move == GroupMove::stop);
  CHECK(stop.why == "2 of 5 nodes are on this side, not more than half");
  TrainingGroup joiner(nodes, QuorumRule::majority, "a");
  CHECK(joiner.next({b, c, d, e}).move == GroupMove::join);
  CHECK(joiner.next({lost(b), lost(c), d, e}).move == GroupMove::ask);
  TrainingGroup bare(nodes, QuorumRule::majority, "d");
  CHECK(bare.next({a, b, c, e}).move == GroupMove::wait);
  WHEN("another asks to join") {
    const Group two{6, {"b", "c"}, "b", {}, {}};
    auto leader = member_of("b", two);
    PeerWord other{"c", false, 6, false}, new_one{"a", false, 0, true};
    leader.completed(7, 7, false);
    CHECK(leader.next({new_one, other, d, e}).move == GroupMove::go_on);
    leader.completed(10, 10, true);
    CHECK(leader.next({new_one, other, d, e}).move == GroupMove::admit);
  }
}

SCENARIO("a vote is kept over a restart, and what its process agreed to is not",
         "[training_group]") {
  const Group group{5, {"a", "b", "c"}, "a", {}, {}};
  auto node = member_of("a", group);
  TrainingGroup again(nodes, QuorumRule::majority, "a", node.memory());
  CHECK_FALSE(again.asked(5));
  CHECK_FALSE(again.formed(5));  // it has that group's state no more
  CHECK_FALSE(again.stands_in(5));
  const auto vote = again.asked(6);
  REQUIRE(vote);
  CHECK(vote->newest == group);
  CHECK_FALSE(again.agree(group));
  node.completed(1, 1, false);
  node.leave();
  CHECK(node.agree(group));
  CHECK_FALSE(node.formed(5));  // told twice, it does not fall back to the group's first state
  CHECK_FALSE(node.stands_in(5));
  CHECK_THROWS_AS(TrainingGroup(nodes, QuorumRule::majority, "x"), InvariantViolation);
}

SCENARIO("no two nodes ask for one epoch, and each asks for a newer one", "[training_group]") {
  for (std::uint64_t newest = 0; newest < 50; ++newest)
    for (std::size_t place = 0; place < 4; ++place) {
      const auto epoch = next_epoch(newest, place, 4);
      CHECK(epoch > newest);
      CHECK(epoch <= newest + 4);
      CHECK(epoch % 4 == place);
    }
  CHECK_THROWS_AS(next_epoch(1, 4, 4), InvariantViolation);
}

SCENARIO("two groups never train beside each other, whoever hears whom", "[training_group]") {
  CHECK(holds("groups", 300, [] {
    RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), "groups");
    std::map<std::string, TrainingGroup> cluster;
    std::map<std::string, Progress> disk;
    for (const auto& voter : nodes)
      cluster.emplace(voter.node, TrainingGroup(nodes, QuorumRule::majority, voter.node));
    std::uint64_t newest_epoch = 0, trained = 0;
    for (int round = 0; round < 40; ++round) {
      const auto place = random.below(3);
      const auto epoch =
          next_epoch(newest_epoch - std::min(newest_epoch, random.below(4)), place, 5);
      newest_epoch = std::max(newest_epoch, epoch);
      GroupRound asking(nodes, QuorumRule::majority, epoch);
      for (auto& [name, node] : cluster)
        if (random.below(4) > 0)
          if (auto vote = node.asked(epoch)) asking.answer(*vote);
      if (const auto plan = asking.plan(); plan.refused.empty()) {
        asking.propose(plan.group);
        bool formed = false;
        for (auto& [name, node] : cluster)
          if (random.below(5) > 0 && node.agree(plan.group))
            formed = asking.agreed(name, epoch) || formed;
        if (formed)
          for (const auto& member : plan.group.members)
            if (random.below(8) > 0 && cluster.at(member).formed(epoch))
              cluster.at(member).took_state();
      }
      for (int step = 0; step < 3; ++step) {
        // Any group that is whole trains, however old it is.
        for (auto& [name, node] : cluster) {
          const auto group = node.group();
          const auto at = node.stands();
          if (at == 0 || group.members.front() != name) continue;
          const bool whole = std::all_of(
              group.members.begin(), group.members.end(), [&](const std::string& member) {
                return cluster.at(member).stands_in(at) &&
                       cluster.at(member).progress().step == node.progress().step;
              });
          if (!whole) continue;
          RC_ASSERT(at >= trained);
          trained = at;
          const auto next = node.progress().step + 1;
          // Some may not hear of the last contribution.
          for (const auto& member : group.members)
            if (random.below(6) > 0) {
              cluster.at(member).completed(next, next, next % 5 == 0);
              if (next % 5 == 0) disk[member] = cluster.at(member).progress();
            }
        }
      }
      if (random.below(6) == 0) {  // one is killed and starts again
        const auto& name = nodes[random.below(5)].node;
        TrainingGroup again(nodes, QuorumRule::majority, name, cluster.at(name).memory());
        again.restored(disk[name]);
        cluster.erase(name);
        cluster.emplace(name, std::move(again));
      }
    }
  }));
}

}  // namespace esper
