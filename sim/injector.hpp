#pragma once
// Carries faults out, each at its instant and message, and lifts what lasts.
#include <map>
#include <set>

#include "actors/override_desk.hpp"
#include "actors/spoiled_telemetry.hpp"
#include "sim/coverage.hpp"
#include "sim/disk.hpp"
#include "sim/fault.hpp"
#include "sim/network.hpp"
#include "sim/trainer.hpp"

namespace esper::sim {

struct FaultState {
  Fault fault;
  bool fired{};
};

class Injector {
 public:
  Injector(World& world, SimulatedTrainer& trainer, SimulatedDisk& disk, OverrideDesk& desk,
           Coverage& coverage, Network& network, std::uint32_t regions);
  /// What loses a node.
  using LoseNode = std::function<void(const std::string& node, std::uint64_t duration_ms)>;
  void use(LoseNode lose_node) { lose_node_ = std::move(lose_node); }

  void schedule(const std::vector<Fault>& faults);
  /// Before each message: counts down, and strikes.
  void before_message();
  /// What telemetry becomes on its way to the control side.
  void spoil(WindowReport& report);
  /// All that lasts ends.
  void heal();
  [[nodiscard]] const std::vector<FaultState>& states() const { return states_; }
  /// Called when a fault strikes.
  std::function<void(const Fault&)> struck;

 private:
  void arm(std::size_t place);
  void strike(std::size_t place);
  void fired(std::size_t place);
  void trouble_disk(std::size_t place, DiskTrouble trouble);
  void override_by(const Fault& fault);
  void strike_node(std::size_t place);

  World& world_;
  SimulatedTrainer& trainer_;
  SimulatedDisk& disk_;
  OverrideDesk& desk_;
  Coverage& coverage_;
  Network& network_;
  LoseNode lose_node_;
  std::uint32_t regions_;
  std::vector<FaultState> states_;
  std::map<std::size_t, std::uint64_t> armed_;  ///< messages left
  std::vector<std::size_t> awaiting_window_;
  Window newest_;  ///< that was looked at for them
  std::vector<std::size_t> spoiling_;
  std::map<std::size_t, std::uint64_t> until_ms_;
  std::optional<std::size_t> disk_by_;
  TelemetrySpoiler spoiler_;
  bool healed_{};
};

}  // namespace esper::sim
