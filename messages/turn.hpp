#pragma once
// One turn: inputs to each role, the parts that they answer with, and what the journal releases.
#include "messages/budget.hpp"
#include "messages/opportunity.hpp"
#include "messages/telemetry.hpp"

namespace esper {

/// What Tamiyo decided for one region in turn w; input to that region's turn w + 1.
struct Answers {
  RegionId region;
  std::optional<Allocation> allocation;
  std::vector<Verdict> verdicts;
  std::vector<TopUp> top_ups;
  std::vector<std::uint64_t> expired;  ///< reservations that the ledger let expire
  std::vector<ScaffoldVerdict> scaffolds;
  std::optional<Counsel> counsel;
  bool emergency_reclaimed{};  ///< what stood in escrow for a scaffold went back to the pool
  bool embargoed{};            ///< the region lies in a zone

  static constexpr auto schema =
      record("Answers", field("region", &Answers::region),
             field("allocation", &Answers::allocation), field("verdicts", &Answers::verdicts),
             field("top_ups", &Answers::top_ups), field("expired", &Answers::expired),
             field("scaffolds", &Answers::scaffolds), field("counsel", &Answers::counsel),
             field("emergency_reclaimed", &Answers::emergency_reclaimed),
             field("embargoed", &Answers::embargoed));
};

/// Everything that region's Narset decides window w from.
struct RegionTurn {
  Window window;
  RegionTelemetry telemetry;
  std::vector<Outcome> outcomes;  ///< of this region
  Answers answers;                ///< of turn w - 1
  std::optional<CheckpointReady> checkpoint;
  std::vector<SurgeryOutcome> surgeries;  ///< of the whole host
  std::vector<Override> overrides;        ///< of this region

  static constexpr auto schema = record(
      "RegionTurn", field("window", &RegionTurn::window),
      field("telemetry", &RegionTurn::telemetry), field("outcomes", &RegionTurn::outcomes),
      field("answers", &RegionTurn::answers), field("checkpoint", &RegionTurn::checkpoint),
      field("surgeries", &RegionTurn::surgeries), field("overrides", &RegionTurn::overrides));
};

/// A gate's verdict with its number, for the record and for people.
struct GateVerdict {
  SeedId seed;
  SlotId slot;
  std::string gate;  ///< "G0", "G2", "G3", "G5"
  bool passed{};
  double measured{};
  double threshold{};
  std::string reason;
  std::string blueprint;

  static constexpr auto schema =
      record("GateVerdict", field("seed", &GateVerdict::seed), field("slot", &GateVerdict::slot),
             field("gate", &GateVerdict::gate), field("passed", &GateVerdict::passed),
             field("measured", &GateVerdict::measured), field("threshold", &GateVerdict::threshold),
             field("reason", &GateVerdict::reason), field("blueprint", &GateVerdict::blueprint));
};

/// The part of a WindowReport that belongs to no region.
struct WindowSummary {
  Window window;
  Tick tick;
  Step step;
  OperationCount operations;
  bool overhead_paused{};
  bool verdict_ignored{};
  bool stalled{};

  static constexpr auto schema = record(
      "WindowSummary", field("window", &WindowSummary::window), field("tick", &WindowSummary::tick),
      field("step", &WindowSummary::step), field("operations", &WindowSummary::operations),
      field("overhead_paused", &WindowSummary::overhead_paused),
      field("verdict_ignored", &WindowSummary::verdict_ignored),
      field("stalled", &WindowSummary::stalled));
};

/// A Narset's account of its region; Tamiyo's only source.
struct RegionReport {
  RegionId region;
  Window window;
  Epoch epoch;
  double volatility{};  ///< v in [0, 1]
  double loss_mean{};
  double drift{};
  double learning_rate_ratio{};
  bool in_crisis{};
  bool non_finite{};
  bool stable{};                ///< this window kept every band
  bool frozen{};                ///< by an override: it commands nothing
  std::uint32_t scaffolds{};    ///< of its own, from the germinating command until it is retired
  std::uint32_t wins{};         ///< adaptations that paid, since the last report
  std::uint32_t losses{};       ///< culls, roll-backs and reflexes since the last report
  std::uint32_t regressions{};  ///< of the losses: after the seed had touched the host's output
  double confidence{};          ///< of the risk sheets of what it would plant, [0, 1]
  Energy held;                  ///< free energy of its lease
  Energy asked;                 ///< price of the seed it would plant next; 0: none
  Energy refused;               ///< of the asks so far this cycle, those without energy
  Energy forecast;              ///< still to spend on seeds under way
  std::uint32_t seeds{};        ///< unfossilised
  double expected_gain{};       ///< nats per sample of what it asks for
  double expected_gain_sd{};
  std::vector<Movement> movements;      ///< in the book's order
  std::vector<RealisedReturn> returns;  ///< of proposals that were funded

