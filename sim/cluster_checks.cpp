#include "sim/cluster_checks.hpp"

namespace esper::sim::cluster {

namespace {

std::string at(std::uint64_t epoch, std::uint64_t step) {
  return " in step " + std::to_string(step) + " of group " + std::to_string(epoch);
}

std::string name(RegionId region) { return "region " + std::to_string(region.value); }

}  // namespace

Checks::Checks(const Shape& shape)
    : shape_(shape),
      state_of_(shape.nodes.size(), 0),
      told_fences_(regions),
      started_(regions),
      last_applied_(regions, 0) {}

void Checks::flagged(std::uint64_t epoch, std::uint64_t step, const std::vector<bool>& escape) {
  auto& flags = flags_[{epoch, step}];
  flags.resize(regions, false);
  for (std::size_t region = 0; region < escape.size(); ++region)
    if (escape[region]) flags[region] = true;
}

void Checks::completed(NodeId node, const StepDone& done, const ReplicaState& state, bool quorate) {
  const std::string who = shape_.nodes[node].node;
  if (!done.broken.empty())
    findings_.report(done.broken.find("sample") != std::string::npos ? "SAMPLES" : "COMMIT-1",
                     done.broken + " on " + who + at(done.epoch, done.step));
  // A step for which all contributions were under way may still be completed late, and no further.
  const auto later = formed_.upper_bound(done.epoch);
  if (later != formed_.end() && done.step > later->second.from.step + 1)
    findings_.report("TRAININGS", who + " trained" + at(done.epoch, done.step) + " beside group " +
                                      std::to_string(later->first));
  if (!quorate)
    findings_.report("QUORUM", who + " trained without a quorum" + at(done.epoch, done.step));
  const auto flags = flags_.find({done.epoch, done.step});
  if (flags != flags_.end() && flags->second != done.escaped)
    findings_.report("ESCAPE-1", "an escape was overlooked on " + who + at(done.epoch, done.step));
  std::vector<std::uint64_t> applied;
  for (const auto& command : done.applied) applied.push_back(command.id);
  const auto [place, first] =
      done_.insert({{done.epoch, done.step}, {state.chain.value(), applied, done.escaped}});
  if (first) return first_completed(done, state);
  if (place->second.applied != applied)
    findings_.report("COMMIT-1", "replicas applied different changes" + at(done.epoch, done.step));
  else if (place->second.chain != state.chain.value())
    findings_.report("REPLICAS", "replicas differ" + at(done.epoch, done.step));
}

void Checks::first_completed(const StepDone& done, const ReplicaState& state) {
  newest_step_ = std::max(newest_step_, done.step);
  for (const auto& command : done.applied) {
    ++applied_;
    last_applied_[command.region.value] = done.step;
    if (command.epoch < started_[command.region.value])
      findings_.report("FENCE-1", "a command of " + name(command.region) + "'s epoch " +
                                      std::to_string(command.epoch.value) +
                                      " was carried out beside epoch " +
                                      std::to_string(started_[command.region.value].value) +
                                      at(done.epoch, done.step));
    if (!charged_.insert({command.id, done.step}).second)
      findings_.report("LEDGER-2", "a command was carried out twice" + at(done.epoch, done.step));
    const auto spent = state.spent.at({command.region, command.cycle});
    if (spent > granted(command.region, command.cycle))
      findings_.report("LEDGER-2", name(command.region) + " spent " + std::to_string(spent) +
                                       " of " +
                                       std::to_string(granted(command.region, command.cycle)) +
                                       " in cycle " + std::to_string(command.cycle.value));
  }
  // Older ones can be completed no more.
  if (done_.size() > 400) done_.erase(done_.begin());
  if (flags_.size() > 400) flags_.erase(flags_.begin());
}

void Checks::formed(const Group& group, const std::vector<GroupMemory>& truth,
                    const std::vector<Progress>& reached) {
  ++groups_;
  // Its agreements were late: a quorum has left it by their votes for a later one, nobody may take
  // it.
  const bool overtaken = !formed_.empty() && formed_.rbegin()->first > group.epoch;
  if (overtaken) return;
  formed_[group.epoch] = group;
  std::size_t agreed = 0;
  for (const auto& memory : truth) agreed += memory.newest.epoch >= group.epoch ? 1 : 0;
  if (2 * agreed <= shape_.nodes.size())
    findings_.report("QUORUM", "group " + std::to_string(group.epoch) + " was formed though " +
                                   std::to_string(agreed) + " nodes agreed");
  for (const auto& member : group.members) {
    const auto& own = reached[shape_.node_of(member)];
    if (std::pair(own.epoch, own.step) > std::pair(group.from.epoch, group.from.step))
      findings_.report("FURTHEST", member + " is at step " + std::to_string(own.step) +
                                       ", the state taken at " + std::to_string(group.from.step));
  }
}

void Checks::took(NodeId node, const Group& group, const ReplicaState& state, bool restored,
                  bool changing) {
  const auto& who = shape_.nodes[node].node;
  if (!formed_.contains(group.epoch))
    findings_.report("TRAININGS", who + " took part in group " + std::to_string(group.epoch) +
                                      ", which a later one had overtaken");
  // Who has the state of the same group as the source is behind it by a step at most and has its
  // changes under way: it goes on, even where a group that nobody took was made without it.
  const bool joins = restored || state_of_[node] != group.from.epoch;
  joined_ += joins ? 1 : 0;
  if (joins && who != group.source && (!ends_window(state.step) || changing))
    findings_.report("JOIN",
                     who + " was admitted in mid-change, at step " + std::to_string(state.step));
  state_of_[node] = group.epoch;
  if (who != group.source) return;
  // What was done beyond that state is no part of the history any more.
  std::erase_if(charged_, [&](const auto& one) { return one.second > state.step; });
  if (state.step < told_step_)
    findings_.report("SETTLED", "step " + std::to_string(told_step_) +
                                    " was told, and the group goes on from step " +
                                    std::to_string(state.step));
  for (std::size_t region = 0; region < regions; ++region)
    if (state.fences[region] < told_fences_[region])
      findings_.report("FENCE-1", "a fence of " + name({static_cast<std::uint32_t>(region)}) +
                                      " was acknowledged and is forgotten");
}

void Checks::told(const Report& report) {
  told_step_ = std::max(told_step_, report.step);
  for (std::size_t region = 0; region < regions; ++region)
    told_fences_[region] = std::max(told_fences_[region], report.fences[region]);
}

void Checks::started(RegionId region, Epoch epoch) {
  started_[region.value] = std::max(started_[region.value], epoch);
}

std::int64_t Checks::granted(RegionId region, Cycle cycle) const {
  const auto found = accounts_.find({region, cycle});
  return found == accounts_.end() ? 0 : found->second.open + found->second.spent;
}

void Checks::appended(const std::vector<Entry>& entries, Epoch row) {
  for (const auto& entry : entries) {
    ++entries_;
    if (entry.prime != row || entry.prime < newest_prime_)
      findings_.report("DEPOSED", "an append of epoch " + std::to_string(entry.prime.value) +
                                      " beside the leader's epoch " + std::to_string(row.value));
    if (entry.prime > newest_prime_ && newest_prime_.value > 0) ++takeovers_;
    newest_prime_ = std::max(newest_prime_, entry.prime);
    book(entry);
  }
}

void Checks::book(const Entry& entry) {
  auto& account = accounts_[{entry.region, entry.cycle}];
  auto& available = available_[entry.cycle];
  switch (entry.kind) {
    case Entry::Kind::mint:
      if (available != 0)
        findings_.report("LEDGER-2",
                         "cycle " + std::to_string(entry.cycle.value) + " was minted twice");
      available = entry.amount;
      return;
    case Entry::Kind::move:
      return;
    case Entry::Kind::start:
      if (entry.epoch.value > 1) ++moves_;
      return;
    case Entry::Kind::grant:
      if (account.is_open)
        findings_.report("LEDGER-2", name(entry.region) + " was granted a lease twice");
      account.is_open = true;
      account.open = entry.amount;
      available -= entry.amount;
      break;
    case Entry::Kind::close:
      if (!account.is_open || entry.amount > account.open || entry.amount < 0)
        findings_.report("LEDGER-1", name(entry.region) + "'s lease was closed over its books");
      account.spent += entry.amount;
      available += account.open - entry.amount;
      account.open = 0;
      account.is_open = false;
      break;
  }
  if (available < 0)
    findings_.report(
        "LEDGER-2", "cycle " + std::to_string(entry.cycle.value) + " granted more than was minted");
}

void Checks::finish(const std::vector<std::uint64_t>& steps, std::uint64_t healed_step) {
  for (const auto trainer : shape_.trainers)
    if (steps[trainer] < shape_.last_step)
      findings_.report("LIVENESS", shape_.nodes[trainer].node + " stands at step " +
                                       std::to_string(steps[trainer]) + " of " +
                                       std::to_string(shape_.last_step));
  for (std::uint32_t region = 0; region < regions; ++region)
    if (last_applied_[region] <= healed_step)
      findings_.report("LIVENESS", name({region}) + " changed nothing since step " +
                                       std::to_string(last_applied_[region]));
}

}  // namespace esper::sim::cluster
