#pragma once
// A node that is not the prime: finds it, takes Narsets from it, and finds it again.
#include <atomic>
#include <functional>

#include "messages/interfaces.hpp"
#include "runtime/cluster/node_identity.hpp"
#include "runtime/cluster/standing_by.hpp"

namespace esper {

enum class NodeEnd : std::uint8_t {
  stopped,     ///< it was told to
  run_over,    ///< the prime said so
  not_let_in,  ///< not once, for cluster.timeouts.ready_ms
  leads        ///< it stood by, and the prime is lost: the journal is this node's
};

struct NodeEnding {
  NodeEnd end{};
  std::string why = {};                ///< not_let_in: the newest reason, a sentence
  std::unique_ptr<StoodBy> lead = {};  ///< leads: what it takes over
};

struct NodeSeams {
  const std::atomic<bool>& stop;
  Metrics& metrics;
  Log& log;
  std::function<void(const std::string&)> tell;  ///< a sentence for people now and then
  /// A node is lost, the prime perhaps; called on an actor's thread too.
  std::function<void(const std::string& node)> lost;
  /// The answer to a trainer's question, on a gate's thread; empty: it has no vote of its own.
  std::function<std::string(const std::string& question)> asked = {};
};

/// Serves until the run is over or `stop`; each time that the prime is lost it comes back as new,
/// to the prime or its standby, whichever leads. A standby stands by meanwhile. Blocks. Errors:
/// throws std::runtime_error, one sentence, when certificates or port can't be used.
[[nodiscard]] NodeEnding serve_as_node(const NodeIdentity& identity, const NodeSeams& seams);

/// Does another node lead this run already, so that this one, its prime by the config, has to
/// follow?
[[nodiscard]] bool led_by_another(const NodeIdentity& identity);

}  // namespace esper
