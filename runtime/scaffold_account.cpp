#include "runtime/scaffold_account.hpp"

#include <algorithm>

#include "runtime/journal_kinds.hpp"

namespace esper {

void ScaffoldAccountant::take(const JournalEntry& entry) {
  window_ = entry.window;
  visit_payload<HostDescription>(entry, [&](const auto& host) { host_ = host; });
  visit_payload<ScaffoldRequest>(entry, [&](const auto& asked) { request(asked); });
  visit_payload<RegionReport>(entry, [&](const auto& told) { report(told); });
  visit_payload<GateVerdict>(entry, [&](const auto& verdict) { gate(verdict, entry.region); });
  visit_payload<AdaptationCommand>(entry, [&](const auto& given) { command(given); });
  visit_payload<Outcome>(entry, [&](const auto& happened) { outcome(happened); });
  visit_payload<StrategyPart>(entry, [&](const auto& part) { strategy(part); });
}

ScaffoldAccountant::Region& ScaffoldAccountant::region(RegionId id) {
  while (regions_.size() <= id.value) {
    Region added;
    const std::size_t place = regions_.size();
    added.name = place < host_.regions.size() ? host_.regions[place].name : std::to_string(place);
    regions_.push_back(std::move(added));
  }
  return regions_[id.value];
}

void ScaffoldAccountant::request(const ScaffoldRequest& request) {
  ScaffoldAccount account;
  account.region = region(request.region).name;
  account.slot = request.slot.value < host_.slots.size() ? host_.slots[request.slot.value].name
                                                         : std::to_string(request.slot.value);
  account.blueprint = request.blueprint;
  account.requested = request.window;
  account.reason = request.reason;
  account.ask = request.ask;
  account.answer = "unanswered";
  scaffolds_.push_back(std::move(account));
}

void ScaffoldAccountant::report(const RegionReport& report) {
  constexpr std::uint32_t windows_to_recover = 2;
  Region& own = region(report.region);
  own.stable = report.stable && !report.in_crisis ? own.stable + 1 : 0;
  if (report.in_crisis && !own.in_trouble) {
    own.in_trouble = true;
    troubles_.push_back({own.name, report.window, {}});
  } else if (own.in_trouble && own.stable >= windows_to_recover) {
    own.in_trouble = false;
    const auto open =
        std::find_if(troubles_.rbegin(), troubles_.rend(),
                     [&](const TroubleAccount& trouble) { return trouble.region == own.name; });
    open->recovered = report.window;
  }
  if (!own.scaffold) return;
  for (const Movement& movement : report.movements) {
    if (movement.kind == MovementKind::draw)
      scaffolds_[own.scaffold->account].drawn += movement.energy;
    if (movement.kind == MovementKind::give_back)
      scaffolds_[own.scaffold->account].given_back += movement.energy;
  }
}

void ScaffoldAccountant::strategy(const StrategyPart& part) {
  for (const Answers& answers : part.answers)
    for (const ScaffoldVerdict& verdict : answers.scaffolds) {
      Region& own = region(verdict.region);
      const auto asked =
          std::find_if(scaffolds_.rbegin(), scaffolds_.rend(), [&](const ScaffoldAccount& account) {
            return account.region == own.name && account.answer == "unanswered";
          });
      if (asked == scaffolds_.rend()) continue;
      asked->answer = name_of(verdict.answer);
      if (verdict.answer == ScaffoldAnswer::granted)
        own.scaffold = Standing{static_cast<std::size_t>(scaffolds_.rend() - asked) - 1, {}};
    }
  for (ScaffoldAccount& account : scaffolds_) {
    if (account.answer != name_of(ScaffoldAnswer::granted) || account.zone_lifted.value > 0 ||
        account.requested >= part.window)
      continue;
    const bool stands =
        std::any_of(part.zones.zones.begin(), part.zones.zones.end(),
                    [&](const Zone& zone) { return region(zone.region).name == account.region; });
    if (!stands) account.zone_lifted = part.window;
  }
}

void ScaffoldAccountant::command(const AdaptationCommand& command) {
  Region& own = region(command.id.region);
  if (command.kind == CommandKind::germinate && own.scaffold &&
      scaffolds_[own.scaffold->account].blueprint == command.blueprint)
    own.scaffold->seed = command.seed;
}

void ScaffoldAccountant::gate(const GateVerdict& verdict, RegionId id) {
  Region& own = region(id);
  if (!own.scaffold || own.scaffold->seed != verdict.seed || verdict.seed.value == 0) return;
  ScaffoldAccount& account = scaffolds_[own.scaffold->account];
  if (verdict.gate == "S1" && verdict.passed && account.succeeded.value == 0)
    account.succeeded = window_;
  if (verdict.gate == "S2") {
    account.exit = verdict.reason;
    account.contribution = verdict.measured;
  }
}

void ScaffoldAccountant::outcome(const Outcome& outcome) {
  Region& own = region(outcome.region);
  if (!own.scaffold || own.scaffold->seed != outcome.seed || outcome.seed.value == 0) return;
  if (outcome.refusal != CommandRefusal::none || outcome.reflex) return;
  ScaffoldAccount& account = scaffolds_[own.scaffold->account];
  if (outcome.kind == CommandKind::graft) account.grafted = window_;
  if (outcome.kind == CommandKind::fold || outcome.kind == CommandKind::sunset) {
    account.sunset = window_;
    account.output_change = outcome.output_change;
  }
  if (outcome.kind == CommandKind::retire) account.retired = window_;
}

}  // namespace esper
