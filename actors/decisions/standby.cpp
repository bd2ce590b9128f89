#include "actors/decisions/standby.hpp"

#include "actors/decisions/planted.hpp"

namespace esper {

AppendVerdict judge_append(const LeaderRow& row, Epoch epoch, std::uint64_t entries,
                           std::uint64_t base, std::uint64_t count, bool same) {
  if (planted(Planted::deposed_append) && entries >= base) return AppendVerdict::append;
  if (row.epoch != epoch) return AppendVerdict::deposed;
  if (entries == base) return AppendVerdict::append;
  return entries == base + count && same ? AppendVerdict::known : AppendVerdict::gap;
}

bool take_row(LeaderRow& row, Epoch seen, const std::string& node) {
  if (row.epoch != seen) return false;
  row = {{seen.value + 1}, node, 0};
  return true;
}

void StandbyWatch::saw(const LeaderRow& row, std::uint64_t now_ms) {
  last_ms_ = now_ms;
  if (any_ && row.epoch == row_.epoch && row.renewals == row_.renewals) return;
  any_ = true;
  row_ = row;
  since_ms_ = now_ms;
}

bool StandbyWatch::may_take_over() const { return any_ && last_ms_ - since_ms_ > silence_ms_; }

}  // namespace esper
