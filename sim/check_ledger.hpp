#pragma once
// LEDGER-1 and LEDGER-2 by a book of their own, kept from what the journal says was moved.
#include <map>
#include <set>

#include "sim/findings.hpp"
#include "sim/seen_turn.hpp"

namespace esper::sim {

class LedgerCheck {
 public:
  LedgerCheck(Findings& findings, std::uint32_t cycle_windows)
      : findings_(findings), cycle_windows_(cycle_windows) {}

  void take(const SeenTurn& turn);
  /// Spent by regions, settled and drawn, in the cycle that the newest mint ended.
  [[nodiscard]] Energy spent_last_cycle() const { return spent_last_cycle_; }
  [[nodiscard]] std::size_t open_reservations() const { return open_.size(); }
  /// Reservations made before `window` that are open still.
  [[nodiscard]] std::size_t open_since(Window window) const;

 private:
  using Key = std::pair<RegionId, std::uint64_t>;
  struct Open {
    Energy energy;
    Window made;
  };
  struct Plan {
    Energy energy;
    Window boundary;
  };
  struct Region {
    Energy lease;
    Window until;
    Energy escrow;
    bool escrow_open{};
  };

  void move(const Movement& movement, RegionId region, Window window);
  void answer(const Answers& answers);
  void judge(const StrategyPart& part);
  void wrong(const char* invariant, RegionId region, const std::string& what);

  Findings& findings_;
  std::uint32_t cycle_windows_;
  std::map<Key, Open> open_;
  std::set<Key> ever_;           ///< reservation numbers that were used
  std::set<CommandId> charged_;  ///< by a reserve
  std::set<CommandId> drawn_by_;
  std::map<RegionId, Region> regions_;
  std::map<std::uint64_t, Plan> plans_;  ///< committed
  Energy minted_, spent_, spent_since_mint_, spent_last_cycle_;
};

}  // namespace esper::sim
