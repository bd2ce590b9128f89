#pragma once
// What the nodes of a simulated cluster tell each other.
#include <map>
#include <memory>
#include <variant>

#include "actors/decisions/leases.hpp"
#include "actors/decisions/shards.hpp"
#include "actors/decisions/standby.hpp"
#include "actors/decisions/training_group.hpp"

namespace esper::sim::cluster {

using NodeId = std::uint32_t;  ///< place in the config; the database's is one more than the last

/// What a region's Narset wants done to the replicas.
struct Command {
  std::uint64_t id{};
  RegionId region;
  Epoch epoch;
  Cycle cycle;
  Window until;
  std::int64_t cost{};  ///< thousandths
};

struct Pulse {
  std::uint64_t incarnation{};  ///< for this receiver: one who was given up comes as another
  std::uint64_t process{};
  std::uint64_t gave_up{};  ///< the newest incarnation of the receiver that the sender gave up
  std::uint64_t promised{}, stands{};
  bool joins{};
};
struct Ask {
  std::uint64_t epoch{};
};
struct Propose {
  Group group;
};
struct Agreed {
  std::uint64_t epoch{};
};
struct Formed {
  std::uint64_t epoch{};
};
struct StateRequest {
  std::uint64_t epoch{};
};
struct ReplicaState;
struct StateTransfer {
  std::uint64_t epoch{};
  std::shared_ptr<const ReplicaState> state;
};
/// One replica's part of a step's all-reduce; the leader's carries what its boundary applies.
struct Contribution {
  std::uint64_t epoch{}, step{};
  std::vector<std::uint32_t> word;
  std::uint64_t data_epoch{};
  Share share;
  std::vector<Command> commands;
  std::vector<Epoch> fences;
};
/// What is settled at a window's end.
struct Report {
  std::uint64_t epoch{}, step{};
  Window window;
  NodeId leader{};
  std::vector<Epoch> fences;
  std::map<std::pair<RegionId, Cycle>, std::int64_t> spent;  ///< thousandths
  std::map<std::uint64_t, bool> outcomes;                    ///< by command: was it applied?
};
struct FenceRequest {
  std::vector<Epoch> fences;
};
struct Submit {
  Command command;
};
/// Which Narsets live on the receiver, and their leases; whole, again and again.
struct Assign {
  Epoch prime;
  std::uint64_t process{};  ///< of the receiver that is meant
  struct Place {
    RegionId region;
    LeaseReply lease;
  };
  std::vector<Place> places;
};

/// One line of the journal.
struct Entry {
  enum class Kind : std::uint8_t { mint, move, start, grant, close };
  Kind kind{};
  RegionId region;
  Epoch epoch;  ///< of the region's Narset
  Cycle cycle;
  std::int64_t amount{};  ///< minted, granted, or spent of what is closed; thousandths
  Window until;           ///< of a grant
  NodeId node{};          ///< of a start
  std::uint64_t process{};
  Epoch prime;  ///< whose append it was
  friend bool operator==(const Entry&, const Entry&) = default;
};
struct ReadRow {
  std::uint64_t from{};  ///< entries from there on are wanted
  bool renew{};
  Epoch epoch;
};
struct Append {
  Epoch epoch;
  std::uint64_t base{};
  std::vector<Entry> entries;
};
struct TakeRow {
  Epoch seen;
};
struct Row {
  LeaderRow row;
  std::uint64_t from{};
  std::vector<Entry> entries;
};
struct Appended {
  AppendVerdict verdict{};
  Epoch epoch;
  std::uint64_t base{}, count{};
};

using Payload = std::variant<Pulse, Ask, Standing, Propose, Agreed, Formed, StateRequest,
                             StateTransfer, Contribution, Report, FenceRequest, Submit, Assign,
                             ReadRow, Append, TakeRow, Row, Appended>;

}  // namespace esper::sim::cluster
