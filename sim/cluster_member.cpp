#include "sim/cluster_member.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::uint64_t patience_ms = 600, answers_ms = 200, round_ms = 1'500;

std::string told(const Group& group) {
  std::string text = "group " + std::to_string(group.epoch) + " of";
  for (const auto& member : group.members) text += " " + member;
  return text + " from step " + std::to_string(group.from.step) + " of " + group.source;
}

}  // namespace

Member::Member(Site& site, Peers& peers, NodeId self, std::uint64_t process)
    : site_(site),
      peers_(peers),
      self_(self),
      process_(process),
      group_(site.shape.nodes, QuorumRule::majority, site.shape.nodes[self].node,
             site.disks[self].memory) {
  if (disk().checkpoint) state_ = *disk().checkpoint;
  end_changes(state_);
  // A checkpoint's fences are as old as it is; those on the disk come back with the group's.
  state_.fences.assign(regions, {});
  restored_ = process > 1;
  if (restored_) group_.restored(disk().progress);
  site_.reached[self_] = group_.progress();
}

void Member::after(std::uint64_t delay_ms, std::function<void()> what) {
  site_.world.after(delay_ms, self_, process_, std::move(what));
}

Pulse Member::pulse() const {
  Pulse pulse;
  pulse.promised = group_.memory().promised;
  pulse.stands = group_.stands();
  pulse.joins = joins_;
  return pulse;
}

bool Member::ready_for_change() const {
  for (std::uint32_t slot = 0; slot < slots; ++slot)
    if (state_.commit.ready(slot)) return true;
  return false;
}

void Member::tick() {
  const auto advice = group_.next(peers_.words());
  joins_ = advice.move == GroupMove::join;
  if ((advice.move != GroupMove::ask && advice.move != GroupMove::admit) || round_) {
    if (!round_) asking_since_ms_.reset();
    return;
  }
  // What is heard of others is old: a group that is just coming about must not be asked apart.
  const auto now = site_.world.now_ms();
  if (!asking_since_ms_) asking_since_ms_ = now + site_.world.below(pulse_ms);
  if (now >= *asking_since_ms_ + patience_ms) start_round();
}

void Member::start_round() {
  const auto newest = std::max(group_.memory().promised, peers_.promised_max());
  const auto epoch = next_epoch(newest, self_, site_.shape.nodes.size());
  round_.emplace(site_.shape.nodes, QuorumRule::majority, epoch);
  asking_since_ms_.reset();
  site_.world.note(site_.shape.nodes[self_].node + " asks for group " + std::to_string(epoch) +
                   ": " + group_.next(peers_.words()).why);
  for (NodeId node = 0; node < site_.shape.nodes.size(); ++node)
    site_.world.send(self_, node, Ask{epoch});
  after(answers_ms, [this, epoch] { decide_round(epoch, false); });
  after(2 * answers_ms + 400, [this, epoch] { decide_round(epoch, true); });
  after(round_ms, [this, epoch] {
    if (round_ && round_->epoch() == epoch) round_.reset();
  });
}

void Member::decide_round(std::uint64_t epoch, bool last) {
  if (!round_ || round_->epoch() != epoch || round_->proposed()) return;
  bool all = true;
  for (NodeId node = 0; node < site_.shape.nodes.size(); ++node)
    all = all && (peers_.lost(node) || round_->answered(site_.shape.nodes[node].node));
  if (!all && !last) return;
  const auto plan = round_->plan();
  if (!plan.refused.empty()) {
    site_.world.note("no group: " + plan.refused);
    return;
  }
  round_->propose(plan.group);
  for (NodeId node = 0; node < site_.shape.nodes.size(); ++node)
    site_.world.send(self_, node, Propose{plan.group});
}

void Member::take(NodeId from, const Ask& ask) {
  const auto standing = group_.asked(ask.epoch, trains() ? disk().fences : std::vector<Epoch>{});
  if (!standing) return;
  disk().memory = group_.memory();
  site_.world.send(self_, from, *standing);
}

void Member::take(NodeId, const Standing& standing) {
  if (round_) round_->answer(standing);
}

void Member::take(NodeId from, const Propose& propose) {
  if (!group_.agree(propose.group)) return;
  disk().memory = group_.memory();
  site_.world.send(self_, from, Agreed{propose.group.epoch});
}

void Member::take(NodeId from, const Agreed& agreed) {
  if (!round_ || !round_->agreed(site_.shape.nodes[from].node, agreed.epoch)) return;
  const auto group = *round_->proposed();
  round_.reset();
  site_.world.note(told(group));
  std::vector<GroupMemory> truth;
  for (const auto& one : site_.disks) truth.push_back(one.memory);
  site_.checks.formed(group, truth, site_.reached);
  for (const auto& member : group.members)
    site_.world.send(self_, site_.shape.node_of(member), Formed{group.epoch});
}

void Member::take(NodeId, const Formed& formed) {
  if (!group_.formed(formed.epoch)) return;
  const auto source = site_.shape.node_of(group_.group().source);
  if (source == self_) return stand(state_);
  site_.world.send(self_, source, StateRequest{formed.epoch});
  after(300, [this, formed] { take(self_, formed); });
}

void Member::take(NodeId from, const StateRequest& request) {
  const auto& group = group_.group();
  if (!group_.stands_in(request.epoch) || state_.step != group.from.step) return;
  site_.world.send(self_, from,
                   StateTransfer{request.epoch, std::make_shared<const ReplicaState>(state_)});
}

void Member::take(NodeId, const StateTransfer& transfer) {
  if (group_.formed(transfer.epoch)) stand(*transfer.state);
}

/// In the group that was formed, with its state.
void Member::stand(const ReplicaState& state) {
  const auto& group = group_.group();
  const bool changing = state.changing();
  if (&state != &state_) state_ = state;
  regroup(state_, group);
  disk().fences = state_.fences;
  site_.checks.took(self_, group, state_, restored_, changing);
  restored_ = false;
  group_.took_state();
  group_.completed(state_.step, state_.position, ends_window(state_.step));
  site_.reached[self_] = group_.progress();
  refused_.clear();
  untold_.reset();
  contributed_ = 0;
  std::erase_if(parts_, [&](const auto& part) { return part.first.first < group.epoch; });
  plan_step();
}

}  // namespace esper::sim::cluster
