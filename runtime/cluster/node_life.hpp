#pragma once
// A node that is not the prime: finds it, takes Narsets from it, and finds it again.
#include <atomic>
#include <functional>

#include "messages/interfaces.hpp"
#include "runtime/cluster/node_identity.hpp"

namespace esper {

enum class NodeEnd : std::uint8_t {
  stopped,    ///< it was told to
  run_over,   ///< the prime said so
  not_let_in  ///< not once, for cluster.timeouts.ready_ms
};

struct NodeEnding {
  NodeEnd end{};
  std::string why;  ///< not_let_in: the newest reason, a sentence
};

/// Serves until the run is over or `stop`; each time that the prime is lost it comes back as new.
/// `tell` gets a sentence for people now and then. Blocks. Errors: throws std::runtime_error, one
/// sentence, when certificates or port can't be used.
[[nodiscard]] NodeEnding serve_as_node(const NodeIdentity& identity, const std::atomic<bool>& stop,
                                       Metrics& metrics, Log& log,
                                       const std::function<void(const std::string&)>& tell);

}  // namespace esper
