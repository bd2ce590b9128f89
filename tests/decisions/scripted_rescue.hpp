#pragma once
// A region that falls ill and that a scaffold at full alpha cures.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "tests/decisions/scripted_region.hpp"

namespace esper {

class ScriptedRescue {
 public:
  explicit ScriptedRescue(const TacticsSettings& settings = scripted_settings(), bool ill = true)
      : region(settings), tactics(scaffold_tactics(settings)) {
    region.lease_energy = 0;  // nothing is grown
    region.pool = 1'000;
    region.checkpoints = true;
    region.gain = [this](const ScriptedSeed&) { return contribution; };
    if (ill)
      region.spoil = [this](RegionTelemetry& seen) {
        for (const SeedTelemetry& seed : seen.seeds)
          cured = cured || (curable && seed.alpha >= 1 && seed.stage != Stage::train_isolated);
        if (seen.window.value >= ill_from && !cured) seen.jitter = seen.drift = 1;
      };
  }
  // The region's functions look at this object.
  ScriptedRescue(const ScriptedRescue&) = delete;
  ScriptedRescue& operator=(const ScriptedRescue&) = delete;

  ScriptedRegion region;
  Tactics tactics;
  std::uint64_t ill_from{8};
  bool curable{true}, cured{};
  double contribution{0.2};  ///< of the scaffold at full alpha, nats

  /// Runs until a command of this kind is given.
  void until(CommandKind kind, std::uint32_t windows_max = 80) {
    const std::size_t before = region.count(kind);
    for (std::uint32_t i = 0; i < windows_max && region.count(kind) == before; ++i)
      region.run(tactics, 1);
    INFO(name_of(kind));
    REQUIRE(region.count(kind) > before);
  }
  void until_asked() {
    for (int i = 0; i < 40 && requests().empty(); ++i) region.run(tactics, 1);
    REQUIRE_FALSE(requests().empty());
  }
  void check_clean() const {
    for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
  }

  [[nodiscard]] std::vector<ScaffoldRequest> requests() const {
    std::vector<ScaffoldRequest> all;
    for (const RegionPart& part : region.parts)
      all.insert(all.end(), part.scaffold_requests.begin(), part.scaffold_requests.end());
    return all;
  }
  [[nodiscard]] std::vector<Escalation> escalations() const {
    std::vector<Escalation> all;
    for (const RegionPart& part : region.parts)
      all.insert(all.end(), part.escalations.begin(), part.escalations.end());
    return all;
  }
};

}  // namespace esper
