// When a peer is there, and that one who is given up comes back as another only.
#include "actors/decisions/failure_detector.hpp"

#include <catch2/catch.hpp>

#include "actors/decisions/quorum.hpp"
#include "tests/property.hpp"

namespace esper {

SCENARIO("silence is suspected, then confirmed, and pulses end a suspicion", "[detector]") {
  FailureDetector peer({1'000, 2'000});
  CHECK(peer.look(5'000) == PeerState::unknown);
  REQUIRE(peer.met(1, 10'000));
  CHECK(peer.look(11'000) == PeerState::alive);
  CHECK(peer.look(11'001) == PeerState::suspected);
  peer.heard(1, 11'500);
  CHECK(peer.look(12'500) == PeerState::alive);
  CHECK(peer.look(13'501) == PeerState::lost);
  WHEN("it speaks again") {
    peer.heard(1, 13'600);
    CHECK(peer.look(13'600) == PeerState::lost);
    CHECK_FALSE(peer.met(1, 13'700));
    CHECK(peer.met(2, 13'700));
    CHECK(peer.look(13'800) == PeerState::alive);
    peer.heard(1, 20'000);  // an old incarnation's
    CHECK(peer.look(20'000) == PeerState::lost);
  }
}

SCENARIO("a stream that ends is suspicious at once, and a closed door is the end", "[detector]") {
  FailureDetector peer({1'000, 2'000});
  REQUIRE(peer.met(1, 100));
  peer.stream_gone(1);
  CHECK(peer.state() == PeerState::suspected);
  WHEN("its late pulses come") {
    peer.heard(1, 150);
    CHECK(peer.state() == PeerState::suspected);
  }
  WHEN("it comes by another stream in time") {
    CHECK(peer.met(1, 900));
    CHECK(peer.look(1'500) == PeerState::alive);
  }
  WHEN("nobody listens there") {
    peer.refused();
    CHECK(peer.state() == PeerState::lost);
  }
  WHEN("it stays away") { CHECK(peer.look(2'101) == PeerState::lost); }
}

SCENARIO("nobody is lost who is heard of in time", "[detector]") {
  CHECK(holds("detector", 300, [] {
    FailureDetector peer({1'000, 2'000});
    std::uint64_t now = *rc::gen::inRange<std::uint64_t>(0, 10'000);
    RC_ASSERT(peer.met(3, now));
    for (int i = 0; i < 100; ++i) {
      now += *rc::gen::inRange<std::uint64_t>(0, 1'001);
      RC_ASSERT(peer.look(now) == PeerState::alive);
      peer.heard(3, now);
    }
  }));
}

SCENARIO("never two sides have a majority, whatever votes each has heard", "[quorum]") {
  CHECK(holds("quorum", 500, [] {
    std::vector<Voter> nodes;
    const auto count = *rc::gen::inRange(1, 9);
    for (int i = 0; i < count; ++i)
      nodes.push_back({"node-" + std::to_string(i), *rc::gen::arbitrary<bool>()});
    std::vector<Vote> sides[2];
    for (const auto& node : nodes) {  // each is on one side, and may say so more than once
      const Vote vote{node.node, 4};
      auto& side = sides[*rc::gen::inRange(0, 2)];
      side.push_back(vote);
      if (*rc::gen::arbitrary<bool>()) side.push_back(vote);
      // Its word of an earlier epoch, of the other side.
      sides[*rc::gen::inRange(0, 2)].push_back({node.node, 3});
    }
    sides[*rc::gen::inRange(0, 2)].push_back({"a stranger", 4});
    const bool one = no_quorum(nodes, sides[0], 4, QuorumRule::majority).empty();
    const bool other = no_quorum(nodes, sides[1], 4, QuorumRule::majority).empty();
    RC_ASSERT(!(one && other));
  }));
}

SCENARIO("a side without a trainer stops, and without a quorum's rule any trainer goes on",
         "[quorum]") {
  const std::vector<Voter> nodes{{"a", true}, {"b", false}, {"c", false}};
  CHECK(no_quorum(nodes, {{"b", 1}, {"c", 1}}, 1, QuorumRule::majority) ==
        "no trainer is on this side");
  CHECK(no_quorum(nodes, {{"a", 1}}, 1, QuorumRule::majority) ==
        "1 of 3 nodes are on this side, not more than half");
  CHECK(no_quorum(nodes, {{"a", 1}}, 1, QuorumRule::none) == "");
  CHECK(no_quorum(nodes, {{"a", 1}, {"b", 1}}, 1, QuorumRule::majority) == "");
}

}  // namespace esper
