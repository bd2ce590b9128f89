#include "runtime/report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "messages/json.hpp"

namespace esper {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

const TrainedModel* arm_of(const RunReport& report, std::string_view name) {
  for (const auto& arm : report.arms)
    if (arm.arm == name) return &arm;
  return nullptr;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// Sample standard deviation; 0 of fewer than two values.
double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::string verdict_of(double gain, double spread, std::size_t seeds) {
  if (seeds < 2) return "one seed";
  if (std::abs(gain) <= spread) return "none";
  return gain > 0 ? "gain" : "loss";
}

}  // namespace

std::uint64_t total_operations(const OperationCount& count) {
  return count.training + count.seeds + count.shadow + count.gate + count.weaning;
}

void compare_arms(RunReport& report) {
  report.gain.clear();
  report.cost.clear();
  const auto* grown = arm_of(report, "grown");
  if (grown == nullptr) return;
  for (const auto& other : report.arms) {
    if (other.arm == grown->arm) continue;
    report.gain.push_back({other.arm, grown->test_accuracy - other.test_accuracy,
                           other.test_loss - grown->test_loss});
    const auto of = [](std::uint64_t count) { return static_cast<double>(count); };
    report.cost.push_back({other.arm, ratio(of(grown->parameters), of(other.parameters)),
                           ratio(of(grown->operations), of(other.operations)),
                           ratio(of(total_operations(grown->training_operations)),
                                 of(total_operations(other.training_operations))),
                           ratio(grown->latency_batch_seconds, other.latency_batch_seconds),
                           ratio(grown->latency_single_seconds, other.latency_single_seconds),
                           ratio(grown->wall_seconds, other.wall_seconds)});
  }
}

ArmCurve curve_of(const std::string& arm, const std::vector<double>& window_losses,
                  std::uint32_t window_steps) {
  ArmCurve curve{arm, {}};
  for (std::uint64_t i = 1; i <= window_losses.size(); ++i)
    curve.points.push_back({{i}, {i * window_steps}, window_losses[i - 1]});
  return curve;
}

void conclude(RunReport& report) {
  compare_arms(report);
  if (!report.account.window_list.empty()) {
    std::erase_if(report.curves, [](const ArmCurve& curve) { return curve.arm == "grown"; });
    ArmCurve& grown = report.curves.emplace_back();
    grown.arm = "grown";
    for (const WindowAccount& window : report.account.window_list)
      grown.points.push_back({window.window, window.step, window.loss});
  }
  report.scorecards = scorecards_of(report.account);
  report.promotion = {regression_of(report.account.window_list, report.curves),
                      sunsets_of(report.account.scaffolds, report.account.checkpoints),
                      speed_of(report.account, report.uncut, arm_of(report, "grown"))};
}

std::string report_json(const RunReport& report) {
  nlohmann::ordered_json json;
  const auto put = [&](std::string_view name, const auto& value) {
    json[std::string{name}] = to_json(value, Floats::plain);
  };
  for_each_field(report, [&]<typename Member>(std::string_view name, const Member& member) {
    if constexpr (std::is_same_v<Member, RunAccount>)
      for_each_field(member, put);
    else
      put(name, member);
  });
  return json.dump(2) + "\n";
}

std::vector<Comparison> compare_seeds(const std::vector<RunReport>& reports) {
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> by_arm;
  for (const auto& report : reports) {
    for (const auto& gain : report.gain) {
      auto& [gains, accuracies] = by_arm[gain.against];
      gains.push_back(gain.test_accuracy);
      accuracies.push_back(arm_of(report, gain.against)->test_accuracy);
    }
  }
  std::vector<Comparison> comparisons;
  for (const auto& [arm, values] : by_arm) {
    const double gained = mean(values.first);
    const double spread = deviation(values.second);
    comparisons.push_back({arm, gained, spread, verdict_of(gained, spread, values.first.size())});
  }
  return comparisons;
}

}  // namespace esper
