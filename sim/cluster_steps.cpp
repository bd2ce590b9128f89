// A replica's steps: each waits for every member of its group.
#include "sim/cluster_member.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::uint64_t quorum_heard_ms = 8'000;  // confirmed, and a collective's time-out later

}  // namespace

void Member::plan_step() {
  const auto epoch = group_.stands(), step = state_.step + 1;
  if (epoch == 0 || step > site_.shape.last_step) return;
  after(30 + site_.world.below(60), [this, epoch, step] { contribute(epoch, step); });
}

bool Member::may_contribute(std::uint64_t epoch, std::uint64_t step) {
  return group_.stands_in(epoch) && state_.step + 1 == step && contributed_ < step;
}

void Member::contribute(std::uint64_t epoch, std::uint64_t step) {
  if (!may_contribute(epoch, step)) return;
  const auto advice = group_.next(peers_.words());
  // A window's end is where joiners are let in, before the next step begins.
  if (advice.move == GroupMove::admit && !round_) start_round();
  if (advice.move == GroupMove::stop || advice.move == GroupMove::admit) {
    after(pulse_ms, [this, epoch, step] { contribute(epoch, step); });
    return;
  }
  prepare();
  Contribution part;
  part.epoch = epoch;
  part.step = step;
  std::vector<bool> escape(regions, false);
  if (poisoned_) escape[poisoned_->value] = true;
  part.word = state_.commit.word(poisoned_.has_value(), escape);
  if (poisoned_) site_.checks.flagged(epoch, step, escape);
  poisoned_.reset();
  const auto rank = *rank_in(group_.group(), site_.shape.nodes[self_].node);
  const auto world = static_cast<std::uint32_t>(group_.group().members.size());
  part.share = share_of(data, state_.position, rank, world);
  if (rank == 0 && ends_window(step)) {
    if (!group_.joiner_waits(peers_.words())) part.commands = exchange_;
    part.fences = fences_asked_;
    exchange_.clear();
  }
  contributed_ = step;
  for (const auto& member : group_.group().members)
    site_.world.send(self_, site_.shape.node_of(member), part);
  after(collective_ms, [this, epoch, step] {
    if (group_.stands_in(epoch) && state_.step < step) group_.leave();
  });
}

/// A replica makes ready when it comes to it, some late, some never, some with another result.
void Member::prepare() {
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    const auto& pending = state_.pending[slot];
    if (!pending || state_.commit.ready(slot) || refused_.contains(pending->plan)) continue;
    const auto drawn = site_.world.below(100);
    if (drawn < 3) refused_.insert(pending->plan);
    if (drawn < 3 || drawn > 50) continue;
    const auto own = drawn == 50 ? std::uint64_t{self_} + 1 : 0;
    (void)state_.commit.prepare(slot, pending->plan, pending->command.id + own);
  }
}

void Member::take(NodeId from, const Contribution& contribution) {
  if (!trains() || contribution.epoch < group_.memory().promised) return;
  parts_[{contribution.epoch, contribution.step}].emplace(from, contribution);
  complete_if_whole();
}

void Member::complete_if_whole() {
  const auto epoch = group_.stands();
  const auto found = parts_.find({epoch, state_.step + 1});
  if (epoch == 0 || found == parts_.end()) return;
  std::vector<const Contribution*> parts;
  for (const auto& member : group_.group().members) {
    const auto part = found->second.find(site_.shape.node_of(member));
    if (part == found->second.end()) return;
    parts.push_back(&part->second);
  }
  complete(parts);
  parts_.erase(found);
  plan_step();
}

void Member::complete(const std::vector<const Contribution*>& parts) {
  const auto done = complete_step(state_, parts);
  group_.completed(state_.step, state_.position, ends_window(state_.step) && !state_.changing());
  site_.reached[self_] = group_.progress();
  site_.world.digest().add(state_.chain.value());
  // One who was stopped for a while has heard nobody meanwhile, and knows nothing of it yet.
  const bool stopped = resumed_ms_ + quorum_heard_ms >= site_.world.now_ms() && resumed_ms_ > 0;
  site_.checks.completed(self_, done, state_, stopped || peers_.heard_majority(quorum_heard_ms));
  disk().fences = state_.fences;
  if (ends_window(state_.step)) {
    disk().progress = group_.progress();
    disk().checkpoint = std::make_shared<const ReplicaState>(state_);
    Report report;
    report.epoch = group_.stands();
    report.step = state_.step;
    report.window = window_after(state_.step);
    report.leader = site_.shape.node_of(group_.group().members.front());
    report.fences = state_.fences;
    report.spent = state_.spent;
    for (const auto& [id, known] : state_.outcomes) report.outcomes[id] = known.applied;
    untold_ = std::move(report);
  }
  tell();
}

/// A window's end is told when it is settled. The last step of a training has none after it.
void Member::tell() {
  if (!untold_ || untold_->step > settled_step(group_.progress())) return;
  site_.checks.told(*untold_);
  for (NodeId node = 0; node < site_.shape.nodes.size(); ++node)
    site_.world.send(self_, node, *untold_);
  untold_.reset();
}

void Member::take(NodeId, const FenceRequest& request) {
  for (std::size_t region = 0; region < regions; ++region)
    fences_asked_[region] = std::max(fences_asked_[region], request.fences[region]);
}

void Member::take(NodeId, const Submit& submit) {
  constexpr std::size_t exchange_max = 16;
  for (const auto& command : exchange_)
    if (command.id == submit.command.id) return;
  if (trains() && exchange_.size() < exchange_max) exchange_.push_back(submit.command);
}

}  // namespace esper::sim::cluster
