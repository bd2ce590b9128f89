#pragma once
// All checkers of one simulation, fed with every journalled turn and everything that the trainer
// does. None uses the code that it checks.
#include "sim/check_answers.hpp"
#include "sim/check_commands.hpp"
#include "sim/check_ledger.hpp"
#include "sim/check_throttle.hpp"
#include "sim/check_zones.hpp"
#include "sim/coverage.hpp"

namespace esper::sim {

class Checkers final : public TrainerWatch {
 public:
  Checkers(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue,
           Coverage& coverage);

  /// A transaction that stands on the disk.
  void committed(const std::vector<JournalEntry>& entries);

  void applied(const AdaptationCommand& command, const Outcome& outcome,
               const std::vector<SimulatedSeed>& seeds) override;
  void fenced(RegionId region, Epoch epoch) override;
  void operated(const SurgeryOrder& order, const SurgeryOutcome& outcome, Window window) override;
  void reflexed(const std::vector<Outcome>& outcomes,
                const std::vector<SimulatedSeed>& seeds) override;
  void stepped(const std::vector<SimulatedSeed>& seeds, Window coming) override;
  void closed(const WindowReport& report, const std::vector<SimulatedSeed>& seeds) override;
  void waited(std::uint64_t ms, bool boundary) override;

  void lied_to(RegionId region) { zones_.lied_to(region); }
  /// The liveness phase is over: what had to be resolved is. `last`: the trainer's newest window.
  void finish(Window last);

  [[nodiscard]] Findings& findings() { return findings_; }
  [[nodiscard]] Window committed_window() const { return committed_; }
  [[nodiscard]] std::uint64_t waited_ms() const { return waited_ms_; }
  [[nodiscard]] std::uint64_t grafts() const { return grafts_; }
  [[nodiscard]] std::uint64_t surgeries() const { return surgeries_; }

 private:
  Findings findings_;
  Coverage& coverage_;
  std::uint32_t regions_;
  LedgerCheck ledger_;
  ThrottleCheck throttle_;
  ZoneCheck zones_;
  CommandCheck commands_;
  AnswerCheck answers_;
  Window committed_;
  std::map<RegionId, Window> last_report_;  ///< newest turn in which the region took part
  std::uint64_t waited_ms_{}, grafts_{}, surgeries_{};
};

}  // namespace esper::sim
