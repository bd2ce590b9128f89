#pragma once
// The config keys of a run on several nodes.
#include <string>
#include <vector>

#include "messages/schema.hpp"

namespace esper {

enum class NodeRole : std::uint8_t {
  prime,    ///< Tamiyo, the journal and all that there is one of
  standby,  ///< takes over when the prime is lost
  trainer,  ///< a replica of the model
  narsets,  ///< regions are placed here
};
ESPER_ENUM_NAMES(NodeRole, "prime", "standby", "trainer", "narsets");

/// Which side of a cut goes on.
enum class QuorumRule : std::uint8_t {
  majority,  ///< more than half of the configured nodes
  none,      ///< of networks that can't split: whoever has a trainer goes on
};
ESPER_ENUM_NAMES(QuorumRule, "majority", "none");

struct NodeConfig {
  std::string name;
  std::string address{"127.0.0.1"};
  std::uint32_t port{};  ///< of its gate
  std::vector<NodeRole> roles;
  std::string device{"cpu"};     ///< of its trainer
  std::uint32_t narsets_max{0};  ///< 0: any number

  static constexpr auto schema =
      record("node", field("name", &NodeConfig::name), field("address", &NodeConfig::address),
             field("port", &NodeConfig::port), field("roles", &NodeConfig::roles),
             field("device", &NodeConfig::device), field("narsets_max", &NodeConfig::narsets_max));
};

struct PinConfig {
  std::string region, node;

  static constexpr auto schema =
      record("pin", field("region", &PinConfig::region), field("node", &PinConfig::node));
};

/// Each longer than the one before: who waits must not give up before the reason can be known.
struct TimeoutConfig {
  std::uint32_t heartbeat_ms{100};
  std::uint32_t suspicion_ms{1'000};     ///< of silence
  std::uint32_t confirmation_ms{1'750};  ///< of silence: then its regions move
  std::uint32_t connection_ms{3'000};    ///< CAF's own
  std::uint32_t request_ms{5'000};
  std::uint32_t collective_ms{10'000};
  std::uint32_t ready_ms{60'000};  ///< until every node is there

  static constexpr auto schema =
      record("timeouts", field("heartbeat_ms", &TimeoutConfig::heartbeat_ms),
             field("suspicion_ms", &TimeoutConfig::suspicion_ms),
             field("confirmation_ms", &TimeoutConfig::confirmation_ms),
             field("connection_ms", &TimeoutConfig::connection_ms),
             field("request_ms", &TimeoutConfig::request_ms),
             field("collective_ms", &TimeoutConfig::collective_ms),
             field("ready_ms", &TimeoutConfig::ready_ms));
};

enum class JournalBackend : std::uint8_t { sqlite, postgresql };
ESPER_ENUM_NAMES(JournalBackend, "sqlite", "postgresql");

struct ClusterConfig {
  std::string certificates;     ///< folder; "": made for the run, on one machine
  std::uint32_t store_port{0};  ///< of the prime, where trainers find each other; 0: any
  std::uint32_t frame_bytes_max{16 * 1'048'576};
  QuorumRule quorum{QuorumRule::majority};
  std::vector<PinConfig> pins;
  TimeoutConfig timeouts;
  JournalBackend journal{JournalBackend::sqlite};
  std::string database;  ///< of PostgreSQL: a connection string without a password

  static constexpr auto schema =
      record("cluster", field("certificates", &ClusterConfig::certificates),
             field("store_port", &ClusterConfig::store_port),
             field("frame_bytes_max", &ClusterConfig::frame_bytes_max),
             field("quorum", &ClusterConfig::quorum), field("pins", &ClusterConfig::pins),
             field("timeouts", &ClusterConfig::timeouts), field("journal", &ClusterConfig::journal),
             field("database", &ClusterConfig::database));
};

}  // namespace esper
