#include "runtime/database_failpoints.hpp"

#include <algorithm>

#include "messages/failpoint.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

// A file of SQLite's begins with a pointer to its table of functions. Here it points to a copy of
// that table with our own functions for writing and syncing, which go on to SQLite's. All files of
// a kind share their table, so one of each serves every connection.
struct Functions {
  const sqlite3_io_methods* own{};
  sqlite3_io_methods passing{};
};
Functions of_log, of_database;

/// What was written to the log since its last sync.
struct Unsynced {
  sqlite3_int64 from{}, to{};
};
Unsynced unsynced;

int write_log(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  const bool first = unsynced.from == unsynced.to;
  unsynced.from = first ? offset : std::min(unsynced.from, offset);
  unsynced.to = first ? offset + count : std::max(unsynced.to, offset + count);
  return of_log.own->xWrite(file, bytes, count, offset);
}

int sync_log(sqlite3_file* file, int flags) {
  if (unsynced.from == unsynced.to) return of_log.own->xSync(file, flags);
  pass(Failpoint::journal_sync);
  if (due(Failpoint::journal_torn)) {
    of_log.own->xTruncate(file, (unsynced.from + unsynced.to) / 2);
    end_at(Failpoint::journal_torn);
  }
  const int code = of_log.own->xSync(file, flags);
  pass(Failpoint::journal_synced);
  unsynced = {};
  return code;
}

int write_database(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  if (due(Failpoint::journal_fold)) {
    of_database.own->xWrite(file, bytes, count / 2, offset);
    end_at(Failpoint::journal_fold);
  }
  return of_database.own->xWrite(file, bytes, count, offset);
}

sqlite3_file* file_of(sqlite3* connection, int which) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(connection, "main", which, static_cast<void*>(&file)) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr)
    throw InvariantViolation("a failpoint of the journal's files, and no such file is open");
  return file;
}

void replace(sqlite3_file* file, Functions& functions,
             int (*write)(sqlite3_file*, const void*, int, sqlite3_int64),
             int (*sync)(sqlite3_file*, int)) {
  if (functions.own == nullptr) {
    functions.own = file->pMethods;
    functions.passing = *functions.own;
    functions.passing.xWrite = write;
    if (sync != nullptr) functions.passing.xSync = sync;
  }
  if (file->pMethods != functions.own)
    throw InvariantViolation("a failpoint of the journal's files, and their functions differ");
  file->pMethods = &functions.passing;
}

}  // namespace

void pass_failpoints(sqlite3* connection) {
  if (!is_armed(Failpoint::journal_sync) && !is_armed(Failpoint::journal_torn) &&
      !is_armed(Failpoint::journal_synced) && !is_armed(Failpoint::journal_fold))
    return;
  sqlite3_file* const log = file_of(connection, SQLITE_FCNTL_JOURNAL_POINTER);
  sqlite3_file* const database = file_of(connection, SQLITE_FCNTL_FILE_POINTER);
  replace(log, of_log, write_log, sync_log);
  replace(database, of_database, write_database, nullptr);
}

}  // namespace esper