  static constexpr auto schema = record(
      "RegionReport", field("region", &RegionReport::region),
      field("window", &RegionReport::window), field("epoch", &RegionReport::epoch),
      field("volatility", &RegionReport::volatility), field("loss_mean", &RegionReport::loss_mean),
      field("drift", &RegionReport::drift),
      field("learning_rate_ratio", &RegionReport::learning_rate_ratio),
      field("in_crisis", &RegionReport::in_crisis), field("non_finite", &RegionReport::non_finite),
      field("stable", &RegionReport::stable), field("frozen", &RegionReport::frozen),
      field("scaffolds", &RegionReport::scaffolds), field("wins", &RegionReport::wins),
      field("losses", &RegionReport::losses), field("regressions", &RegionReport::regressions),
      field("confidence", &RegionReport::confidence), field("held", &RegionReport::held),
      field("asked", &RegionReport::asked), field("refused", &RegionReport::refused),
      field("forecast", &RegionReport::forecast), field("seeds", &RegionReport::seeds),
      field("expected_gain", &RegionReport::expected_gain),
      field("expected_gain_sd", &RegionReport::expected_gain_sd),
      field("movements", &RegionReport::movements), field("returns", &RegionReport::returns));
};

/// A Narset's whole answer to one RegionTurn.
struct RegionPart {
  RegionReport report;
  std::vector<AdaptationCommand> commands;
  std::vector<Price> prices;  ///< every price computed, in order
  std::vector<GateVerdict> gates;
  std::vector<OpportunityProposal> proposals;
  std::vector<Escalation> escalations;
  std::vector<ScaffoldRequest> scaffold_requests;
  std::vector<SeedStatus> read_back;  ///< after a restart: what the executor said (an input)

  static constexpr auto schema = record(
      "RegionPart", field("report", &RegionPart::report), field("commands", &RegionPart::commands),
      field("prices", &RegionPart::prices), field("gates", &RegionPart::gates),
      field("proposals", &RegionPart::proposals), field("escalations", &RegionPart::escalations),
      field("scaffold_requests", &RegionPart::scaffold_requests),
      field("read_back", &RegionPart::read_back));
};

/// Everything that Tamiyo decides one turn from.
struct TurnReports {
  Window window;
  std::vector<RegionReport> reports;           ///< of the regions present, region order
  std::vector<OpportunityProposal> proposals;  ///< region order, as all below
  std::vector<ScaffoldRequest> scaffold_requests;
  std::vector<Escalation> escalations;
  std::optional<CheckpointReady> checkpoint;
  std::vector<SurgeryOutcome> surgeries;
  std::optional<PruningPlan> plan;  ///< Emrakul's, in a planning turn
  std::vector<Override> overrides;

