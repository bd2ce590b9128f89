#include "sim/coverage.hpp"

#include <algorithm>
#include <array>

#include "sim/fault.hpp"

namespace esper::sim {

namespace {

std::string row(std::string_view kind, std::string_view name) {
  return std::string{kind} + "/" + std::string{name};
}

template <NamedEnum E>
void add_rows(std::map<std::string, std::uint64_t>& rows, std::string_view kind,
              std::initializer_list<E> without = {}) {
  for (std::size_t i = 0; i < EnumNames<E>::values.size(); ++i) {
    const auto value = static_cast<E>(i);
    if (std::find(without.begin(), without.end(), value) == without.end())
      rows[row(kind, EnumNames<E>::values[i])];
  }
}

}  // namespace

Coverage::Coverage() {
  using C = CommandRefusal;
  using S = SurgeryRefusal;
  add_rows<FaultKind>(rows_, "fault", {FaultKind::poison_weights});  // no simulation has weights
  add_rows<CommandKind>(rows_, "transition");
  // The simulated executor has no LibTorch that could fail, one mode, and every design everywhere.
  add_rows<C>(rows_, "refusal",
              {C::none, C::unknown_blueprint, C::unknown_slot, C::observe_only, C::limit_operations,
               C::limit_memory, C::fault, C::not_foldable, C::not_a_scaffold});
  add_rows<S>(rows_, "surgery",
              {S::uncoupled, S::wrong_coupling, S::too_deep, S::region_has_seeds, S::observe_only,
               S::fault, S::over_allowance, S::old_epoch});
  for (const char* gate : {"G0", "G2", "G3", "G5", "S1", "S2", "S3"})
    for (const char* verdict : {"passed", "failed"})
      rows_[row("gate", std::string{gate} + " " + verdict)];
  add_rows<VerdictKind>(rows_, "proposal");
  // Esper's Narsets ask for no scaffold while theirs stands; tests/decisions asks as another would.
  add_rows<ScaffoldAnswer>(rows_, "scaffold", {ScaffoldAnswer::standing});
  add_rows<Posture>(rows_, "posture");
  add_rows<OverrideKind>(rows_, "override");
  for (const Role role : {Role::narset, Role::tamiyo, Role::emrakul})
    rows_[row("absence", name_of(role))];
  for (const Role role : {Role::narset, Role::tamiyo, Role::emrakul, Role::elesh, Role::kasmina,
                          Role::tolaria, Role::journal, Role::oona, Role::urza})
    rows_[row("restart", name_of(role))];
  for (const char* cause : {"non_finite_loss", "executor_silent", "rolled_back"})
    rows_[row("reflex", cause)];
  for (const char* breaker : {"journal.disk", "narset", "tamiyo", "scaffold_thrash"})
    rows_[row("breaker", breaker)];
  rows_["surgery/none"];
  rows_["zone/opened"];
  rows_["zone/lifted"];
  rows_["turn/late"];
  rows_["turn/stalled"];
  rows_["reservation/expired"];
  rows_["counsel/another_scaffold"];
  rows_["counsel/rest"];
}

void Coverage::take(const SeenTurn& turn) {
  for (const auto& outcome : turn.outcomes) {
    if (outcome.reflex)
      count(row("reflex", outcome.cause));
    else if (outcome.refusal != CommandRefusal::none)
      count(row("refusal", name_of(outcome.refusal)));
    else
      count(row("transition", name_of(outcome.kind)));
  }
  for (const auto& surgery : turn.surgeries) count(row("surgery", name_of(surgery.refusal)));
  for (const auto& gate : turn.gates)
    count(row("gate", gate.gate + (gate.passed ? " passed" : " failed")));
  for (const auto& given : turn.overrides) count(row("override", name_of(given.kind)));
  for (const auto& absence : turn.absences) count(row("absence", name_of(absence.role)));
  for (const auto& restart : turn.restarts) count(row("restart", name_of(restart.role)));
  for (const auto& applied : turn.applied)
    if (applied.late) count("turn/late");
  if (!turn.strategy) return;
  const auto& part = *turn.strategy;
  if (part.posture) count(row("posture", name_of(part.posture->to)));
  if (part.plan && part.plan->refusal != SurgeryRefusal::none)
    count(row("surgery", name_of(part.plan->refusal)));
  for (const auto& answers : part.answers) {
    for (const auto& verdict : answers.verdicts) count(row("proposal", name_of(verdict.kind)));
    for (const auto& verdict : answers.scaffolds) count(row("scaffold", name_of(verdict.answer)));
    if (answers.counsel)
      count(row("counsel", answers.counsel->tactic == Tactic::rest ? "rest" : "another_scaffold"));
    count("reservation/expired", answers.expired.size());
  }
}

void Coverage::add(const Coverage& other) {
  for (const auto& [name, times] : other.rows_) rows_[name] += times;
}

std::vector<std::string> Coverage::empty_rows() const {
  std::vector<std::string> empty;
  for (const auto& [name, times] : rows_)
    if (times == 0) empty.push_back(name);
  return empty;
}

}  // namespace esper::sim
