#include "runtime/database.hpp"

#include "runtime/database_failpoints.hpp"

namespace esper {
namespace {

[[noreturn]] void fail(sqlite3* database) {
  throw DatabaseError(database != nullptr ? sqlite3_errmsg(database) : "out of memory");
}

int flags(DatabaseAccess access) {
  switch (access) {
    case DatabaseAccess::create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case DatabaseAccess::write:
      return SQLITE_OPEN_READWRITE;
    case DatabaseAccess::read:
      return SQLITE_OPEN_READONLY;
  }
  return SQLITE_OPEN_READONLY;
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql)
    : database_(database), statement_(nullptr, &sqlite3_finalize) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) !=
      SQLITE_OK)
    fail(database);
  statement_.reset(raw);
}

Statement& Statement::bind(int position, std::uint64_t value) {
  if (sqlite3_bind_int64(statement_.get(), position, static_cast<sqlite3_int64>(value)) !=
      SQLITE_OK)
    fail(database_);
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  // A null pointer would bind NULL: an empty view may have one.
  const char* bytes = text.empty() ? "" : text.data();
  if (sqlite3_bind_text(statement_.get(), position, bytes, static_cast<int>(text.size()),
                        SQLITE_TRANSIENT) != SQLITE_OK)
    fail(database_);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(database_);
  return false;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

bool Statement::is_integer(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}

bool Statement::is_text(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT;
}

std::uint64_t Statement::integer(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string{} : std::string{bytes, size};
}

Database::Database(const std::filesystem::path& file, DatabaseAccess access)
    : connection_(nullptr, &sqlite3_close) {
  sqlite3* raw = nullptr;
  // No lock of its own: a connection is used by one thread at a time.
  const int code =
      sqlite3_open_v2(file.c_str(), &raw, flags(access) | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(raw);
  if (code != SQLITE_OK) fail(raw);
  constexpr int wait_ms = 5'000;  // a reader may hold the file for a moment
  sqlite3_busy_timeout(raw, wait_ms);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  execute("PRAGMA cell_size_check=ON");  // of a damaged page, before it is read
  execute("PRAGMA cache_size=-32768");   // KiB: a role that comes back reads the run's whole past
}

Statement Database::prepare(std::string_view sql) const {
  return Statement{connection_.get(), sql};
}

void Database::execute(std::string_view sql) const {
  auto statement = prepare(sql);
  while (statement.step()) {
  }
}

void Database::pass_failpoints() const { esper::pass_failpoints(connection_.get()); }

std::string Database::value(std::string_view sql) const {
  auto statement = prepare(sql);
  return statement.step() ? statement.text(0) : std::string{};
}

}  // namespace esper
