#include "sim/cluster_replica.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::uint64_t outcomes_kept_windows = 12;

void end_pending(ReplicaState& state, std::size_t slot, bool applied) {
  auto& place = state.pending[slot];
  state.outcomes[place->command.id] = {applied, place->command.until};
  place.reset();
}

void apply(ReplicaState& state, std::size_t slot, Window window, StepDone& done) {
  auto& place = state.pending[slot];
  if (!place) {
    done.broken = "a change was applied that had been aborted";
    return;
  }
  const auto command = place->command;
  // A fence that was raised while the change was under way holds for it, too.
  const bool admitted =
      lease_admits(state.fences[command.region.value], command.epoch, command.until, window);
  if (admitted) {
    state.chain.add(command.id);
    state.spent[{command.region, command.cycle}] += command.cost;
    done.applied.push_back(command);
  }
  end_pending(state, slot, admitted);
}

/// What the leader's boundary brings: fences first, then commands into what slots are free.
void take_orders(ReplicaState& state, const Contribution& orders, Window window) {
  for (std::size_t i = 0; i < orders.fences.size(); ++i)
    state.fences[i] = std::max(state.fences[i], orders.fences[i]);
  for (const auto& command : orders.commands) {
    bool known = state.outcomes.contains(command.id);
    for (const auto& place : state.pending) known |= place && place->command.id == command.id;
    if (known) continue;
    if (!lease_admits(state.fences[command.region.value], command.epoch, command.until, window)) {
      state.outcomes[command.id] = {false, command.until};
      continue;
    }
    for (auto& place : state.pending)
      if (!place) {
        place = Pending{command, ++state.plans, 0};
        break;
      }
  }
  std::erase_if(state.outcomes, [&](const auto& outcome) {
    return outcome.second.until.value + outcomes_kept_windows < window.value;
  });
}

void use_samples(ReplicaState& state, const std::vector<const Contribution*>& parts,
                 StepDone& done) {
  if (state.used.empty()) state.used.assign(data.batches_per_epoch * data.batch, 0);
  for (const auto* part : parts)
    for (auto place = part->share.first; place < part->share.first + part->share.count; ++place)
      if (++state.used.at(place) > 1) done.broken = "a sample was used twice in its epoch";
  ++state.position;
  if (state.position % data.batches_per_epoch != 0) return;
  for (const auto times : state.used)
    if (times != 1) done.broken = "a sample was not used exactly once in its epoch";
  state.used.clear();
}

}  // namespace

bool ReplicaState::changing() const {
  return std::any_of(pending.begin(), pending.end(), [](const auto& place) { return !!place; });
}

StepDone complete_step(ReplicaState& state, const std::vector<const Contribution*>& parts) {
  StepDone done;
  done.epoch = parts.front()->epoch;
  done.step = state.step + 1;
  std::vector<std::uint32_t> sum(parts.front()->word.size(), 0);
  for (const auto* part : parts)
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part->word[i];
  const auto verdict = state.commit.read(sum, static_cast<std::uint32_t>(parts.size()));
  // The window that is open: what it applies stands in its report.
  const Window window = window_after(done.step + window_steps - 1);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if (verdict.changes[slot] == ChangeVerdict::apply) apply(state, slot, window, done);
    if (!state.pending[slot]) continue;
    // The rule waits for the last ones; that there is a first one, who begins a change must see to.
    const bool none = verdict.changes[slot] == ChangeVerdict::none;
    const bool too_late = none && ++state.pending[slot]->unready > prepare_ticks_max;
    if (verdict.changes[slot] == ChangeVerdict::abort || too_late) end_pending(state, slot, false);
  }
  done.escaped = verdict.escape;
  for (std::size_t region = 0; region < done.escaped.size(); ++region)
    if (done.escaped[region]) state.chain.add(0xe5c + region);
  done.skipped = verdict.skip;
  for (const auto* part : parts)
    if (!verdict.skip) state.chain.add(part->share.first * 1'000 + part->share.count);
  use_samples(state, parts, done);
  state.step = done.step;
  state.chain.add(state.step);
  if (ends_window(state.step)) take_orders(state, *parts.front(), window_after(state.step));
  return done;
}

void end_changes(ReplicaState& state) {
  state.commit.membership_changed();
  for (std::size_t slot = 0; slot < slots; ++slot)
    if (state.pending[slot]) end_pending(state, slot, false);
}

void regroup(ReplicaState& state, const Group& group) {
  end_changes(state);
  for (std::size_t i = 0; i < group.fences.size(); ++i)
    state.fences[i] = std::max(state.fences[i], group.fences[i]);
  state.position = group.from.position;
}

}  // namespace esper::sim::cluster
