#include "runtime/cluster/follower.hpp"

#include <nlohmann/json.hpp>

#include "runtime/launch.hpp"

namespace esper {

Follower::Follower(RunConfig config, ReplicaPlace place, TrainingFactory& factory, Log& log,
                   std::function<void(const End&)> done)
    : config_(std::move(config)),
      place_(std::move(place)),
      factory_(factory),
      log_(log),
      done_(std::move(done)),
      thread_([this] { train(); }) {}

bool Follower::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return over_; });
}

void Follower::train() {
  End end;
  try {
    const auto training = factory_.make({.config = config_,
                                         .arm = "grown",
                                         .widths = {},
                                         .planted = {},
                                         .checkpoints = "",
                                         .resume_from = "",
                                         .replica = place_});
    // Designs and their sheets are what the leader's are: both are measured from the run's seed.
    if (config_.mode != Mode::off)
      (void)training->assess(chosen_blueprints(config_.blueprints, training->host()));
    log_.write(LogLevel::info, "replica_begins", "");
    const std::atomic<bool> never{false};
    end.model = training->run(never, {}).model;
    log_.write(
        LogLevel::info, "replica_ends",
        nlohmann::json{{"steps", end.model.steps}, {"weights", end.model.weights_hash}}.dump());
  } catch (const std::exception& error) {
    end.error = error.what();
    log_.write(LogLevel::error, "replica_failed", nlohmann::json{{"error", end.error}}.dump());
  }
  done_(end);
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
}

}  // namespace esper
