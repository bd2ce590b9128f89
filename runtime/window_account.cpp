#include "runtime/window_account.hpp"

#include <algorithm>

#include "runtime/journal_kinds.hpp"

namespace esper {

void WindowAccountant::take(const JournalEntry& entry) {
  visit_payload<HostDescription>(entry, [&](const auto& host) { host_ = host; });
  visit_payload<WindowSummary>(entry, [&](const auto& summary) {
    windows_.push_back({summary.window, summary.step, 0, 0, {}, {}});
  });
  visit_payload<RegionTelemetry>(entry, [&](const auto& seen) {
    WindowAccount* account = find(seen.window);
    if (account == nullptr) return;
    account->loss = seen.loss_mean;  // of the whole host: every region tells the same
    account->seeds_in_path += static_cast<std::uint64_t>(
        std::count_if(seen.seeds.begin(), seen.seeds.end(), [](const SeedTelemetry& seed) {
          return seed.alpha > 0 && seed.stage != Stage::train_isolated &&
                 seed.stage != Stage::fossilised;
        }));
  });
  visit_payload<RegionReport>(entry, [&](const auto& report) {
    WindowAccount* account = find(report.window);
    if (account != nullptr && report.in_crisis)
      account->crisis.push_back(region_name(report.region));
  });
  visit_payload<StrategyPart>(entry, [&](const auto& part) {
    if (WindowAccount* account = find(part.window))
      for (const RegionId region : part.zones.embargoed)
        account->embargoed.push_back(region_name(region));
  });
}

std::string WindowAccountant::region_name(RegionId region) const {
  return region.value < host_.regions.size() ? host_.regions[region.value].name
                                             : std::to_string(region.value);
}

WindowAccount* WindowAccountant::find(Window window) {
  const auto found =
      std::find_if(windows_.rbegin(), windows_.rend(),
                   [&](const WindowAccount& account) { return account.window == window; });
  return found == windows_.rend() ? nullptr : &*found;
}

}  // namespace esper
