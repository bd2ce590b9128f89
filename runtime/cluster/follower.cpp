#include "runtime/cluster/follower.hpp"

#include <nlohmann/json.hpp>

#include "runtime/launch.hpp"

namespace esper {

Follower::Follower(RunConfig config, ReplicaPlace place, FollowerSeams seams,
                   std::function<void(const End&)> done)
    : config_(std::move(config)),
      place_(std::move(place)),
      seams_(std::move(seams)),
      done_(std::move(done)),
      thread_([this] { train(); }) {}

bool Follower::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return over_; });
}

void Follower::lose(const std::string& node) {
  const std::lock_guard lock(mutex_);
  if (ready_ && !over_) training_->lose(node);
}

Training* Follower::training() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ready_ || over_; });
  return ready_ ? training_.get() : nullptr;
}

void Follower::relay(std::function<void(const TrainingProgress&)> tell) {
  const std::lock_guard lock(mutex_);
  relay_ = std::move(tell);
}

void Follower::train() {
  const auto say = [this](const std::string& sentence) {
    seams_.log.write(LogLevel::warning, "replica_says",
                     nlohmann::json{{"sentence", sentence}}.dump());
    if (seams_.tell) seams_.tell(sentence);
  };
  try {
    auto training = seams_.factory.make({.config = config_,
                                         .arm = "grown",
                                         .widths = {},
                                         .planted = {},
                                         .checkpoints = seams_.checkpoints,
                                         .resume_from = "",
                                         .replica = place_,
                                         .tell = say});
    launched_ = training->host();
    // Designs and their sheets are what the leader's are: both are measured from the run's seed.
    if (config_.mode != Mode::off)
      catalogue_ = training->assess(chosen_blueprints(config_.blueprints, launched_));
    {
      const std::lock_guard lock(mutex_);
      training_ = std::move(training);
      ready_ = true;
    }
    changed_.notify_all();
    seams_.log.write(LogLevel::info, "replica_begins", "");
    end_.training = training_->run(stop_, [this](const TrainingProgress& now) {
      const std::lock_guard lock(mutex_);
      if (relay_) relay_(now);
    });
    const auto& model = end_.training.model;
    seams_.log.write(
        LogLevel::info, "replica_ends",
        nlohmann::json{{"steps", model.steps}, {"weights", model.weights_hash}}.dump());
  } catch (const std::exception& error) {
    end_.error = error.what();
    seams_.log.write(LogLevel::error, "replica_failed",
                     nlohmann::json{{"error", end_.error}}.dump());
  }
  done_(end_);
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
}

}  // namespace esper
