#pragma once
// Every backend of the journal behind the same few calls, so that one suite holds for all of them.
#include <functional>
#include <memory>

#include "runtime/journal.hpp"
#include "runtime/postgresql/postgres_journal.hpp"
#include "tests/runtime/postgres_server.hpp"

namespace esper {

class JournalBackendUnderTest {
 public:
  using Made = Result<std::unique_ptr<JournalBook>, JournalFault>;
  virtual ~JournalBackendUnderTest() = default;
  [[nodiscard]] virtual const char* name() const = 0;
  [[nodiscard]] virtual Made create(const std::string& run) = 0;
  [[nodiscard]] virtual Made resume(const std::string& run) = 0;
  [[nodiscard]] virtual Made open(const std::string& run) = 0;
  /// One statement behind the journal's back; `entries` stands for the run's entries.
  virtual void edit(const std::string& run, const std::string& change,
                    const std::string& which) = 0;
};

class SqliteUnderTest final : public JournalBackendUnderTest {
 public:
  [[nodiscard]] const char* name() const override { return "SQLite"; }
  [[nodiscard]] Made create(const std::string& run) override {
    return widened(Journal::create(folder_ / run));
  }
  [[nodiscard]] Made resume(const std::string& run) override {
    return widened(Journal::resume(folder_ / run));
  }
  [[nodiscard]] Made open(const std::string& run) override {
    return widened(Journal::open(folder_ / run));
  }
  void edit(const std::string& run, const std::string& change, const std::string& which) override {
    const bool removes = change == "DELETE";
    Database{folder_ / run, DatabaseAccess::write}.execute(
        (removes ? "DELETE FROM entries WHERE " : "UPDATE entries SET " + change + " WHERE ") +
        which);
  }

 private:
  static Made widened(Journal::Made made) {
    if (!made) return made.refusal();
    return std::unique_ptr<JournalBook>{std::move(made.value())};
  }
  ScratchFolder folder_;
};

class PostgresUnderTest final : public JournalBackendUnderTest {
 public:
  explicit PostgresUnderTest(const PostgresServer& server) : server_(server) {}
  [[nodiscard]] const char* name() const override { return "PostgreSQL"; }
  [[nodiscard]] Made create(const std::string& run) override {
    return widened(PostgresJournal::create(place(run)));
  }
  [[nodiscard]] Made resume(const std::string& run) override {
    return widened(PostgresJournal::resume(place(run)));
  }
  [[nodiscard]] Made open(const std::string& run) override {
    return widened(PostgresJournal::open(place(run)));
  }
  void edit(const std::string& run, const std::string& change, const std::string& which) override {
    const bool removes = change == "DELETE";
    server_.run((removes ? std::string{"DELETE FROM esper_entries"}
                         : "UPDATE esper_entries SET " + change) +
                " WHERE run = '" + run + "' AND " + which);
  }
  [[nodiscard]] PostgresPlace place(const std::string& run) const {
    PostgresPlace place;
    place.database = server_.where();
    place.run = run;
    place.timeouts.heartbeat_ms = 20;
    place.timeouts.confirmation_ms = 300;
    return place;
  }

 private:
  static Made widened(PostgresJournal::Made made) {
    if (!made) return made.refusal();
    return std::unique_ptr<JournalBook>{std::move(made.value())};
  }
  const PostgresServer& server_;
};

/// The server that scenarios share which do it no harm; made by the first that asks.
[[nodiscard]] inline PostgresServer& shared_server() {
  static PostgresServer server;
  return server;
}

/// Calls `work` once with each backend that this machine has.
inline void with_each_backend(const std::function<void(JournalBackendUnderTest&)>& work) {
  SqliteUnderTest sqlite;
  work(sqlite);
  if (!can_run_postgres()) return;
  PostgresUnderTest postgres(shared_server());
  work(postgres);
}

}  // namespace esper
