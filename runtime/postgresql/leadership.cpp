#include "runtime/postgresql/leadership.hpp"

namespace esper {
namespace {

using std::chrono::milliseconds;

/// Two processes may begin their runs at once: the lock makes the second one wait.
constexpr const char* tables_sql = R"(DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(1163087954);
  CREATE TABLE IF NOT EXISTS esper_runs(
    run text PRIMARY KEY, layout integer NOT NULL, epoch bigint NOT NULL,
    renewals bigint NOT NULL, held boolean NOT NULL, entries bigint NOT NULL, head text NOT NULL);
  CREATE TABLE IF NOT EXISTS esper_entries(
    run text NOT NULL, sequence bigint NOT NULL, "window" bigint NOT NULL,
    role text NOT NULL, region bigint NOT NULL, ordinal bigint NOT NULL, kind text NOT NULL,
    cause bigint NOT NULL, payload text NOT NULL, measured text NOT NULL, hash text NOT NULL,
    PRIMARY KEY(run, sequence));
  CREATE INDEX IF NOT EXISTS esper_entries_by_window ON esper_entries(run, "window");
END $$)";

bool has_tables(PostgresConnection& connection) {
  bool found = false;
  connection.run(
      "SELECT to_regclass('esper_runs') IS NOT NULL AND "
      "to_regclass('esper_entries') IS NOT NULL",
      {}, [&](const PostgresRow& row) { found = row.flag(0); });
  return found;
}

std::uint64_t steady_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(since).count());
}

}  // namespace

std::optional<PostgresLead> lead_of(PostgresConnection& connection, const std::string& run) {
  if (!has_tables(connection)) return std::nullopt;
  std::optional<PostgresLead> lead;
  connection.run(
      "SELECT epoch, renewals, held, entries, head FROM esper_runs "
      "WHERE run = $1 AND layout = 1",
      {run}, [&](const PostgresRow& row) {
        lead = {row.integer(0), row.integer(1), row.flag(2), row.integer(3), row.text(4)};
      });
  return lead;
}

bool begin_run(PostgresConnection& connection, const std::string& run) {
  // Not asked for where they are there: it needs a right that a run does not.
  if (!has_tables(connection)) connection.run(tables_sql);
  return connection.run(
             "INSERT INTO esper_runs VALUES($1, 1, 1, 0, true, 0, repeat('0', 64)) "
             "ON CONFLICT DO NOTHING",
             {run}) == 1;
}

std::optional<std::uint64_t> take_lead(PostgresConnection& connection, const std::string& run,
                                       const PostgresLead& seen) {
  std::optional<std::uint64_t> epoch;
  connection.run(
      "UPDATE esper_runs SET epoch = epoch + 1, renewals = renewals + 1, held = true "
      "WHERE run = $1 AND epoch = $2 AND renewals = $3 RETURNING epoch",
      {run, std::to_string(seen.epoch), std::to_string(seen.renewals)},
      [&](const PostgresRow& row) { epoch = row.integer(0); });
  return epoch;
}

bool LeaderWatch::silent(const PostgresLead& seen, std::uint64_t now_ms) {
  if (!seen.held) return true;
  const std::pair now{seen.epoch, seen.renewals};
  if (last_ != now) {
    last_ = now;
    since_ms_ = now_ms;
  }
  return now_ms - since_ms_ >= confirmation_ms_;
}

std::optional<std::uint64_t> wait_and_lead(const PostgresPlace& place,
                                           const std::atomic<bool>& stop, bool give_up) {
  LeaderWatch watch(place.timeouts.confirmation_ms);
  std::optional<PostgresConnection> connection;
  std::optional<std::uint64_t> renewals;
  while (!stop) {
    try {
      if (!connection || !connection->stands())
        connection.emplace(place.database, place.patience());
      const auto seen = lead_of(*connection, place.run);
      if (!seen) throw PostgresError("the database holds no run " + place.run, false);
      if (give_up && renewals && *renewals != seen->renewals) return std::nullopt;
      renewals = seen->renewals;
      if (watch.silent(*seen, steady_ms()))
        if (const auto epoch = take_lead(*connection, place.run, *seen)) return epoch;
    } catch (const PostgresError& error) {
      if (!error.lost || give_up) throw;
      connection.reset();
      watch.blind();
    }
    std::this_thread::sleep_for(milliseconds{place.timeouts.heartbeat_ms});
  }
  return std::nullopt;
}

LeadKeeper::LeadKeeper(PostgresPlace place, std::uint64_t epoch)
    : place_(std::move(place)),
      epoch_(std::to_string(epoch)),
      thread_([this](const std::stop_token& stop) { keep(stop); }) {}

LeadKeeper::~LeadKeeper() {
  thread_.request_stop();
  thread_.join();
}

void LeadKeeper::keep(const std::stop_token& stop) {
  std::optional<PostgresConnection> connection;
  const auto renew = [&](const char* statement) {
    try {
      if (!connection || !connection->stands())
        connection.emplace(place_.database, place_.patience());
      if (connection->run(statement, {place_.run, epoch_}) == 0) lost_ = true;
    } catch (const PostgresError&) {
      connection.reset();  // tried again a heartbeat later
    }
  };
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && !lost_) {
    renew("UPDATE esper_runs SET renewals = renewals + 1 WHERE run = $1 AND epoch = $2");
    ended_.wait_for(lock, stop, milliseconds{place_.timeouts.heartbeat_ms}, [] { return false; });
  }
  if (!lost_) renew("UPDATE esper_runs SET held = false WHERE run = $1 AND epoch = $2");
}

}  // namespace esper
