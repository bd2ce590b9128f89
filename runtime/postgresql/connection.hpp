#pragma once
// The little of libpq that the journal needs: one connection, whose every wait has an end.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "runtime/database_error.hpp"

namespace esper {

struct PostgresError : DatabaseError {
  PostgresError(const std::string& sentence, bool answer_lost)
      : DatabaseError(sentence), lost(answer_lost) {}
  /// The connection ended before the answer came: what was asked may have been done.
  bool lost;
};

/// One row of an answer; texts are valid until the next row comes.
class PostgresRow {
 public:
  PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}
  [[nodiscard]] std::string text(int column) const;
  /// Errors: PostgresError where it is no whole number of 0 or more.
  [[nodiscard]] std::uint64_t integer(int column) const;
  [[nodiscard]] bool flag(int column) const;

 private:
  const PGresult* result_;
  int row_;
};

/// Used by one thread at a time. A statement is a transaction of its own unless BEGIN stands before
/// it.
class PostgresConnection {
 public:
  using Take = std::function<void(const PostgresRow&)>;

  /// `where`: a connection string of libpq. `patience`: the longest wait for a sign of the server,
  /// here and in every later call. Errors: PostgresError: nobody there, refused, no UTF-8.
  PostgresConnection(const std::string& where, std::chrono::milliseconds patience);

  /// One statement with its values for $1, $2, …; `take` sees each row as it comes. Returns how
  /// many rows it changed. Errors: PostgresError; after a lost answer the connection is of no more
  /// use.
  std::uint64_t run(const char* statement, const std::vector<std::string>& values = {},
                    const Take& take = {});

  /// False: it was lost.
  [[nodiscard]] bool stands() const { return connection_ != nullptr; }

 private:
  using Instant = std::chrono::steady_clock::time_point;

  [[noreturn]] void lose(const std::string& why);
  void connect(const std::string& where);
  void give(const Take& take, const PostgresRow& row);
  void send(const char* statement, const std::vector<std::string>& values);
  /// Errors: PostgresError when the socket is not ready in time.
  void wait(short events, Instant deadline);
  [[nodiscard]] Instant deadline() const { return std::chrono::steady_clock::now() + patience_; }
  [[nodiscard]] std::string server_says() const;

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::chrono::milliseconds patience_;
};

/// Texts as one value of PostgreSQL's type text[].
[[nodiscard]] std::string array_of(const std::vector<std::string>& texts);

}  // namespace esper
