#pragma once
// Who writes a journal that stands in PostgreSQL: one row holds the leader's epoch, and every
// append names it. A leader shows that it lives by counting up in that row; whoever wants to take
// over looks at the count by its own clock, so that no two machines' clocks are ever compared. A
// wrong look costs an unneeded change of leader, never two: the epoch decides.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "messages/cluster_config.hpp"
#include "runtime/postgresql/connection.hpp"

namespace esper {

/// One run's journal among those of a database.
struct PostgresPlace {
  std::string database;  ///< a connection string without a password
  std::string run;       ///< which tells the runs of one database apart
  TimeoutConfig timeouts = {};

  [[nodiscard]] std::chrono::milliseconds patience() const {
    return std::chrono::milliseconds{timeouts.request_ms};
  }
};

/// A run's row.
struct PostgresLead {
  std::uint64_t epoch{};     ///< of the leader; rises with each change of leader
  std::uint64_t renewals{};  ///< rises while the leader lives
  bool held{};               ///< false: the leader has left, or the journal is sealed
  std::uint64_t entries{};   ///< that stand
  std::string head;          ///< the chain's hash after the last
};

/// The run's row; nothing: there is none, or no tables. Errors: PostgresError.
[[nodiscard]] std::optional<PostgresLead> lead_of(PostgresConnection& connection,
                                                  const std::string& run);

/// Makes the tables where they are missing, and the run's row. False: the run is there already.
/// Errors: PostgresError.
[[nodiscard]] bool begin_run(PostgresConnection& connection, const std::string& run);

/// Takes the lead from whoever was seen to hold it, in one conditional update: whatever the old
/// leader appends from then on is refused. Nothing: the row has moved on since it was seen.
/// Errors: PostgresError.
[[nodiscard]] std::optional<std::uint64_t> take_lead(PostgresConnection& connection,
                                                     const std::string& run,
                                                     const PostgresLead& seen);

/// Looks, one after the other, at a leader's row. A plain value: no clock of its own.
class LeaderWatch {
 public:
  explicit LeaderWatch(std::uint64_t confirmation_ms) : confirmation_ms_(confirmation_ms) {}

  /// True: the lead may be taken, since nobody holds it, or it was not renewed for as long as it
  /// takes to be sure. `now_ms`: an instant of the watcher's own clock.
  [[nodiscard]] bool silent(const PostgresLead& seen, std::uint64_t now_ms);
  /// A look failed: the leader may not have been able to renew either.
  void blind() { last_.reset(); }

 private:
  std::uint64_t confirmation_ms_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> last_;  ///< epoch and renewals
  std::uint64_t since_ms_{};
};

/// Waits until the lead may be taken, and takes it. Nothing: `stop` was asked for, or, with
/// `give_up`, the leader lives. Errors: PostgresError where the database has no such run.
[[nodiscard]] std::optional<std::uint64_t> wait_and_lead(const PostgresPlace& place,
                                                         const std::atomic<bool>& stop,
                                                         bool give_up);

/// Renews the lead once a heartbeat, on a thread and a connection of its own, until it is lost or
/// this ends; then the lead is left, so that nobody has to wait for it.
class LeadKeeper {
 public:
  LeadKeeper(PostgresPlace place, std::uint64_t epoch);
  ~LeadKeeper();
  LeadKeeper(const LeadKeeper&) = delete;
  LeadKeeper& operator=(const LeadKeeper&) = delete;

  /// Another process has taken it.
  [[nodiscard]] bool lost() const { return lost_; }
  void set_lost() { lost_ = true; }

 private:
  void keep(const std::stop_token& stop);

  PostgresPlace place_;
  std::string epoch_;
  std::atomic<bool> lost_{};
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

}  // namespace esper
