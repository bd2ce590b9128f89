#pragma once
// What the nodes of a run tell each other about themselves.
#include "messages/host.hpp"
#include "messages/units.hpp"

namespace esper {

/// A node asks the prime to be let in, and to be given Narsets.
struct NodeJoins {
  std::string node;
  std::uint64_t incarnation{};  ///< of its process's present life; higher: later

  static constexpr auto schema = record("NodeJoins", field("node", &NodeJoins::node),
                                        field("incarnation", &NodeJoins::incarnation));
};

/// Answer to NodeJoins.
struct NodeWelcome {
  std::string refusal;   ///< one sentence; "": it is in
  HostDescription host;  ///< as it was launched

  static constexpr auto schema = record("NodeWelcome", field("refusal", &NodeWelcome::refusal),
                                        field("host", &NodeWelcome::host));
};

/// A sign of life that crossed its sender's scheduler.
struct NodePulse {
  std::string node;
  std::uint64_t incarnation{};

  static constexpr auto schema = record("NodePulse", field("node", &NodePulse::node),
                                        field("incarnation", &NodePulse::incarnation));
};

/// The prime asks a node for a Narset.
struct StartNarset {
  RegionId region;
  Epoch epoch;

  static constexpr auto schema = record("StartNarset", field("region", &StartNarset::region),
                                        field("epoch", &StartNarset::epoch));
};

/// A node's Narset is told to end, or a proxy that its node is lost.
struct NodeLost {
  std::string node;
  std::uint64_t incarnation{};

  static constexpr auto schema = record("NodeLost", field("node", &NodeLost::node),
                                        field("incarnation", &NodeLost::incarnation));
};

/// One node as people see it.
struct NodeStanding {
  std::string node;
  std::string state;  ///< of its control side: "unknown", "alive", "suspected" or "lost"
  std::uint64_t incarnation{};
  bool drained{};                    ///< no Narset is placed there any more
  std::vector<std::string> regions;  ///< whose Narsets are placed there

  static constexpr auto schema =
      record("NodeStanding", field("node", &NodeStanding::node),
             field("state", &NodeStanding::state), field("incarnation", &NodeStanding::incarnation),
             field("drained", &NodeStanding::drained), field("regions", &NodeStanding::regions));
};

}  // namespace esper
