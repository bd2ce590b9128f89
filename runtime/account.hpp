#pragma once
// What a journal tells about a run: its seeds, proposals, energy and troubles. Pure.
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "messages/host.hpp"
#include "runtime/life_account.hpp"
#include "runtime/map_account.hpp"
#include "runtime/scaffold_account.hpp"
#include "runtime/surgery_account.hpp"
#include "runtime/window_account.hpp"

namespace esper {

/// One seed, or one that was refused before it stood.
struct SeedAccount {
  SeedId seed;
  std::string region, slot, blueprint;
  std::string fate;  ///< fossilised, culled, refused, or the stage it ended in
  /// That decided it; "" when none has yet, "limit", "executor" or "reflex" where the step boundary
  /// did, which then measured nothing here.
  std::string gate;
  double measured{}, threshold{};  ///< the gate's, in its own unit
  std::string reason;
  Window window;                         ///< of the decision
  std::uint64_t parameters{};            ///< as planted; 0: it never stood
  std::uint64_t proposal{};              ///< that funded it; 0: the region's own energy did
  std::optional<double> predicted_gain;  ///< nats per sample, of that proposal
  std::optional<double> isolated_gain;   ///< nats per sample at the target alpha, as G2 measured
  std::optional<double> realised_gain;   ///< nats per sample: the proposal's, or as G5 let it pass

  static constexpr auto schema = record(
      "SeedAccount", field("seed", &SeedAccount::seed), field("region", &SeedAccount::region),
      field("slot", &SeedAccount::slot), field("blueprint", &SeedAccount::blueprint),
      field("fate", &SeedAccount::fate), field("gate", &SeedAccount::gate),
      field("measured", &SeedAccount::measured), field("threshold", &SeedAccount::threshold),
      field("reason", &SeedAccount::reason), field("window", &SeedAccount::window),
      field("parameters", &SeedAccount::parameters), field("proposal", &SeedAccount::proposal),
      field("predicted_gain", &SeedAccount::predicted_gain),
      field("isolated_gain", &SeedAccount::isolated_gain),
      field("realised_gain", &SeedAccount::realised_gain));
};

/// One Strategic Opportunity Proposal with its answer.
struct ProposalAccount {
  std::uint64_t id{};
  std::string region, slot, blueprint;
  Cycle cycle;
  Energy ask;
  double predicted_gain{};  ///< nats per sample
  std::string verdict;      ///< approved, deferred, denied; "" when the run ended first
  Energy amount;
  double score{};
  std::string reason;
  std::optional<double> realised_gain;

  static constexpr auto schema =
      record("ProposalAccount", field("id", &ProposalAccount::id),
             field("region", &ProposalAccount::region), field("slot", &ProposalAccount::slot),
             field("blueprint", &ProposalAccount::blueprint),
             field("cycle", &ProposalAccount::cycle), field("ask", &ProposalAccount::ask),
             field("predicted_gain", &ProposalAccount::predicted_gain),
             field("verdict", &ProposalAccount::verdict), field("amount", &ProposalAccount::amount),
             field("score", &ProposalAccount::score), field("reason", &ProposalAccount::reason),
             field("realised_gain", &ProposalAccount::realised_gain));
};

/// The whole run's energy, thousandths.
struct EnergyAccount {
  Energy minted, granted, reserved, spent, lapsed, available;
  Energy refused;          ///< of what regions asked for, that for which there was no energy
  double refused_share{};  ///< refused over refused and reserved, [0, 1]

  static constexpr auto schema = record(
      "EnergyAccount", field("minted", &EnergyAccount::minted),
      field("granted", &EnergyAccount::granted), field("reserved", &EnergyAccount::reserved),
      field("spent", &EnergyAccount::spent), field("lapsed", &EnergyAccount::lapsed),
      field("available", &EnergyAccount::available), field("refused", &EnergyAccount::refused),
      field("refused_share", &EnergyAccount::refused_share));
};

/// One region's energy in one cycle.
struct RegionCycle {
  std::string region;
  Energy granted, reserved, spent, refused;

