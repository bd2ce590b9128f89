#include "sim/rehearsal.hpp"

namespace esper::sim {

SimulationResult rehearse(const Rehearsal& rehearsal, bool events_kept) {
  SimulationOptions options;
  options.seed = rehearsal.seed;
  options.regions = rehearsal.regions;
  options.windows = rehearsal.windows;
  options.faults = rehearsal.faults;
  options.must_happen = false;
  options.events_kept = events_kept;
  auto result = simulate(options);
  for (const auto place : result.unfired)
    result.violations.push_back(
        {"REHEARSAL", result.faults[place].at_ms, "it never fired: " + told(result.faults[place])});
  for (const auto& row : rehearsal.expect)
    if (result.coverage.rows().at(row) == 0)
      result.violations.push_back({"REHEARSAL", result.virtual_ms, "\"" + row + "\" was not seen"});
  return result;
}

}  // namespace esper::sim
