#pragma once
// What a journal tells of each seed's life: when it entered which stage, and what its gates
// measured. Pure.
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "messages/blueprint.hpp"
#include "messages/host.hpp"
#include "messages/turn.hpp"

namespace esper {

/// From this window's end on.
struct StageAccount {
  Window window;
  std::string stage;
  double alpha{};

  static constexpr auto schema =
      record("StageAccount", field("window", &StageAccount::window),
             field("stage", &StageAccount::stage), field("alpha", &StageAccount::alpha));
};

struct GateAccount {
  Window window;
  std::string gate;
  bool passed{};
  double measured{}, threshold{};  ///< in the gate's own unit

  static constexpr auto schema = record(
      "GateAccount", field("window", &GateAccount::window), field("gate", &GateAccount::gate),
      field("passed", &GateAccount::passed), field("measured", &GateAccount::measured),
      field("threshold", &GateAccount::threshold));
};

/// One seed or scaffold that stood, from its germination on.
struct LifeAccount {
  SeedId seed;
  std::string region, slot, blueprint;
  bool scaffold{};
  std::uint64_t parameters{};  ///< as planted
  std::vector<StageAccount> stages;
  std::vector<GateAccount> gates;
  bool reflex{};  ///< the step boundary took it off the graph by itself, at least once

  static constexpr auto schema =
      record("LifeAccount", field("seed", &LifeAccount::seed),
             field("region", &LifeAccount::region), field("slot", &LifeAccount::slot),
             field("blueprint", &LifeAccount::blueprint), field("scaffold", &LifeAccount::scaffold),
             field("parameters", &LifeAccount::parameters), field("stages", &LifeAccount::stages),
             field("gates", &LifeAccount::gates), field("reflex", &LifeAccount::reflex));
};

/// Reads entries in sequence order.
class LifeAccountant {
 public:
  void take(const JournalEntry& entry);
  [[nodiscard]] const std::vector<LifeAccount>& lives() const { return lives_; }

 private:
  void command(const AdaptationCommand& command);
  void outcome(const Outcome& outcome);
  void telemetry(const RegionTelemetry& seen);
  void enter(LifeAccount& life, std::string_view stage, double alpha) const;
  [[nodiscard]] LifeAccount* find(SeedId seed, const std::string& region);
  [[nodiscard]] std::string region_name(RegionId region) const;

  HostDescription host_;
  Catalogue catalogue_;
  std::vector<LifeAccount> lives_;
  std::vector<LifeAccount> germinating_;  ///< commanded, not yet carried out
  Window window_;
};

}  // namespace esper
