#pragma once
// FENCE-1, ESCAPE-1, TRAIN-1, and that nothing is carried out twice: by what the trainer is seen to
// do, and by what the journal says was commanded.
#include <map>
#include <set>

#include "messages/configuration.hpp"
#include "sim/findings.hpp"
#include "sim/seen_turn.hpp"
#include "sim/trainer.hpp"

namespace esper::sim {

class CommandCheck {
 public:
  CommandCheck(Findings& findings, const RunConfig& config)
      : findings_(findings), config_(config) {}

  void applied(const AdaptationCommand& command, const Outcome& outcome,
               const std::vector<SimulatedSeed>& seeds);
  void fenced(RegionId region, Epoch epoch);
  void operated(const SurgeryOrder& order, const SurgeryOutcome& outcome);
  void reflexed(const std::vector<SimulatedSeed>& seeds);
  void stepped(const std::vector<SimulatedSeed>& seeds, Window coming);
  void closed(Window window, const std::vector<SimulatedSeed>& seeds);
  void waited(std::uint64_t ms, bool boundary);
  void take(const SeenTurn& turn);

 private:
  struct AwaitedEscape {
    Window taken;
    std::set<SeedId> seeds;  ///< that touched the host then
    std::uint32_t turns{};   ///< of its region's Narset since
  };
  void expect_at_zero(const SimulatedSeed& seed, const char* why);

  Findings& findings_;
  const RunConfig& config_;
  std::map<RegionId, Epoch> newest_;
  std::set<CommandId> done_, journalled_;
  std::set<std::uint64_t> plans_done_;
  std::map<SeedId, Window> silenced_;  ///< alpha went to 0 and no command has raised it since
  std::map<SeedId, Window> doomed_;    ///< growth seeds that a reflex hit, by the turn that told it
  std::set<SeedId> scaffolds_;
  std::map<Window, std::map<RegionId, std::set<SeedId>>> touching_;  ///< the newest windows
  std::map<RegionId, AwaitedEscape> escapes_;
  std::map<SeedId, double> alphas_;
  bool stalled_{};
  Window window_;
};

}  // namespace esper::sim
