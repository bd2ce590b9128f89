#pragma once
// What befalls a simulated cluster.
#include "actors/decisions/random.hpp"
#include "sim/cluster_shape.hpp"

namespace esper::sim::cluster {

enum class ClusterFaultKind : std::uint8_t {
  crash,           ///< the node's process is killed, and starts again after the duration
  crash_ready,     ///< so, when its replica is ready for a change that is not yet applied
  crash_ahead,     ///< so, when its replica has completed a window's last step that another has not
  crash_trainers,  ///< all replicas at once
  pause,           ///< the process stands still, and goes on as if nothing were
  partition,       ///< nothing crosses between nodes in the mask and the others, or the database
  one_way,         ///< nothing goes from the node to those in the mask
  lossy,           ///< a quarter of all messages is lost
  doubling,        ///< half comes again, up to six seconds later
  slow,            ///< messages take up to 0.7 s, in any order
  poison,          ///< the replica's next loss is no number
};
struct ClusterFault {
  ClusterFaultKind kind{};
  NodeId node{};
  std::uint32_t mask{};  ///< of nodes, the database's behind the last
  std::uint64_t at_ms{}, duration_ms{};
};

[[nodiscard]] Shape drawn_shape(std::uint64_t seed);
/// Over [0, until_ms); each is over by then. Sorted by time.
[[nodiscard]] std::vector<ClusterFault> drawn_cluster_faults(std::uint64_t seed, const Shape& shape,
                                                             std::uint64_t until_ms);
[[nodiscard]] std::string kind_name(ClusterFaultKind kind);
/// One line for people.
[[nodiscard]] std::string told(const ClusterFault& fault, const Shape& shape);

}  // namespace esper::sim::cluster
