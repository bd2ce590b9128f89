#pragma once
// One seed from start to verdict: the real actors on a simulated trainer, disk and clock, with
// faults; then all heals, and what had to be resolved must be.
#include <optional>
#include <string>
#include <vector>

#include "actors/decisions/planting.hpp"
#include "sim/coverage.hpp"
#include "sim/fault.hpp"
#include "sim/findings.hpp"

namespace esper::sim {

struct SimulationOptions {
  std::uint64_t seed{1};
  std::uint32_t regions{16};
  std::uint64_t windows{600};                ///< of one virtual second each
  std::optional<std::vector<Fault>> faults;  ///< nothing: drawn from the seed
  PlantingTactic planting{};                 ///< of every Narset; empty: Esper's own
  bool must_happen{true};                    ///< a run with few grafts or surgeries fails
  bool events_kept{};                        ///< for a readable trace of causes
};

struct SimulationResult {
  std::uint64_t seed{};
  std::uint64_t hash{};  ///< over everything that happened
  std::vector<Fault> faults;
  std::vector<std::uint32_t> unfired;  ///< places in `faults`
  std::vector<Violation> violations;   ///< none: passed
  std::uint64_t events{}, virtual_ms{}, grafts{}, surgeries{}, restarts{}, entries{};
  double real_seconds{};
  Coverage coverage;
  std::vector<std::string> lines;  ///< the trace, where it was to be kept

  [[nodiscard]] bool passed() const { return violations.empty(); }
};

[[nodiscard]] SimulationResult simulate(const SimulationOptions& options);
/// The faults that it will meet.
[[nodiscard]] std::vector<Fault> faults_of(const SimulationOptions& options);

}  // namespace esper::sim
