#include "actors/decisions/training_group.hpp"

#include "actors/decisions/planted.hpp"
#include "messages/result.hpp"

namespace esper {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool counts(const Standing& standing, std::uint64_t epoch) {
  return standing.epoch == epoch || planted(Planted::old_vote_counted);
}

/// Those who voted for that epoch and train, in the config's order.
std::vector<const Standing*> trainers_of(const std::vector<Voter>& configured,
                                         const std::vector<Standing>& standings,
                                         std::uint64_t epoch) {
  std::vector<const Standing*> found;
  for (const Voter& voter : configured) {
    if (!voter.trains) continue;
    for (const Standing& standing : standings)
      if (standing.node == voter.node && counts(standing, epoch)) {
        found.push_back(&standing);
        break;
      }
  }
  return found;
}

/// "": none of the newest group's members can be further than those who are here.
std::string newest_state_elsewhere(const Group& newest,
                                   const std::vector<const Standing*>& trainers) {
  std::string absent;
  for (const auto& member : newest.members) {
    const auto here = std::find_if(trainers.begin(), trainers.end(),
                                   [&](const Standing* one) { return one->node == member; });
    if (here == trainers.end())
      absent = member;
    else if ((*here)->progress.epoch == newest.epoch && !(*here)->restored)
      return "";
  }
  // Who is here and has not that group's state never had it, or lost it with its process.
  return absent.empty() ? "" : "the newest state may be with " + absent + ", which does not answer";
}

void raise_all(std::vector<Epoch>& fences, const std::vector<Epoch>& others) {
  if (fences.size() < others.size()) fences.resize(others.size());
  for (std::size_t i = 0; i < others.size(); ++i) fences[i] = std::max(fences[i], others[i]);
}

}  // namespace

GroupPlan plan_group(const std::vector<Voter>& configured, const std::vector<Standing>& standings,
                     std::uint64_t epoch, QuorumRule rule) {
  GroupPlan plan;
  std::vector<Vote> votes;
  Group newest;
  for (const auto& standing : standings) {
    if (!counts(standing, epoch)) continue;
    votes.push_back({standing.node, epoch});
    if (standing.newest.epoch > newest.epoch) newest = standing.newest;
  }
  plan.refused = no_quorum(configured, votes, epoch, rule);
  if (!plan.refused.empty()) return plan;
  const auto trainers = trainers_of(configured, standings, epoch);
  plan.refused = newest_state_elsewhere(newest, trainers);
  if (!plan.refused.empty()) return plan;
  // Of equals the first configured.
  const auto nearer = [](const Standing* one, const Standing* other) {
    return one->progress < other->progress;
  };
  const auto* furthest = planted(Planted::furthest_wrong)
                             ? *std::min_element(trainers.begin(), trainers.end(), nearer)
                             : *std::max_element(trainers.begin(), trainers.end(), nearer);
  plan.group.epoch = epoch;
  plan.group.source = furthest->node;
  plan.group.from = furthest->progress;
  for (const auto* trainer : trainers)
    if (!trainer->restored || !planted(Planted::fence_forgotten))
      raise_all(plan.group.fences, trainer->fences);
  if (planted(Planted::batch_dealt_twice) && trainers.size() < newest.members.size())
    plan.group.from.position -= std::min<std::uint64_t>(plan.group.from.position, 1);
  for (const auto* trainer : trainers)
    if (trainer == furthest || furthest->boundary || planted(Planted::joiner_mid_change) ||
        (trainer->progress.epoch == furthest->progress.epoch && !trainer->restored))
      plan.group.members.push_back(trainer->node);
  return plan;
}

std::uint64_t settled_step(const Progress& progress) {
  if (planted(Planted::told_too_early)) return progress.step;
  return progress.step - std::min<std::uint64_t>(progress.step, 1);
}

std::uint64_t next_epoch(std::uint64_t newest, std::size_t place, std::size_t nodes) {
  if (place >= nodes) throw InvariantViolation("an epoch for a node that is not configured");
  const auto rounds = newest / nodes;
  const auto epoch = rounds * nodes + place;
  return epoch > newest ? epoch : epoch + nodes;
}

std::optional<std::uint32_t> rank_in(const Group& group, const std::string& node) {
  const auto found = std::find(group.members.begin(), group.members.end(), node);
  if (found == group.members.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - group.members.begin());
}

TrainingGroup::TrainingGroup(std::vector<Voter> configured, QuorumRule rule, std::string self,
                             GroupMemory memory)
    : configured_(std::move(configured)),
      rule_(rule),
      self_(std::move(self)),
      memory_(std::move(memory)) {
  const bool known = std::any_of(configured_.begin(), configured_.end(),
                                 [&](const Voter& voter) { return voter.node == self_; });
  if (!known) throw InvariantViolation(self_ + " is not configured");
}

bool TrainingGroup::trains() const {
  return std::any_of(configured_.begin(), configured_.end(),
                     [&](const Voter& voter) { return voter.node == self_ && voter.trains; });
}

