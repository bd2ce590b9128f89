#pragma once
// Rules that one test build can spoil, so that a checker is seen to find it. In every other build
// nothing is planted and each question is a constant. Asked in .cpp files alone: a function in a
// header would be one thing in that build and another in the libraries that it is linked with.
#include <cstdint>

namespace esper {

enum class Planted : std::uint8_t {
  none,
  price_weight,   ///< a norm weighs twice in every price
  throttle_rate,  ///< spending takes half as much off the pruning allowance
  proposal_rank,  ///< proposals are ranked without regard to their uncertainty
  // Of those that simulations find.
  forgotten_void,      ///< a region frees what a lost seed had set aside, and tells nobody
  double_settle,       ///< a reservation is settled twice
  ledger_leak,         ///< what a settlement leaves over is gone
  zone_early,          ///< a zone is lifted one checkpoint early
  stale_epoch,         ///< a dead incarnation's commands are carried out
  throttle_sign,       ///< spending raises the pruning allowance
  escape_lost,         ///< an escape asked of a Narset that is down is forgotten
  proposal_twice,      ///< proposals that Tamiyo missed are answered again and again
  ramp_resumed,        ///< a seed that a reflex took off the graph ramps again
  lost_dead_letter,    ///< letters that died with their receiver are counted nowhere
  endless_lease,       ///< a command is carried out after its authority has ended
  surgery_again,       ///< a surgery order that is handed over again is carried out again
  command_again,       ///< so is a command
  unrecorded_release,  ///< commands are released though the disk refused their turn
  past_forgotten,      ///< a restarted Narset or Tamiyo leaves the newest turn out of its past
  // Of those that simulations of several nodes find.
  fence_forgotten,         ///< fences known from a disk are left out of a new group
  old_vote_counted,        ///< a vote for an older epoch counts
  ready_after_abort,       ///< a ready flag is left set after an abort
  lease_from_stale_reply,  ///< a lease is refreshed from a reply of the same cycle
  joiner_mid_change,       ///< a joiner is admitted in mid-window, in mid-change
  furthest_wrong,          ///< the state is taken from the member that is behind
  batch_dealt_twice,       ///< after a loss the last batch is dealt again
  lost_counted,            ///< a quorum counts those who are lost
  deposed_append,          ///< a deposed Prime's append is let through
  move_before_fence,       ///< a region is started elsewhere before its fence is acknowledged
  escape_overlooked,       ///< a replica that is ready for a change overlooks an escape
  told_too_early,          ///< what one replica completed is told before all have
};

#ifdef ESPER_PLANTED
inline Planted planted_now = Planted::none;
[[nodiscard]] inline bool planted(Planted bug) { return planted_now == bug; }
#else
[[nodiscard]] constexpr bool planted(Planted) { return false; }
#endif

}  // namespace esper
