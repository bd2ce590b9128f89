#pragma once
// Failpoints where SQLite itself writes and syncs: inside its commit, where no caller comes.
#include <sqlite3.h>

namespace esper {

/// Puts them into the files of a connection whose write-ahead log is there. Nothing where none of
/// theirs is armed.
void pass_failpoints(sqlite3* connection);

}  // namespace esper
