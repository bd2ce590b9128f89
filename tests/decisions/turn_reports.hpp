#pragma once
// A turn's reports as Tamiyo is given them, for tests.
#include <utility>

#include "messages/turn.hpp"

namespace esper {

[[nodiscard]] inline TurnReports turn_reports(Window window, std::vector<RegionReport> reports,
                                              std::vector<OpportunityProposal> proposals = {}) {
  TurnReports turn;
  turn.window = window;
  turn.reports = std::move(reports);
  turn.proposals = std::move(proposals);
  return turn;
}

}  // namespace esper
