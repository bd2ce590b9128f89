#include "runtime/cluster/standing_by.hpp"

#include <nlohmann/json.hpp>

#include "runtime/run_journal.hpp"

namespace esper {

StandingBy::StandingBy(const RunConfig& config, std::string run, Log& log)
    : cluster_(config.cluster), run_(std::move(run)), log_(log), thread_([this] { wait(); }) {}

StandingBy::~StandingBy() { stop_ = true; }

std::unique_ptr<StoodBy> StandingBy::taken() {
  const std::lock_guard lock(mutex_);
  return std::move(taken_);
}

void StandingBy::wait() {
  const std::chrono::milliseconds again{cluster_.timeouts.suspicion_ms};
  std::string told;
  while (!stop_.load()) {
    auto made = stand_by_journal(cluster_, run_, stop_);
    if (made) {
      if (!made.value()) return;  // told to stop
      log_.write(LogLevel::warning, "prime_silent", "");
      const std::lock_guard lock(mutex_);
      taken_ = std::make_unique<StoodBy>(StoodBy{std::move(made.value()), run_});
      return;
    }
    if (const auto& why = made.refusal().sentence; why != std::exchange(told, why))
      log_.write(LogLevel::error, "standby_blind", nlohmann::json{{"reason", why}}.dump());
    std::this_thread::sleep_for(again);
  }
}

}  // namespace esper