  static constexpr auto schema =
      record("RegionCycle", field("region", &RegionCycle::region),
             field("granted", &RegionCycle::granted), field("reserved", &RegionCycle::reserved),
             field("spent", &RegionCycle::spent), field("refused", &RegionCycle::refused));
};

struct CycleAccount {
  Cycle cycle;
  Energy minted;
  std::string posture;
  std::vector<RegionCycle> regions;
  Energy forecast;   ///< still to spend on seeds under way, at its end
  Energy allowance;  ///< what pruning might cost in it
  Energy compacted;  ///< what it did cost
  double headroom{};
  Energy treasury, emergency, safety, compaction;  ///< where the mint went
  Energy granted, reserved, spent;                 ///< of all regions
  Energy lapsed;                                   ///< at its end
  Energy drawn, given_back;                        ///< of the emergency pool, by scaffolds
  Energy available;                                ///< free at its end, over all accounts

  static constexpr auto schema = record(
      "CycleAccount", field("cycle", &CycleAccount::cycle), field("minted", &CycleAccount::minted),
      field("posture", &CycleAccount::posture), field("regions", &CycleAccount::regions),
      field("forecast", &CycleAccount::forecast), field("allowance", &CycleAccount::allowance),
      field("compacted", &CycleAccount::compacted), field("headroom", &CycleAccount::headroom),
      field("treasury", &CycleAccount::treasury), field("emergency", &CycleAccount::emergency),
      field("safety", &CycleAccount::safety), field("compaction", &CycleAccount::compaction),
      field("granted", &CycleAccount::granted), field("reserved", &CycleAccount::reserved),
      field("spent", &CycleAccount::spent), field("lapsed", &CycleAccount::lapsed),
      field("drawn", &CycleAccount::drawn), field("given_back", &CycleAccount::given_back),
      field("available", &CycleAccount::available));
};

struct Counted {
  std::string what;
  std::uint64_t count{};

  static constexpr auto schema =
      record("Counted", field("what", &Counted::what), field("count", &Counted::count));
};

struct RunAccount {
  EnergyAccount energy;
  std::vector<CycleAccount> cycles;
  std::vector<SeedAccount> seeds;  ///< in order of their decisions
  std::vector<ProposalAccount> proposals;
  std::vector<ScaffoldAccount> scaffolds;
  std::vector<TroubleAccount> troubles;
  std::vector<CheckpointAccount> checkpoints;
  std::vector<SurgeryAccount> surgeries;
  std::vector<LayerAccount> layers;  ///< as measured, by checkpoint
  std::vector<Counted> refusals;     ///< by the executor and the ledger
  std::vector<Counted> restarts;     ///< by role
  std::vector<Counted> absences;     ///< by role and reason
  std::uint64_t late_turns{};
  std::uint64_t windows{};
  MapAccount map;
  std::vector<LifeAccount> lives;  ///< in order of germination
  std::vector<WindowAccount> window_list;

  static constexpr auto schema = record(
      "RunAccount", field("energy", &RunAccount::energy), field("cycles", &RunAccount::cycles),
      field("seeds", &RunAccount::seeds), field("proposals", &RunAccount::proposals),
      field("scaffolds", &RunAccount::scaffolds), field("troubles", &RunAccount::troubles),
      field("checkpoints", &RunAccount::checkpoints), field("surgeries", &RunAccount::surgeries),
      field("layers", &RunAccount::layers), field("refusals", &RunAccount::refusals),
      field("restarts", &RunAccount::restarts), field("absences", &RunAccount::absences),
      field("late_turns", &RunAccount::late_turns), field("windows", &RunAccount::windows),
      field("map", &RunAccount::map), field("lives", &RunAccount::lives),
      field("window_list", &RunAccount::window_list));
};

/// `cycle_windows` > 0 is the config's. Errors: throws MalformedJson or nlohmann's errors when an
/// entry's payload is not what its kind says.
[[nodiscard]] RunAccount account_of(const std::vector<JournalEntry>& entries,
                                    std::uint32_t cycle_windows);

}  // namespace esper
