#include "sim/check_answers.hpp"

namespace esper::sim {

void AnswerCheck::take(const SeenTurn& turn) {
  const auto wrong = [&](RegionId region, const std::string& what) {
    findings_.report("ANSWER-1", "window " + std::to_string(turn.window.value) + ", region " +
                                     std::to_string(region.value) + ": " + what);
  };
  for (const auto& proposal : turn.proposals) {
    const Proposal key{proposal.region, proposal.id};
    if (answered_.contains(key) || !proposals_.emplace(key, turn.window).second)
      wrong(proposal.region, "proposal " + std::to_string(proposal.id) + " was filed twice");
  }
  for (const auto& request : turn.requests) requests_[request.region].insert(request.blueprint);
  for (const auto& escalation : turn.escalations) escalations_.insert(escalation.region);
  if (!turn.strategy) return;
  for (const auto& answers : turn.strategy->answers) {
    for (const auto& verdict : answers.verdicts) {
      const Proposal key{verdict.region, verdict.proposal};
      if (proposals_.erase(key) == 0)
        wrong(verdict.region, "proposal " + std::to_string(verdict.proposal) +
                                  (answered_.contains(key) ? " was answered twice"
                                                           : " was answered and never filed"));
      answered_.insert(key);
    }
    auto& requests = requests_[answers.region];
    for (const auto& verdict : answers.scaffolds) {
      const auto asked = requests.find(verdict.blueprint);
      if (asked == requests.end())
        wrong(answers.region, "a scaffold verdict on " + verdict.blueprint + " nobody asked for");
      else
        requests.erase(asked);
    }
    if (answers.counsel) escalations_.erase(answers.region);
  }
  // Tamiyo answers in the turn in which it hears, whatever it missed before.
  for (const auto& [key, window] : proposals_)
    wrong(key.first, "proposal " + std::to_string(key.second) + " got no verdict");
  proposals_.clear();
  for (auto& [region, requests] : requests_) {
    for (const auto& blueprint : requests) wrong(region, blueprint + " was asked for in vain");
    requests.clear();
  }
  for (const auto region : escalations_) wrong(region, "its escalation got no counsel");
  escalations_.clear();
}

}  // namespace esper::sim
