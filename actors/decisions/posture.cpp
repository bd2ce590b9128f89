#include "actors/decisions/posture.hpp"

#include "actors/decisions/number.hpp"

#include <algorithm>

namespace esper {
namespace {

struct Seen {
  bool crisis{}, non_finite{};
  std::uint32_t regressions{};
  double loss{};  ///< mean over the regions with a finite one
  bool has_loss{};
  double learning_rate{};  ///< highest of the regions: in decay only when all are
};

Seen summarise(const std::vector<RegionReport>& reports) {
  Seen seen;
  std::uint32_t with_loss = 0;
  for (const RegionReport& report : reports) {
    seen.crisis = seen.crisis || report.in_crisis;
    seen.non_finite = seen.non_finite || report.non_finite;
    seen.regressions += std::min(report.regressions, regressions_to_hold);
    if (finite(report.learning_rate_ratio))
      seen.learning_rate = std::max(seen.learning_rate, report.learning_rate_ratio);
    if (!finite(report.loss_mean)) continue;
    seen.loss += report.loss_mean;
    ++with_loss;
  }
  seen.has_loss = with_loss > 0;
  if (seen.has_loss) seen.loss /= with_loss;
  return seen;
}

void remember(PostureHistory& history, const Seen& seen, std::uint32_t cycle_windows) {
  constexpr std::size_t cycles_kept = 3;
  history.windows_without_crisis = seen.crisis ? 0 : history.windows_without_crisis + 1;
  const bool clean = !seen.non_finite && seen.regressions == 0;
  history.windows_clean = clean ? history.windows_clean + 1 : 0;
  history.regressions.push_back(seen.regressions);
  if (history.regressions.size() > cycle_windows)
    history.regressions.erase(history.regressions.begin());
  history.learning_rate_peak = std::max(history.learning_rate_peak, seen.learning_rate);
  if (seen.has_loss && finite(history.loss_sum + seen.loss)) {
    history.loss_sum += seen.loss;
    ++history.loss_windows;
  }
  if (++history.cycle_windows_seen < cycle_windows) return;
  if (history.loss_windows > 0)
    history.cycle_losses.push_back(history.loss_sum / history.loss_windows);
  if (history.cycle_losses.size() > cycles_kept)
    history.cycle_losses.erase(history.cycle_losses.begin());
  history.loss_sum = 0;
  history.loss_windows = history.cycle_windows_seen = 0;
}

bool flat(double before, double after) { return !(after < before - flat_cycle_gain * before); }

bool loss_is_flat(const std::vector<double>& cycles) {
  return cycles.size() >= 3 && flat(cycles[0], cycles[1]) && flat(cycles[1], cycles[2]);
}

PostureJudgement judge(const PostureHistory& history, const Seen& seen, double headroom,
                       std::uint32_t cycle_windows, const GateConfig& gates) {
  const bool was_crisis = history.posture == Posture::crisis;
  if (seen.crisis) return {Posture::crisis, "a region is in crisis"};
  if (was_crisis && history.windows_without_crisis < crisis_windows_to_leave)
    return {Posture::crisis, "only one window without a region in crisis"};
  std::uint32_t recent = 0;
  for (const std::uint32_t regressions : history.regressions) recent += regressions;
  if (seen.non_finite) return {Posture::hold, "a loss or gradient was not finite"};
  if (recent >= regressions_to_hold && history.windows_clean < cycle_windows)
    return {Posture::hold, std::to_string(recent) + " regressions within one cycle"};
  if (history.posture == Posture::hold && history.windows_clean < cycle_windows)
    return {Posture::hold, "no clean cycle since it began"};
  if (seen.learning_rate < gates.learning_rate_ratio_min * history.learning_rate_peak)
    return {Posture::exploit, "the learning rate is in decay in all regions"};
  if (loss_is_flat(history.cycle_losses))
    return {Posture::exploit, "the loss was flat over two cycles"};
  if (headroom < 1) return {Posture::exploit, "regressions within the last three cycles"};
  return {Posture::explore, "the loss falls and nothing regressed"};
}

}  // namespace

PostureJudgement judge_posture(PostureHistory& history, const std::vector<RegionReport>& reports,
                               double headroom, std::uint32_t cycle_windows,
                               const GateConfig& gates) {
  if (reports.empty()) return {history.posture, "no region reported"};
  const std::uint32_t windows = std::max<std::uint32_t>(cycle_windows, 1);
  const Seen seen = summarise(reports);
  remember(history, seen, windows);
  PostureJudgement judgement = judge(history, seen, headroom, windows, gates);
  history.posture = judgement.posture;
  return judgement;
}

}  // namespace esper
