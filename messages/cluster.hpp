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
  std::string refusal;      ///< one sentence; "": it is in
  HostDescription host;     ///< as it was launched
  std::string journal_run;  ///< its name among the runs of a database; "": the journal is a file

  static constexpr auto schema =
      record("NodeWelcome", field("refusal", &NodeWelcome::refusal),
             field("host", &NodeWelcome::host), field("journal_run", &NodeWelcome::journal_run));
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

/// The prime tells nodes, and proxies, that a node is lost; or bids its nodes farewell.
struct NodeLost {
  std::string node;
  std::uint64_t incarnation{};  ///< of its lost life; 0: a farewell, or it is only drained

  static constexpr auto schema = record("NodeLost", field("node", &NodeLost::node),
                                        field("incarnation", &NodeLost::incarnation));
};

/// A trainer asks a node that does not train for its vote for the next group of trainers; or, with
/// `members`, to agree to the group that the votes made (actors/decisions/training_group.hpp).
struct WitnessQuestion {
  std::uint64_t run{};  ///< of a later launch: higher
  std::uint64_t epoch{};
  std::vector<std::string> members;

  static constexpr auto schema =
      record("WitnessQuestion", field("run", &WitnessQuestion::run),
             field("epoch", &WitnessQuestion::epoch), field("members", &WitnessQuestion::members));
};

struct WitnessAnswer {
  std::string node;
  bool given{};                      ///< its vote, or that it agrees
  std::uint64_t promised{};          ///< newest epoch that it voted for
  std::uint64_t newest{};            ///< of the newest group that it agreed to; 0: none
  std::vector<std::string> members;  ///< of that group

  static constexpr auto schema =
      record("WitnessAnswer", field("node", &WitnessAnswer::node),
             field("given", &WitnessAnswer::given), field("promised", &WitnessAnswer::promised),
             field("newest", &WitnessAnswer::newest), field("members", &WitnessAnswer::members));
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