  static constexpr auto schema = record(
      "TurnReports", field("window", &TurnReports::window), field("reports", &TurnReports::reports),
      field("proposals", &TurnReports::proposals),
      field("scaffold_requests", &TurnReports::scaffold_requests),
      field("escalations", &TurnReports::escalations),
      field("checkpoint", &TurnReports::checkpoint), field("surgeries", &TurnReports::surgeries),
      field("plan", &TurnReports::plan), field("overrides", &TurnReports::overrides));
};

/// Tamiyo's whole answer to one turn's reports.
struct StrategyPart {
  Window window;
  Epoch epoch;
  std::optional<PostureChange> posture;
  std::optional<Mint> mint;
  std::vector<Answers> answers;      ///< one per region, in region order
  std::vector<std::string> refused;  ///< movements that the ledger refused, with the reason
  double risk_price{};               ///< the allocator's dual variable
  LedgerBalance balance;
  std::optional<PruningAllowance> pruning;  ///< when a cycle is minted
  ZoneState zones;                          ///< at the turn's end
  std::optional<PlanVerdict> plan;
  std::optional<SurgeryOrder> surgery;     ///< when it approved
  Energy compaction;                       ///< what plans may still cost in this cycle
  std::vector<std::string> layers_needed;  ///< residual layers whose removal was undone

  static constexpr auto schema = record(
      "StrategyPart", field("window", &StrategyPart::window), field("epoch", &StrategyPart::epoch),
      field("posture", &StrategyPart::posture), field("mint", &StrategyPart::mint),
      field("answers", &StrategyPart::answers), field("refused", &StrategyPart::refused),
      field("risk_price", &StrategyPart::risk_price), field("balance", &StrategyPart::balance),
      field("pruning", &StrategyPart::pruning), field("zones", &StrategyPart::zones),
      field("plan", &StrategyPart::plan), field("surgery", &StrategyPart::surgery),
      field("compaction", &StrategyPart::compaction),
      field("layers_needed", &StrategyPart::layers_needed));
};

/// Commands of one committed turn, to be applied at the boundary that closes window turn + 1.
struct TurnRelease {
  Window turn;
  Window boundary;  ///< of a turn that is caught up: where it took effect; 0: where it is found
  std::vector<AdaptationCommand> commands;  ///< in region order, then sequence
  std::optional<SurgeryOrder> surgery;
  std::uint64_t zone_version{};      ///< at the turn's end
  std::uint64_t journal_sequence{};  ///< of the turn's last entry
  std::string journal_head;          ///< the chain's hash there

  static constexpr auto schema = record(
      "TurnRelease", field("turn", &TurnRelease::turn), field("boundary", &TurnRelease::boundary),
      field("commands", &TurnRelease::commands), field("surgery", &TurnRelease::surgery),
      field("zone_version", &TurnRelease::zone_version),
      field("journal_sequence", &TurnRelease::journal_sequence),
      field("journal_head", &TurnRelease::journal_head));
};

enum class Role : std::uint8_t {
  tolaria,
  kasmina,
  narset,
  tamiyo,
  urza,
  oona,
  journal,
  supervisor,
  elesh,
  emrakul
};
ESPER_ENUM_NAMES(Role, "tolaria", "kasmina", "narset", "tamiyo", "urza", "oona", "journal",
                 "supervisor", "elesh", "emrakul");

/// A role (of a region, for Narsets) that took no part in a turn.
struct Absence {
  Role role{};
  RegionId region;
  std::string reason;

  static constexpr auto schema =
      record("Absence", field("role", &Absence::role), field("region", &Absence::region),
             field("reason", &Absence::reason));
};

struct Restart {
  Role role{};
  RegionId region;
  Epoch epoch;  ///< of the new incarnation
  std::string cause;

  static constexpr auto schema =
      record("Restart", field("role", &Restart::role), field("region", &Restart::region),
             field("epoch", &Restart::epoch), field("cause", &Restart::cause));
};

/// A committed turn as a restarted role folds it in.
struct TurnRecord {
  Window window;
  std::optional<RegionTurn> input;     ///< Narset
  std::optional<TurnReports> reports;  ///< Tamiyo
  std::vector<SeedStatus> read_back;   ///< Narset: input of its first turn after a restart
  bool present{};                      ///< the role decided this turn
  Epoch epoch;                         ///< of the incarnation that did

  static constexpr auto schema =
      record("TurnRecord", field("window", &TurnRecord::window), field("epoch", &TurnRecord::epoch),
             field("input", &TurnRecord::input), field("reports", &TurnRecord::reports),
             field("read_back", &TurnRecord::read_back), field("present", &TurnRecord::present));
};

}  // namespace esper
