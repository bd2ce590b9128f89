#pragma once
// ANSWER-1: what was asked is answered once, and in time.
#include <map>
#include <set>
#include <string>

#include "sim/findings.hpp"
#include "sim/seen_turn.hpp"

namespace esper::sim {

class AnswerCheck {
 public:
  explicit AnswerCheck(Findings& findings) : findings_(findings) {}

  void take(const SeenTurn& turn);
  [[nodiscard]] std::size_t waiting() const { return proposals_.size() + requests_.size(); }

 private:
  using Proposal = std::pair<RegionId, std::uint64_t>;

  Findings& findings_;
  std::map<Proposal, Window> proposals_;  ///< without a verdict
  std::set<Proposal> answered_;
  std::map<RegionId, std::multiset<std::string>> requests_;  ///< blueprints asked for
  std::set<RegionId> escalations_;
};

}  // namespace esper::sim
