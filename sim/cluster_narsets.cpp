#include "sim/cluster_narsets.hpp"

namespace esper::sim::cluster {

void Narsets::take(const Assign& assign) {
  if (assign.process != process_ || assign.prime < prime_) return;
  prime_ = assign.prime;
  for (const auto& place : assign.places) {
    const auto found = narsets_.find(place.region);
    if (found == narsets_.end() || found->second.lease.epoch < place.lease.epoch) {
      Narset fresh;
      fresh.lease.epoch = place.lease.epoch;
      narsets_[place.region] = fresh;
      checks_.started(place.region, place.lease.epoch);
    }
    if (place.lease.cycle.value > 0) (void)refresh_lease(narsets_[place.region].lease, place.lease);
  }
}

void Narsets::take(const Report& report) {
  if (std::pair(report.epoch, report.step) <= newest_) return;
  newest_ = {report.epoch, report.step};
  for (auto& [region, narset] : narsets_) {
    std::erase_if(narset.open, [&](const Command& command) {
      return report.outcomes.contains(command.id) || command.until < report.window;
    });
    spend(region, narset, report.window);
    // Until its outcome is heard, a command is handed over again and again.
    for (const auto& command : narset.open) world_.send(self_, report.leader, Submit{command});
  }
}

void Narsets::spend(RegionId region, Narset& narset, Window window) {
  auto& lease = narset.lease;
  if (lease.until <= window || lease.free <= Energy{0} || world_.chance(500)) return;
  Command command;
  std::uint64_t mixed = lease.epoch.value * 1'000ULL + region.value;
  command.id = split_mix(mixed) ^ ++narset.commands;
  command.region = region;
  command.epoch = lease.epoch;
  command.cycle = lease.cycle;
  command.until = lease.until;
  command.cost = 1 + static_cast<std::int64_t>(
                         world_.below(static_cast<std::uint64_t>(lease.free.thousandths)));
  // What an abort leaves unspent lapses: nobody may take it back for a command that can still come.
  lease.free -= Energy{command.cost};
  narset.open.push_back(command);
}

}  // namespace esper::sim::cluster
