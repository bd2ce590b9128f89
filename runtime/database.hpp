#pragma once
// The little of SQLite that the journal needs: a connection and its statements, freed by scope.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "runtime/database_error.hpp"

namespace esper {

class Statement {
 public:
  /// Errors: throws DatabaseError when `sql` is wrong or the file is no database.
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(int position, std::uint64_t value);
  Statement& bind(int position, std::string_view text);

  /// True while there is a row. Errors: throws DatabaseError.
  bool step();
  /// Ready to be bound and stepped again.
  void reset();

  /// What the row holds there, before any conversion.
  [[nodiscard]] bool is_integer(int column) const;
  [[nodiscard]] bool is_text(int column) const;
  [[nodiscard]] std::uint64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement_;
};

enum class DatabaseAccess : std::uint8_t { create, write, read };

class Database {
 public:
  /// Errors: throws DatabaseError. Opening for `read` changes no byte of the file. What a foreign
  /// file's schema would have run (views with functions, triggers) is not trusted.
  Database(const std::filesystem::path& file, DatabaseAccess access);

  [[nodiscard]] Statement prepare(std::string_view sql) const;
  /// Runs one statement to its end and drops its rows.
  void execute(std::string_view sql) const;
  /// First column of the first row, as text; "" when there is none.
  [[nodiscard]] std::string value(std::string_view sql) const;
  /// From now on writes and syncs of the files pass their failpoints; nothing changes where none of
  /// those is armed. Once the write-ahead log is there.
  void pass_failpoints() const;

 private:
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection_;
};

}  // namespace esper
