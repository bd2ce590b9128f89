#pragma once
// What a run tells the outside while it lives: metrics from one registry, and a log of JSON lines.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <thread>

#include "messages/interfaces.hpp"
#include "runtime/account.hpp"

namespace prometheus {
class Registry;
}
namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace esper {

/// Metrics on prometheus-cpp's registry. Safe from any thread. A name that lacks the esper_ prefix,
/// or stands for two kinds of metric, is a bug: InvariantViolation.
class RegistryMetrics final : public Metrics {
 public:
  RegistryMetrics();
  ~RegistryMetrics() override;

  void add(std::string_view name, std::string_view role, std::string_view region,
           double amount) override;
  void set(std::string_view name, std::string_view role, std::string_view region,
           double value) override;
  /// Histograms are of seconds: buckets from a microsecond to ten seconds, by tens.
  void observe(std::string_view name, std::string_view role, double value) override;

  /// One JSON object of every series: {"name{role=\"narset\"}": value, …}; a histogram's value is
  /// {"count", "sum", "buckets": {"0.001": 3, …}}, its buckets cumulative.
  [[nodiscard]] std::string snapshot() const;
  /// Gauges and counters of that name that stand above 0, by role; rounded down.
  [[nodiscard]] std::vector<Counted> positive(std::string_view name) const;
  /// What a Prometheus endpoint would serve.
  [[nodiscard]] prometheus::Registry& registry() { return *registry_; }

 private:
  std::unique_ptr<prometheus::Registry> registry_;
};

/// Appends {"seconds", "step", "metrics"} lines to a run's metrics.jsonl: one in each interval, by
/// a thread of its own, and one at the end. `metrics` outlives it.
class MetricsFile {
 public:
  MetricsFile(const std::filesystem::path& file, const RegistryMetrics& metrics,
              std::chrono::milliseconds interval);
  ~MetricsFile();

  /// How far training is; costs the trainer one store.
  void at(Step step) { step_ = step.value; }
  /// A line now. False: the disk refuses.
  bool write();

 private:
  void write_until_stopped(const std::stop_token& stop);
  bool write_line();

  const RegistryMetrics& metrics_;
  std::chrono::milliseconds interval_;
  std::ofstream output_;
  std::chrono::steady_clock::time_point start_;
  std::atomic<std::uint64_t> step_{};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

/// JSON lines {"time", "level", "event", "details"}, written by a thread of its own; when it falls
/// behind, the oldest lines go, and no caller waits.
class JsonLog final : public Log {
 public:
  /// Errors: throws std::runtime_error when the file can't be opened.
  explicit JsonLog(const std::filesystem::path& file);
  ~JsonLog() override;  ///< every line is in the file afterwards

  void write(LogLevel level, std::string_view event, std::string_view details) override;

 private:
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace esper
