#pragma once
// A node's replica of the model: trains in step with the others, on a thread of its own, until all
// end together as the leader does.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "messages/interfaces.hpp"

namespace esper {

class Follower {
 public:
  struct End {
    TrainedModel model;  ///< as `error` is empty
    std::string error;   ///< a sentence
  };

  /// `done` is called once, on the replica's thread. The factory outlives this.
  Follower(RunConfig config, ReplicaPlace place, TrainingFactory& factory, Log& log,
           std::function<void(const End&)> done);
  /// Waits for the end of the training. Whoever can't ends the process: the others then go on as
  /// without a replica that was lost.
  ~Follower() = default;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// False: it still trains after that time.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience);

 private:
  void train();

  const RunConfig config_;
  const ReplicaPlace place_;
  TrainingFactory& factory_;
  Log& log_;
  std::function<void(const End&)> done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_{};
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace esper
