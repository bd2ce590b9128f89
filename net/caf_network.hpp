#pragma once
// CAF's network layer without a port of its own: its node id is chosen here, and its streams come
// from the gate.
#include <functional>
#include <set>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

namespace esper {

/// Adds CAF's middleman under the node id caf://NODE/INCARNATION, which no two processes share,
/// with heartbeats on. Both sides of a connection need the same times, in ms.
void load_network(caf::actor_system_config& config, const std::string& node,
                  std::uint64_t incarnation, std::uint32_t heartbeat_ms,
                  std::uint32_t connection_timeout_ms);

/// Gives the gate's streams to CAF. `published` is what whoever dials finds.
class CafStreams {
 public:
  CafStreams(caf::actor_system& system, const caf::strong_actor_ptr& published,
             std::set<std::string> signatures);
  ~CafStreams();

  /// Of somebody who dialled this node. From any thread; the stream is CAF's from now on.
  void take(int stream) const;

  struct Met {
    caf::node_id node;
    caf::strong_actor_ptr published;  ///< null: nothing is
    std::set<std::string> signatures;
  };
  /// Of a node that was dialled. Within `patience`, else the error says why. Blocks the caller's
  /// thread alone.
  [[nodiscard]] caf::expected<Met> meet(int stream, std::chrono::milliseconds patience) const;

 private:
  class Door;
  caf::actor_system& system_;
  caf::intrusive_ptr<Door> door_;
};

}  // namespace esper
