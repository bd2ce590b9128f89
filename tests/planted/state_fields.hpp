#pragma once
// Every field of every role's state by name. A class with a member that its list forgets does not
// compile: structured bindings count them.
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "actors/role_states.hpp"
#include "messages/schema.hpp"

namespace esper {

template <typename... Members>
struct NamedFields {
  std::string_view names;  ///< separated by ", "
  std::tuple<Members&...> members;
};

template <typename... Members>
NamedFields<Members...> named_fields(std::string_view names, Members&... members) {
  return {names, {members...}};
}

#define ESPER_STATE_FIELDS(Type, ...)               \
  static auto of(Type& object) {                    \
    auto& [__VA_ARGS__] = object;                   \
    return named_fields(#__VA_ARGS__, __VA_ARGS__); \
  }

/// Classes that have a schema are not named here.
struct StateFields {
  // Narset.
  ESPER_STATE_FIELDS(TacticsSettings, budget, gates, time, scaffolds, seed, planting)
  ESPER_STATE_FIELDS(UnderWay, id, kind, decided)
  ESPER_STATE_FIELDS(Plot, slot, members, stage, last, embargo_until, lift)
  ESPER_STATE_FIELDS(Candidate, plot, blueprint, risk, relative_norm, confidence, parameters,
                     parameters_share, downstream, quarantined, not_before, exit, foldable,
                     sunset_windows)
  ESPER_STATE_FIELDS(Experience, blueprint, count, gain_sum)
  ESPER_STATE_FIELDS(FiledProposal, proposal, approved, conditions, until)
  ESPER_STATE_FIELDS(WindowLoss, mean, sigma, steps)
  ESPER_STATE_FIELDS(ScaffoldLife, exit, foldable, sunset_windows, grafted, first_draw, first_loss,
                     successes, last_success, succeeded, ramped_again, frozen, fold_refusal,
                     output_change, leave, blamed, leave_told, moved, held, overdue)
  ESPER_STATE_FIELDS(AskedScaffold, candidate, window, granted, until)
  ESPER_STATE_FIELDS(Trouble, asked, ask_not_before, rest_until, awaits_counsel, counselled, tried)
  ESPER_STATE_FIELDS(SeedPlan, seed, plot, blueprint, stage, since, mitigations, parameters,
                     under_way, doom, roll_back, touched_host, gain, passes, graft_due,
                     stabilise_due, top_up_asked, before, stages_begun, full_windows, proposal,
                     predicted_gain, candidate, scaffold)
  ESPER_STATE_FIELDS(Tactics, region, settings, plots, launched, surgeries, catalogue, candidates,
                     scaffold_candidates, experiences, stream, epoch, sequence, next_seed,
                     next_proposal, book, health, loss, calm_gate_loss, trouble, plans, wish,
                     proposals, escape, overrides, escape_asked, germinate_not_before,
                     deferred_until, cycle, proposed_this_cycle, refused_this_cycle, last_refused,
                     escalated, wins, losses, regressions, returns)
  ESPER_STATE_FIELDS(Reservation, id, seed, part, energy)
  ESPER_STATE_FIELDS(Book, region, free, emergency, until, next_reservation, open, movements)
  ESPER_STATE_FIELDS(RegionHealth, sigma_base, volatility, stable_windows, alarming_windows,
                     non_finite, last)
  ESPER_STATE_FIELDS(Overrides, held)
  ESPER_STATE_FIELDS(NarsetState, tactics, read_back, answer, name)

  // Tamiyo.
  ESPER_STATE_FIELDS(StrategySettings, budget, allocation, time, gates, regions, scaffolds,
                     compaction, host)
  ESPER_STATE_FIELDS(Lease, free, until)
  ESPER_STATE_FIELDS(Escrow, free, until, touched, drawn)
  ESPER_STATE_FIELDS(Ledger::Region, lease, command_mark, escrow, top_up_mark, draw_mark,
                     reservation_mark)
  ESPER_STATE_FIELDS(Ledger::Reserved, energy, made, touched)
  ESPER_STATE_FIELDS(Ledger::Committed, energy, cycle)
  ESPER_STATE_FIELDS(Ledger, regions, reservations, plans, plan_mark, treasury, emergency, safety,
                     compaction, minted, spent, lapsed, minted_cycle)
  static auto of(UniformAllocator&) { return NamedFields<>{}; }
  ESPER_STATE_FIELDS(BanditAllocator::Model, weights, inverse)
  ESPER_STATE_FIELDS(BanditAllocator::Arm, context, dealt, wins, resolved)
  ESPER_STATE_FIELDS(BanditAllocator, config, gain, regression, arms, risk_price)
  ESPER_STATE_FIELDS(PostureHistory, posture, windows_without_crisis, windows_clean, regressions,
                     learning_rate_peak, loss_sum, loss_windows, cycle_windows_seen, cycle_losses)
  ESPER_STATE_FIELDS(Reputation, sum, count)
  ESPER_STATE_FIELDS(RegionResults, region, wins, losses, regressions, calibration)
  ESPER_STATE_FIELDS(Zones::Entry, zone, planted, left)
  ESPER_STATE_FIELDS(Zones, edges, radius, clean_checkpoints, calm, entries, seen, checkpoint,
                     state)
  ESPER_STATE_FIELDS(BreakerPolicy, failures_max, backoff_first, backoff_max)
  ESPER_STATE_FIELDS(Breaker, name, policy, state, failures, backoff, open_until, openings, cause)
  ESPER_STATE_FIELDS(ThrottleHistory, smoothed, last)
  ESPER_STATE_FIELDS(OrderedSurgery, plan, boundary, layers)
  ESPER_STATE_FIELDS(Strategy, settings, ledger, allocator, judged, posture, overrides, reputations,
                     results, realised, predicted, regressions, regressions_this_cycle, minted,
                     unanswered, top_ups_unanswered, scaffolds_unanswered, escalations_unanswered,
                     refused_unreported, zones, thrash, throttle, allowance, spent_this_cycle,
                     forecasts, volatility_sum, volatility_reports, host, structure_version,
                     gate_loss, gate_loss_best, plan_approved, plan_followed, ordered,
                     layers_needed)
  ESPER_STATE_FIELDS(TamiyoState, strategy, answer, name)

  // The journal's actor.
  ESPER_STATE_FIELDS(ClosedTurn, report, parts, pruning, strategy, absences, restarts, breakers)
  ESPER_STATE_FIELDS(TurnBook, regions, time, compaction, present, awaited, epochs, tamiyo_present,
                     emrakul_present, turn, restarts, committed, strategy, measured)
  ESPER_STATE_FIELDS(PendingRecovery, asked, promise)
  ESPER_STATE_FIELDS(JournalState, book, commands, recoveries, asked, planned, disk, deposed, name)

  // The others.
  template <typename Turn, typename Part>
  static auto of(TurnAnswer<Turn, Part>& object) {
    auto& [past_known, waiting, part, newest, past] = object;
    return named_fields("past_known, waiting, part, newest, past", past_known, waiting, part,
                        newest, past);
  }
  ESPER_STATE_FIELDS(KasminaState, waiting, recovered, behind, nudged, name)
  ESPER_STATE_FIELDS(UrzaState, catalogue, name)
  ESPER_STATE_FIELDS(EleshState, measured, name)
  ESPER_STATE_FIELDS(EmrakulState, importance, waiting, answered, elesh_fell, recovered, name)
  ESPER_STATE_FIELDS(TolariaState, committed, answers, open, recovered, checkpoints, name)
  ESPER_STATE_FIELDS(LaneBooks::Book, lane, receiver)
  ESPER_STATE_FIELDS(LaneBooks, context, books)
  ESPER_STATE_FIELDS(OonaState, books, name)
};

template <typename T>
concept HasElements = requires(T& value) {
  value.begin();
  value.end();
  value.size();
}
&&!std::is_same_v<T, std::string>;

template <typename T>
concept HasNodes = requires(T& value) {
  value.extract(value.begin());
};

/// Calls `visit(place, leaf)` for every number, text and enumerator within `value`, and
/// `visit.absent(place)` or `visit.count(place, n)` where it depends on the values what there is.
/// Not for what is no value: a peer's address, a promise, the actor's name, the host
/// that all share.
template <typename T, typename Visit>
void walk(const std::string& place, T& value, Visit& visit) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string> ||
                std::is_same_v<T, RandomStream> || std::is_same_v<T, PlantingTactic>) {
    visit(place, value);
  } else if constexpr (IsStrong<T>::value) {
    visit(place, value.value);
  } else if constexpr (std::is_same_v<T, Energy>) {
    visit(place, value.thousandths);
  } else if constexpr (std::is_same_v<T, const char*> || std::is_same_v<T, LaneQueue*> ||
                       std::is_same_v<T, ControlContext> || std::is_same_v<T, SharedHost> ||
                       std::is_same_v<T, caf::typed_response_promise<Recovery>>) {
  } else if constexpr (IsOptional<T>::value) {
    value ? walk(place, *value, visit) : visit.absent(place);
  } else if constexpr (HasElements<T>) {
    visit.elements(place, value);
  } else if constexpr (requires { std::variant_size<T>::value; }) {
    std::visit([&](auto& held) { walk(place, held, visit); }, value);
  } else if constexpr (requires { value.first; }) {
    using First = std::remove_const_t<decltype(value.first)>;  // a map's keys are constant
    walk(place + ".first", const_cast<First&>(value.first), visit);
    walk(place + ".second", value.second, visit);
  } else if constexpr (Described<T>) {
    for_each_field(value, [&](std::string_view name, auto& member) {
      walk(place + "." + std::string{name}, member, visit);
    });
  } else {
    const auto fields = StateFields::of(value);
    std::string_view left = fields.names;
    const auto next = [&](auto& member) {
      const auto end = left.find(", ");
      walk(place + "." + std::string{left.substr(0, end)}, member, visit);
      left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 2);
    };
    std::apply([&](auto&... members) { (next(members), ...); }, fields.members);
  }
}

}  // namespace esper
