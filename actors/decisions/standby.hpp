#pragma once
// Who leads is one row of a database: an epoch, and how often its holder has renewed it. No clocks
// of two machines are compared: a standby counts how long, by its own, the row has stood still.
#include <cstdint>
#include <string>

#include "messages/units.hpp"

namespace esper {

struct LeaderRow {
  Epoch epoch;         ///< 0: nobody has led yet
  std::string holder;  ///< its node
  std::uint64_t renewals{};
};

/// May this epoch's holder append behind `entries`? Asked in the transaction of the append.
enum class AppendVerdict : std::uint8_t {
  append,
  known,    ///< it stands there already: its answer was lost
  deposed,  ///< another leads: this one makes no decision any more
  gap,      ///< what it builds on is not what stands there
};
/// `base`: entries that it builds on; `count`: of its own. `same`: those that stand behind `base`
/// are its own.
[[nodiscard]] AppendVerdict judge_append(const LeaderRow& row, Epoch epoch, std::uint64_t entries,
                                         std::uint64_t base, std::uint64_t count, bool same);

/// Takes the row when it still has the epoch that the taker saw. False: another was first.
bool take_row(LeaderRow& row, Epoch seen, const std::string& node);

/// A standby's side. Instants in ms of its own clock, which never goes back.
class StandbyWatch {
 public:
  explicit StandbyWatch(std::uint64_t silence_ms) : silence_ms_(silence_ms) {}

  /// The row as it was read.
  void saw(const LeaderRow& row, std::uint64_t now_ms);
  /// The row stood still for longer than the silence, as far as readings show.
  [[nodiscard]] bool may_take_over() const;
  [[nodiscard]] Epoch epoch() const { return row_.epoch; }

 private:
  std::uint64_t silence_ms_;
  LeaderRow row_;
  bool any_{};
  std::uint64_t since_ms_{}, last_ms_{};
};

}  // namespace esper
