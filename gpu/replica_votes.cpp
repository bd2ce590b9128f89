// Who goes on, in which order, from whose state: by the rules that the simulator runs, with the
// votes of witnesses where the trainers alone are no quorum.
#include <thread>

#include "actors/decisions/witness.hpp"
#include "gpu/replica_group.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds ask_again{50};  // the witnesses
constexpr std::chrono::milliseconds answers_min{10};

}  // namespace

std::vector<Voter> ReplicaGroup::voters() const {
  std::vector<Voter> configured;
  for (const auto& node : place_.nodes) configured.push_back({node, true});
  for (const auto& node : place_.witnesses) configured.push_back({node, false});
  return configured;
}

GroupWord ReplicaGroup::plan(const std::vector<StandingWord>& words, std::uint64_t epoch,
                             const std::vector<WitnessAnswer>& votes, QuorumRule rule) const {
  std::vector<Standing> standings;
  for (const auto& word : words) {
    Standing& standing = standings.emplace_back();
    standing.node = word.node;
    standing.epoch = epoch;
    standing.progress = {word.progress_epoch, word.step, word.position};
    standing.boundary = word.boundary;
    standing.newest.epoch = word.newest;
    standing.newest.members = word.members;
  }
  for (const auto& vote : votes) standings.push_back(standing_of(vote, epoch));
  const GroupPlan planned = plan_group(voters(), standings, epoch, rule);
  GroupWord group{.epoch = epoch, .members = planned.group.members, .source = planned.group.source};
  group.refused = planned.refused;
  group.run = group_.run;
  group.progress_epoch = planned.group.from.epoch;
  group.step = planned.group.from.step;
  group.position = planned.group.from.position;
  std::stable_partition(group.members.begin(), group.members.end(), [&](const std::string& member) {
    return std::any_of(words.begin(), words.end(), [&](const StandingWord& word) {
      return word.node == member && word.attended;
    });
  });
  for (const auto& member : group.members)
    for (const auto& word : words)
      if (word.node == member) {
        group.hosts.push_back(word.host);
        group.ports.push_back(word.port);
      }
  return group;
}

GroupWord ReplicaGroup::elect(const std::vector<StandingWord>& words, Patience patience) const {
  std::uint64_t epoch = group_.epoch;
  for (const auto& word : words) epoch = std::max(epoch, word.known);
  ++epoch;
  const auto missing = [&](const std::vector<WitnessAnswer>& agreed) {
    std::vector<Vote> votes;
    for (const auto& word : words) votes.push_back({word.node, epoch});
    for (const auto& one : agreed) votes.push_back({one.node, epoch});
    return no_quorum(voters(), votes, epoch, place_.quorum);
  };
  if (missing({}).empty() || !place_.ask_witnesses) return plan(words, epoch, {}, place_.quorum);
  const auto until = Clock::now() + patience;
  const auto left = [&] { return std::chrono::duration_cast<Patience>(until - Clock::now()); };
  // Two sides may ask at the same time, and each spoil the other's epoch: they wait unequally.
  const auto rank = std::find(place_.nodes.begin(), place_.nodes.end(), place_.node);
  auto again = ask_again * (1 + (rank - place_.nodes.begin()));
  while (true) {
    std::uint64_t promised = epoch;
    const auto given = [&](const WitnessQuestion& question) {
      auto answers = place_.ask_witnesses(question, std::max(left(), answers_min));
      for (const auto& answer : answers) promised = std::max(promised, answer.promised);
      std::erase_if(answers, [](const WitnessAnswer& answer) { return !answer.given; });
      return answers;
    };
    WitnessQuestion question{.run = group_.run, .epoch = epoch, .members = {}};
    const auto votes = given(question);
    GroupWord group = plan(words, epoch, votes, place_.quorum);
    // The newest state is elsewhere: no vote changes that.
    if (!group.refused.empty() && missing(votes).empty()) return group;
    if (group.refused.empty()) {
      question.members = group.members;
      group.refused = missing(given(question));
    }
    if (group.refused.empty() || left() <= again) return group;
    epoch = promised + 1;
    std::this_thread::sleep_for(again);
    again *= 2;
  }
}

}  // namespace esper
