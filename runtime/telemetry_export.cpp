#include "runtime/telemetry_export.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <nlohmann/json.hpp>

namespace esper {
namespace {

prometheus::Labels labels_of(std::string_view role, std::string_view region) {
  prometheus::Labels labels;
  if (!role.empty()) labels.emplace("role", role);
  if (!region.empty()) labels.emplace("region", region);
  return labels;
}

/// The family of that name, made at its first use.
template <typename Builder>
auto& family(Builder builder, std::string_view name, prometheus::Registry& registry) {
  if (!name.starts_with("esper_"))
    throw InvariantViolation("a metric without the esper_ prefix: " + std::string{name});
  try {
    return builder.Name(std::string{name}).Register(registry);
  } catch (const std::invalid_argument& error) {
    throw InvariantViolation("metric " + std::string{name} + ": " + error.what());
  }
}

const prometheus::Histogram::BucketBoundaries seconds{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10};

std::string series_name(const std::string& name, const prometheus::ClientMetric& metric) {
  if (metric.label.empty()) return name;
  std::string text = name + '{';
  for (const auto& label : metric.label) {
    if (text.back() != '{') text += ',';
    text += label.name + "=\"" + label.value + '"';
  }
  return text + '}';
}

nlohmann::json value_of(prometheus::MetricType type, const prometheus::ClientMetric& metric) {
  if (type == prometheus::MetricType::Counter) return metric.counter.value;
  if (type == prometheus::MetricType::Gauge) return metric.gauge.value;
  auto buckets = nlohmann::json::object();
  for (const auto& bucket : metric.histogram.bucket) {
    const auto bound = nlohmann::json(bucket.upper_bound);
    buckets[bound.is_number() && std::isfinite(bucket.upper_bound) ? bound.dump() : "+Inf"] =
        bucket.cumulative_count;
  }
  return {{"count", metric.histogram.sample_count},
          {"sum", metric.histogram.sample_sum},
          {"buckets", std::move(buckets)}};
}

}  // namespace

RegistryMetrics::RegistryMetrics() : registry_(std::make_unique<prometheus::Registry>()) {}
RegistryMetrics::~RegistryMetrics() = default;

void RegistryMetrics::add(std::string_view name, std::string_view role, std::string_view region,
                          double amount) {
  family(prometheus::BuildCounter(), name, *registry_)
      .Add(labels_of(role, region))
      .Increment(amount);
}

void RegistryMetrics::set(std::string_view name, std::string_view role, std::string_view region,
                          double value) {
  family(prometheus::BuildGauge(), name, *registry_).Add(labels_of(role, region)).Set(value);
}

void RegistryMetrics::observe(std::string_view name, std::string_view role, double value) {
  family(prometheus::BuildHistogram(), name, *registry_)
      .Add(labels_of(role, ""), seconds)
      .Observe(value);
}

std::string RegistryMetrics::snapshot() const {
  auto all = nlohmann::json::object();
  for (const auto& one : registry_->Collect())
    for (const auto& metric : one.metric)
      all[series_name(one.name, metric)] = value_of(one.type, metric);
  return all.dump();
}

std::vector<Counted> RegistryMetrics::positive(std::string_view name) const {
  std::vector<Counted> found;
  for (const auto& one : registry_->Collect()) {
    if (one.name != name) continue;
    for (const auto& metric : one.metric) {
      const double value = std::max(metric.gauge.value, metric.counter.value);
      if (value > 0)
        found.push_back({series_name(one.name, metric), static_cast<std::uint64_t>(value)});
    }
  }
  return found;
}

MetricsFile::MetricsFile(const std::filesystem::path& file, const RegistryMetrics& metrics,
                         std::chrono::milliseconds interval)
    : metrics_(metrics),
      interval_(interval),
      output_(file, std::ios::app),
      start_(std::chrono::steady_clock::now()),
      thread_([this](const std::stop_token& stop) { write_until_stopped(stop); }) {}

MetricsFile::~MetricsFile() {
  thread_.request_stop();
  thread_.join();
  write();
}

bool MetricsFile::write() {
  const std::lock_guard lock{mutex_};
  return write_line();
}

void MetricsFile::write_until_stopped(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, interval_, [] { return false; });
    if (!stop.stop_requested()) write_line();
  }
}

bool MetricsFile::write_line() {
  if (!output_.good()) {  // a disk that was full may have taken a part of a line
    output_.clear();
    output_ << '\n';
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  output_ << "{\"seconds\":" << nlohmann::json(elapsed.count()) << ",\"step\":" << step_
          << ",\"metrics\":" << metrics_.snapshot() << "}" << std::endl;
  return output_.good();
}

JsonLog::JsonLog(const std::filesystem::path& file) {
  constexpr std::size_t lines_waiting_max = 8'192;
  constexpr std::size_t threads = 1;
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(file.string());
    pool_ = std::make_shared<spdlog::details::thread_pool>(lines_waiting_max, threads);
    logger_ = std::make_shared<spdlog::async_logger>("esper", std::move(sink), pool_,
                                                     spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& error) {
    throw std::runtime_error(error.what());
  }
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})", spdlog::pattern_time_type::utc));
  logger_->set_level(spdlog::level::debug);
  logger_->flush_on(spdlog::level::info);  // by the writing thread: a killed run keeps its log
}

JsonLog::~JsonLog() {
  logger_->flush();
  logger_.reset();
  pool_.reset();  // ends its thread after the last line
}

void JsonLog::write(LogLevel level, std::string_view event, std::string_view details) {
  constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                              spdlog::level::err};
  auto line = "\"level\":\"" + std::string{name_of(level)} + "\",\"event\":" +
              nlohmann::json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (!details.empty()) line += ",\"details\":" + std::string{details};
  logger_->log(levels.at(static_cast<std::size_t>(level)), spdlog::string_view_t{line});
}

}  // namespace esper
