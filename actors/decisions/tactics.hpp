#pragma once
// Narset's whole mind: one region's seeds, from what it was told to what it does about it. A plain
// value: the same turns make the same Tactics and the same parts, live, restarted or replayed.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/decisions/book.hpp"
#include "actors/decisions/overrides.hpp"
#include "actors/decisions/planting.hpp"
#include "actors/decisions/random.hpp"
#include "actors/decisions/region_health.hpp"
#include "messages/blueprint.hpp"
#include "messages/configuration.hpp"
#include "messages/host.hpp"
#include "messages/pruning.hpp"
#include "messages/turn.hpp"

namespace esper {

struct TacticsSettings {
  BudgetConfig budget;
  GateConfig gates;
  TimeConfig time;
  ScaffoldConfig scaffolds;
  std::uint64_t seed{};
  PlantingTactic planting;  ///< empty: the best expected gain per energy
};

/// What a run's config says to its Narsets.
[[nodiscard]] inline TacticsSettings tactics_settings(const RunConfig& config,
                                                      PlantingTactic planting = {}) {
  return {.budget = config.budget,
          .gates = config.gates,
          .time = config.time,
          .scaffolds = config.scaffolds,
          .seed = config.seed,
          .planting = std::move(planting)};
}

/// A command that was given and has no outcome yet: nothing is commanded twice.
struct UnderWay {
  CommandId id;
  CommandKind kind{};
  Window decided;
};

/// Where one seed can stand: a slot, or a group of branch slots that takes one seed together.
struct Plot {
  SlotId slot;  ///< the group's first
  std::vector<SlotId> members;
  Stage stage{Stage::dormant};  ///< dormant, embargoed or fossilised; live seeds have a SeedPlan
  SeedId last;                  ///< that stood here; lifts its embargo
  Window embargo_until;
  std::optional<UnderWay> lift;
};

/// One blueprint on one plot, its sheets summed over the plot's slots.
struct Candidate {
  std::size_t plot{};
  std::string blueprint;
  double risk{};           ///< r0, the worst slot's
  double relative_norm{};  ///< at birth, the largest
  double confidence{};     ///< the lowest
  std::uint64_t parameters{};
  double parameters_share{};  ///< over the region's
  double downstream{};        ///< share of the host's operations
  bool quarantined{};
  Window not_before;  ///< after a refusal by the executor
  SunsetExit exit{};  ///< this and below: of a scaffold alone
  bool foldable{};    ///< where it would stand
  std::uint32_t sunset_windows{};
};

/// What one blueprint brought in this region, in nats per sample on the gate split.
struct Experience {
  std::string blueprint;
  std::uint32_t count{};
  double gain_sum{};
};

/// A proposal that was filed, and then approved or not.
struct FiledProposal {
  OpportunityProposal proposal;
  bool approved{};
  Mitigations conditions;
  Window until;
};

/// A window's mean loss, its spread from step to step, and over how many steps.
struct WindowLoss {
  double mean{}, sigma{};
  std::uint32_t steps{};
};

/// What only a scaffold has: it is here to leave again.
struct ScaffoldLife {
  SunsetExit exit{SunsetExit::wean};
  bool foldable{};
  std::uint32_t sunset_windows{};    ///< on the graph without success, it leaves
  Window grafted;                    ///< boundary at which it went on the graph; 0: not yet
  Window first_draw;                 ///< 0: nothing was drawn for it yet
  std::optional<double> first_loss;  ///< gate split, at its first measurement on the graph
  std::uint32_t successes{};         ///< windows in a row, in the present stage
  Window last_success;
  bool succeeded{};
  bool ramped_again{};       ///< its alpha was lost on the way up, once
  Window frozen;             ///< boundary from which its statistics stand still; 0: they do not
  std::string fold_refusal;  ///< "": none
  double output_change{};    ///< by the fold that was refused
  std::string leave;         ///< why it leaves without success; "": it does not
  bool blamed{};             ///< and whether that speaks against its design
  bool leave_told{};
  Window moved;    ///< boundary of the last descent
  bool held{};     ///< since then
  bool overdue{};  ///< told: it leaves however the host fares
};

/// A scaffold that was asked of Tamiyo: awaited, then granted until it is planted.
struct AskedScaffold {
  std::size_t candidate{};
  Window window;
  bool granted{};
  Window until;
};

/// What a region in trouble has tried. Over when it is calm again without help.
struct Trouble {
  std::optional<AskedScaffold> asked;
  Window ask_not_before;           ///< after a refusal
  Window rest_until;               ///< as counselled: nothing is planted before
  bool awaits_counsel{};           ///< after a failure
  std::string counselled;          ///< the design to ask for next; "": its own choice
  std::vector<std::string> tried;  ///< designs that failed, the newest last
};

/// One seed from its germinating command until its plot is free again or taken for good.
struct SeedPlan {
  SeedId seed;
  std::size_t plot{};
  std::string blueprint;
  Stage stage{Stage::dormant};  ///< as last told; dormant: germination is under way
  Window since;                 ///< boundary at which the stage began
  Mitigations mitigations;
  std::uint64_t parameters{};
  std::optional<UnderWay> under_way;
  std::string doom;                 ///< why it is to be culled; "": it is not
  bool roll_back{};                 ///< doomed, and its ramp is to be undone
  bool touched_host{};              ///< its alpha was above 0
  double gain{};                    ///< last measured, nats
  std::uint32_t passes{};           ///< G2: windows in a row
  Energy graft_due, stabilise_due;  ///< recomputed before the graft
  Window top_up_asked;              ///< 0: no answer is awaited
  WindowLoss before;                ///< G3: the region's loss before the ramp
  std::uint32_t stages_begun{};
  std::uint32_t full_windows{};  ///< at the last stage
  std::uint64_t proposal{};      ///< that paid for it; 0: the lease
  double predicted_gain{};
  std::size_t candidate{};  ///< index in its class's list, or past the end for an adopted seed
  std::optional<ScaffoldLife> scaffold;
};

/// One description for all regions: a Narset that kept its own would grow with all of them.
using SharedHost = std::shared_ptr<const HostDescription>;

struct Tactics {
  /// `launched`: the host before any surgery. Only the region's own share of it is kept.
  Tactics(RegionId region, TacticsSettings settings, SharedHost launched,
          const Catalogue& catalogue);
  /// Of one region alone.
  Tactics(RegionId region, TacticsSettings settings, HostDescription launched,
          const Catalogue& catalogue);

