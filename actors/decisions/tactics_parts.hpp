#pragma once
// The parts of tactics, one concern each. Only tactics*.cpp include this.
#include <string_view>

#include "actors/decisions/tactics.hpp"

namespace esper::tactics {

/// What one decision reads and writes.
struct Decision {
  Tactics& tactics;
  const RegionTurn& turn;
  RegionPart& part;
};

// tactics_accounts.cpp: what was told is believed; nothing is decided.

/// Lease, verdicts, top-ups, expiries, outcomes and the region's health of one turn.
void follow(Tactics& tactics, const RegionTurn& turn);
/// The executor's truth replaces memory, but for seeds that this turn's outcomes speak of; commands
/// of older incarnations are forgotten.
void reconcile(Tactics& tactics, const std::vector<SeedStatus>& seeds, const RegionTurn& turn);
/// The seed left: reservations void, plot embargoed, loss booked, plan erased.
void forget(Tactics& tactics, SeedId seed, Window now);

// tactics_catalogue.cpp: what could be planted.

[[nodiscard]] std::vector<Plot> plots_of(RegionId region, const HostDescription& host);
[[nodiscard]] std::vector<Candidate> candidates_of(RegionId region, const HostDescription& host,
                                                   const Catalogue& catalogue,
                                                   const std::vector<Plot>& plots,
                                                   BlueprintClass blueprint_class);
/// The candidate that the plan was made from; null for an adopted seed.
[[nodiscard]] Candidate* candidate_of(Tactics& tactics, const SeedPlan& plan);
/// No seed stands there, and none is on its way.
[[nodiscard]] bool free_plot(const Tactics& tactics, std::size_t plot);
/// The host lost channels: what every candidate adds and disturbs is counted anew.
void recount(Tactics& tactics, const SurgeryOutcome& kept);
/// Nats per sample that the candidate is expected to bring, and how unsure that is.
struct ExpectedGain {
  double mean{}, deviation{};
};
[[nodiscard]] ExpectedGain expected_gain(const Tactics& tactics, const Candidate& candidate);
void learn(Tactics& tactics, const std::string& blueprint, double realised);

// tactics_germination.cpp: G0, the next wish, proposals.

[[nodiscard]] Price price_now(const Tactics& tactics, const Candidate& candidate,
                              double relative_norm, bool on_graph = false);
/// Chooses the next candidate if there is room for one, then plants, asks or proposes.
void germinate(Decision& decision);

// tactics_trial.cpp, tactics_ramp.cpp, tactics_verdict.cpp: one gate each. `seen` is null when
// this window's telemetry says nothing about the seed in its present stage.

void judge_trial(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen);
void judge_ramp(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen);
void judge_stability(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen);

/// Every pass of the seed's own was finite, and so are its norms.
[[nodiscard]] bool finite_passes(const SeedTelemetry& seen);
/// Alpha stands at the target of the stage that was begun last.
[[nodiscard]] bool stage_complete(const SeedPlan& plan, const SeedTelemetry& seen);

// tactics_scaffold.cpp: asking for a scaffold, planting it, paying for it.

/// The region's scaffold, from its germinating command until its plot is free again.
[[nodiscard]] SeedPlan* scaffold_in(Tactics& tactics);
[[nodiscard]] bool scaffold_stands(const Tactics& tactics);
/// Verdicts, counsel, and energy that was taken back.
void take_scaffold_answers(Tactics& tactics, const Answers& answers);
/// It shall leave without success, for `why`. `blamed`: that speaks against its design.
void dismiss(SeedPlan& plan, const std::string& why, bool blamed);
/// The design failed in the present trouble.
void remember_failure(Trouble& trouble, const std::string& blueprint);
/// A request outlives neither its crisis nor its time; trouble ends when the region is calm.
void review_trouble(Tactics& tactics, Window now);
/// A region in crisis, and no growth of ours in its path: it asks for a scaffold, else Tamiyo is
/// told.
void seek_help(Decision& decision);
/// The scaffold that was granted is germinated.
void plant_scaffold(Decision& decision);
/// What it uses of its emergency energy in this window, and what it has no more use for.
void settle_emergency(Decision& decision);
void escalate(Decision& decision, std::string reason);

// tactics_sunset.cpp: a scaffold's way up, its success, its way out.

void judge_scaffold(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen);

// tactics.cpp: how a decision is uttered.

/// A region's seeds are numbered from 1; no two regions share an id.
[[nodiscard]] constexpr SeedId seed_of(RegionId region, std::uint64_t number) {
  return {((region.value + std::uint64_t{1}) << 40) | number};
}
[[nodiscard]] CommandId next_command(Tactics& tactics);
/// Gives the command, unless one is under way for the seed or the lifecycle forbids it. `charged`
/// names the part of the seed's price that pays. Null when it was not given; the command may be
/// completed by the caller.
AdaptationCommand* command(Decision& decision, SeedPlan& plan, CommandKind kind,
                           std::optional<ReservationPart> charged = std::nullopt);
void say(Decision& decision, const SeedPlan& plan, std::string_view gate, bool passed,
         double measured, double threshold, std::string_view reason);
/// The gate's verdict against the seed; its cull (or roll-back) is commanded in this turn.
void condemn(Decision& decision, SeedPlan& plan, std::string_view gate, double measured,
             double threshold, std::string_view reason, bool roll_back = false);
/// False in a crisis, after a step that was not finite and while an escape is under way: no seed is
/// planted or moved on then.
[[nodiscard]] bool may_go_forward(const Tactics& tactics);
/// A person froze the region: alphas stay, nothing is planted, moved on or asked for.
[[nodiscard]] bool frozen(const Tactics& tactics);
/// Windows since the seed's stage began.
[[nodiscard]] std::uint64_t age(const SeedPlan& plan, Window now);

}  // namespace esper::tactics
