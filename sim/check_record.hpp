#pragma once
// FENCE-1, LEDGER-2, ESCAPE-1 and AUDIT-1 of commands as far as the journal alone tells: what was
// carried out had been journalled before, once, within its authority, and from no older epoch.
#include <map>
#include <set>

#include "sim/findings.hpp"
#include "sim/seen_turn.hpp"

namespace esper::sim {

class RecordCheck {
 public:
  explicit RecordCheck(Findings& findings) : findings_(findings) {}

  void take(const SeenTurn& turn);

 private:
  void carried_out(const Outcome& outcome, Window boundary);

  Findings& findings_;
  std::map<CommandId, Window> authority_;  ///< of every journalled command, its end
  std::set<CommandId> done_;
  std::map<RegionId, Epoch> newest_;  ///< that something was carried out for
  std::set<std::uint64_t> plans_done_;
  Window newest_turn_;
};

}  // namespace esper::sim