std::optional<Standing> TrainingGroup::asked(std::uint64_t epoch,
                                             const std::vector<Epoch>& fences) {
  if (epoch <= memory_.promised) return std::nullopt;
  memory_.promised = voted_ = epoch;
  stands_ = 0;
  return Standing{self_, epoch, progress_, restored_, boundary_, memory_.newest, fences};
}

bool TrainingGroup::agree(const Group& group) {
  if (group.epoch != memory_.promised || group.epoch != voted_) return false;
  memory_.newest = group;
  agreed_ = group.epoch;
  return true;
}

bool TrainingGroup::formed(std::uint64_t epoch) {
  const bool mine = epoch == agreed_ && epoch > taken_ && epoch == memory_.promised &&
                    epoch == memory_.newest.epoch;
  return mine && contains(memory_.newest.members, self_);
}

void TrainingGroup::took_state() {
  progress_ = memory_.newest.from;
  progress_.epoch = memory_.newest.epoch;
  restored_ = false;
  taken_ = memory_.newest.epoch;
  stands_ = memory_.newest.epoch;
}

void TrainingGroup::completed(std::uint64_t step, std::uint64_t position, bool boundary) {
  progress_.step = step;
  progress_.position = position;
  boundary_ = boundary;
}

void TrainingGroup::restored(const Progress& progress) {
  progress_ = progress;
  boundary_ = restored_ = true;
}

bool TrainingGroup::stands_in(std::uint64_t epoch) const { return epoch > 0 && stands_ == epoch; }

std::uint64_t TrainingGroup::stands() const { return stands_; }

/// Why the group that this node stands in cannot go on; "": it can.
std::string TrainingGroup::missing(const std::vector<PeerWord>& peers) const {
  for (const auto& peer : peers)
    if (contains(memory_.newest.members, peer.node)) {
      if (peer.lost) return peer.node + " is lost";
      if (peer.stands != stands_) return peer.node + " has left";
    }
  return "";
}

bool TrainingGroup::joiner_waits(const std::vector<PeerWord>& peers) const {
  return std::any_of(peers.begin(), peers.end(), [&](const PeerWord& peer) {
    // A member's own word of this is old.
    return peer.joins && !peer.lost && !contains(memory_.newest.members, peer.node);
  });
}

GroupAdvice TrainingGroup::advise_member(const std::vector<PeerWord>& peers) const {
  auto why = missing(peers);
  auto move = GroupMove::ask;
  if (why.empty() && boundary_ && joiner_waits(peers)) {
    move = GroupMove::admit;
    why = "others join";
  }
  if (why.empty()) return {GroupMove::go_on, ""};
  // The first member that is there asks.
  for (const auto& member : memory_.newest.members) {
    if (member == self_) return {move, why};
    const bool there = std::any_of(peers.begin(), peers.end(), [&](const PeerWord& peer) {
      return peer.node == member && !peer.lost && peer.stands == stands_;
    });
    if (there) break;
  }
  return {GroupMove::wait, why};
}

GroupAdvice TrainingGroup::next(const std::vector<PeerWord>& peers) const {
  std::vector<Vote> votes{{self_, 1}};
  std::uint64_t living = stands_;  // the newest group that somebody takes part in
  for (const auto& peer : peers) {
    if (peer.lost && !planted(Planted::lost_counted)) continue;
    votes.push_back({peer.node, 1});
    living = std::max(living, peer.stands);
  }
  if (auto why = no_quorum(configured_, votes, 1, rule_); !why.empty())
    return {GroupMove::stop, std::move(why)};
  if (living > 0 && stands_ == living) return advise_member(peers);
  if (!trains()) return {GroupMove::wait, ""};
  if (living > 0) return {GroupMove::join, ""};
  for (const Voter& voter : configured_) {
    if (!voter.trains) continue;
    if (voter.node == self_) return {GroupMove::ask, "no group stands"};
    const bool there = std::any_of(peers.begin(), peers.end(), [&](const PeerWord& peer) {
      return peer.node == voter.node && !peer.lost;
    });
    if (there) break;
  }
  return {GroupMove::wait, ""};
}

void GroupRound::answer(Standing standing) {
  if (!proposed_ && counts(standing, epoch_) && !answered(standing.node))
    standings_.push_back(std::move(standing));
}

bool GroupRound::answered(const std::string& node) const {
  return std::any_of(standings_.begin(), standings_.end(),
                     [&](const Standing& standing) { return standing.node == node; });
}

bool GroupRound::agreed(const std::string& node, std::uint64_t epoch) {
  if (!proposed_ || formed_) return false;
  agreements_.push_back({node, planted(Planted::old_vote_counted) ? epoch_ : epoch});
  const auto agreed_to = [&](const std::string& member) {
    return std::any_of(agreements_.begin(), agreements_.end(), [&](const Vote& vote) {
      return vote.node == member && vote.epoch == epoch_;
    });
  };
  formed_ = std::all_of(proposed_->members.begin(), proposed_->members.end(), agreed_to) &&
            no_quorum(configured_, agreements_, epoch_, rule_).empty();
  return formed_;
}

}  // namespace esper