  RegionId region;
  TacticsSettings settings;
  std::vector<Plot> plots;
  SharedHost launched;
  std::vector<SurgeryOutcome> surgeries;       ///< kept ones: what the host has lost since
  Catalogue catalogue;                         ///< its sheets count parameters as of now, too
  std::vector<Candidate> candidates;           ///< growth alone
  std::vector<Candidate> scaffold_candidates;  ///< scaffolds alone
  std::vector<Experience> experiences;
  RandomStream stream;

  Epoch epoch;
  std::uint64_t sequence{};
  std::uint64_t next_seed{1};
  std::uint64_t next_proposal{1};
  Book book;
  RegionHealth health;
  WindowLoss loss;                       ///< of the last whole window
  std::optional<double> calm_gate_loss;  ///< of the last checkpoint that found the region calm
  Trouble trouble;
  std::vector<SeedPlan> plans;           ///< in order of germination
  std::optional<std::size_t> wish;       ///< the candidate it would plant next
  std::vector<FiledProposal> proposals;  ///< that may still be approved or planted
  std::optional<UnderWay> escape;
  Overrides overrides;
  bool escape_asked{};          ///< by an override, and not yet commanded
  Window germinate_not_before;  ///< after a refusal that no other choice would avoid
  Window deferred_until;        ///< of the last proposal
  Cycle cycle;
  bool proposed_this_cycle{};
  Energy refused_this_cycle;
  std::optional<std::size_t> last_refused;        ///< counted once a cycle
  Window escalated;                               ///< 0: not in this crisis
  std::uint32_t wins{}, losses{}, regressions{};  ///< since the last report
  std::vector<RealisedReturn> returns;            ///< since the last report
};

/// One turn: follows the accounts, then decides. `read_back`: the region's seeds as the executor
/// knows them, given in the first turn of a new incarnation; believed instead of what was
/// remembered, and copied into the part. Never throws, whatever the numbers of `turn`.
[[nodiscard]] RegionPart decide(
    Tactics& tactics, const RegionTurn& turn, Epoch epoch,
    const std::optional<std::vector<SeedStatus>>& read_back = std::nullopt);

/// A turn that this role took no part in: lease, verdicts and outcomes are followed, nothing is
/// decided. What the book moved stands in the next report.
void miss(Tactics& tactics, const RegionTurn& turn);

}  // namespace esper
