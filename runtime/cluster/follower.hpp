#pragma once
// A node's replica of the model: trains in step with the others, on a thread of its own, until all
// end together as the leader does.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "messages/interfaces.hpp"

namespace esper {

struct FollowerSeams {
  TrainingFactory& factory;
  Log& log;
  std::string checkpoints = {};                       ///< folder, for when it leads; "": none
  std::function<void(const std::string&)> tell = {};  ///< a sentence for people now and then
};

class Follower {
 public:
  struct End {
    TrainingEnd training;  ///< as `error` is empty
    std::string error;     ///< a sentence
  };

  /// `done` is called once, on the replica's thread. What the seams refer to outlives this.
  Follower(RunConfig config, ReplicaPlace place, FollowerSeams seams,
           std::function<void(const End&)> done);
  /// Waits for the end of the training. Whoever can't ends the process: the others then go on as
  /// without a replica that was lost.
  ~Follower() = default;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// False: it still trains after that time.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience);
  /// That node is known to be lost. From any thread.
  void lose(const std::string& node);

  // For a control side that begins here, while it trains.
  /// The training, once it is ready to run; null: it failed before. Waits for that.
  [[nodiscard]] Training* training();
  /// As it was measured here, and the host as it was launched. After `training`.
  [[nodiscard]] const Catalogue& catalogue() const { return catalogue_; }
  [[nodiscard]] const HostDescription& launched() const { return launched_; }
  /// All replicas are to end.
  void stop() { stop_ = true; }
  /// Who hears how far it is from now on, on the replica's thread; empty: nobody.
  void relay(std::function<void(const TrainingProgress&)> tell);
  /// After `wait` was true.
  [[nodiscard]] const End& end() const { return end_; }

 private:
  void train();

  const RunConfig config_;
  const ReplicaPlace place_;
  FollowerSeams seams_;
  std::function<void(const End&)> done_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_{}, over_{};
  std::unique_ptr<Training> training_;
  Catalogue catalogue_;
  HostDescription launched_;
  End end_;
  std::function<void(const TrainingProgress&)> relay_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace esper
