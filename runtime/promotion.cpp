#include "runtime/promotion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace esper {
namespace {

/// Training losses of single windows swing by some per cent from batches alone; the trials that the
/// gates were made from called a quarter a regression.
constexpr double regression_band = 0.25;

struct Regressions {
  std::uint64_t count{};
  double worst{};
};

Regressions regressions_in(const ArmCurve& curve, const std::set<Window>& counted) {
  Regressions found;
  double best = std::numeric_limits<double>::infinity();
  for (const CurvePoint& point : curve.points) {
    const bool finite = std::isfinite(point.loss);
    const bool compares = std::isfinite(best) && best > 0;
    if (counted.contains(point.window) && (compares || !finite)) {
      const double rise = finite ? point.loss / best - 1 : std::numeric_limits<double>::infinity();
      found.worst = std::max(found.worst, rise);
      found.count += rise > regression_band ? 1 : 0;
    }
    if (finite) best = std::min(best, point.loss);
  }
  return found;
}

const ArmCurve* curve_of(const std::vector<ArmCurve>& curves, std::string_view arm) {
  const auto found = std::find_if(curves.begin(), curves.end(),
                                  [&](const ArmCurve& curve) { return curve.arm == arm; });
  return found == curves.end() ? nullptr : &*found;
}

}  // namespace

RegressionNumber regression_of(const std::vector<WindowAccount>& windows,
                               const std::vector<ArmCurve>& curves) {
  RegressionNumber number;
  number.band = regression_band;
  std::set<Window> counted;
  for (const WindowAccount& window : windows)
    if (window.seeds_in_path > 0) counted.insert(window.window);
  number.windows = counted.size();
  if (const ArmCurve* grown = curve_of(curves, "grown")) {
    const Regressions found = regressions_in(*grown, counted);
    number.grown = found.count;
    number.grown_worst = found.worst;
  }
  if (const ArmCurve* host = curve_of(curves, "host")) {
    const Regressions found = regressions_in(*host, counted);
    number.host = found.count;
    number.host_worst = found.worst;
  }
  return number;
}

std::vector<SunsetNumber> sunsets_of(const std::vector<ScaffoldAccount>& scaffolds,
                                     const std::vector<CheckpointAccount>& checkpoints) {
  std::vector<SunsetNumber> numbers;
  for (const ScaffoldAccount& scaffold : scaffolds) {
    if (scaffold.sunset.value == 0) continue;
    // Commands apply before their boundary's checkpoint is measured: the same window is after.
    const auto after =
        std::find_if(checkpoints.begin(), checkpoints.end(),
                     [&](const CheckpointAccount& one) { return one.window >= scaffold.sunset; });
    if (after == checkpoints.end() || after == checkpoints.begin()) continue;
    const auto before = std::prev(after);
    const auto later = static_cast<std::uint64_t>(checkpoints.end() - after);
    const auto above = static_cast<std::uint64_t>(
        std::count_if(after, checkpoints.end(), [&](const CheckpointAccount& one) {
          return !(one.gate_loss <= before->gate_loss);  // a loss that is no number counts
        }));
    numbers.push_back({scaffold.region, scaffold.blueprint, scaffold.sunset, before->checkpoint,
                       after->checkpoint, before->gate_loss, after->gate_loss,
                       after->gate_loss - before->gate_loss, later, above, scaffold.output_change});
  }
  return numbers;
}

std::optional<SpeedNumber> speed_of(const RunAccount& account,
                                    const std::optional<TrainedModel>& uncut,
                                    const TrainedModel* grown) {
  if (!uncut || grown == nullptr || grown->latency_batch_seconds <= 0 ||
      grown->latency_single_seconds <= 0 || grown->latency_batch_seconds_min <= 0 ||
      grown->latency_single_seconds_min <= 0)
    return std::nullopt;
  SpeedNumber number;
  for (const SurgeryAccount& surgery : account.surgeries) {
    if (surgery.result != "kept") continue;
    ++number.surgeries;
    const auto window =
        std::find_if(account.window_list.begin(), account.window_list.end(),
                     [&](const WindowAccount& one) { return one.window == surgery.window; });
    number.in_calm += window != account.window_list.end() && window->crisis.empty() ? 1 : 0;
  }
  number.batch = uncut->latency_batch_seconds / grown->latency_batch_seconds;
  number.single = uncut->latency_single_seconds / grown->latency_single_seconds;
  number.batch_least = uncut->latency_batch_seconds_min / grown->latency_batch_seconds_min;
  number.single_least = uncut->latency_single_seconds_min / grown->latency_single_seconds_min;
  return number;
}

}  // namespace esper
