#pragma once
// A node's side: takes Narsets from the prime while it hears from it.
#include <condition_variable>
#include <mutex>

#include "actors/narset_surroundings.hpp"
#include "messages/cluster.hpp"

namespace esper {

/// Why a life is over when the prime has said farewell.
inline constexpr const char* run_is_over = "the run is over";

/// How a node's life with one prime goes; whoever runs the node waits here. Safe from any thread.
class NodeLife {
 public:
  void joined(const NodeWelcome& welcome);
  /// It is over, and why; the first reason stands.
  void over(const std::string& why);
  /// Waits at most so long for the end. "": it goes on.
  [[nodiscard]] std::string wait(std::chrono::milliseconds patience);
  /// Null until the prime has let it in.
  [[nodiscard]] std::shared_ptr<const NodeWelcome> welcome();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const NodeWelcome> welcome_;
  std::string over_;
};

struct NarsetHostSeams {
  RunConfig config;
  std::string node;             ///< this one
  std::uint64_t incarnation{};  ///< of its present life
  Metrics& metrics;
  Log& log;
  std::shared_ptr<NodeLife> life;
  PlantingTactic planting{};  ///< of every Narset; empty: Esper's own
  /// The prime says that another node is lost; called on an actor's thread. May be empty.
  std::function<void(const std::string& node)> lost = {};
};

/// A NarsetHostHandle. It joins when it is sent the prime's reception; when the prime is silent for
/// cluster.timeouts.confirmation_ms, or out of reach, its Narsets end and so does the life.
[[nodiscard]] caf::strong_actor_ptr start_narset_host(caf::actor_system& system,
                                                      NarsetHostSeams seams);

}  // namespace esper
