#include "runtime/postgresql/connection.hpp"

#include <array>
#include <charconv>

#include <poll.h>

namespace esper {
namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// libpq ends its sentences with a line's end, and writes some over several lines.
std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& letter : text)
    if (letter == '\n' || letter == '\t') letter = ' ';
  return text;
}

}  // namespace

std::string PostgresRow::text(int column) const {
  return {PQgetvalue(result_, row_, column),
          static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::uint64_t PostgresRow::integer(int column) const {
  const auto text = this->text(column);
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || text.empty())
    throw PostgresError("'" + text + "' stands where a whole number belongs", false);
  return number;
}

bool PostgresRow::flag(int column) const { return text(column) == "t"; }

PostgresConnection::PostgresConnection(const std::string& where, std::chrono::milliseconds patience)
    : connection_(nullptr, &PQfinish), patience_(patience) {
  connect(where);
  if (const char* encoding = PQparameterStatus(connection_.get(), "server_encoding");
      encoding == nullptr || std::string{encoding} != "UTF8")
    throw PostgresError("the database's encoding is not UTF8", false);
  // A turn that was acknowledged must outlive the server. A stricter setting is left alone.
  run("SELECT set_config('synchronous_commit', 'on', false) "
      "WHERE current_setting('synchronous_commit') = 'off'");
}

void PostgresConnection::connect(const std::string& where) {
  const std::array keywords{"dbname", "fallback_application_name", "client_encoding",
                            static_cast<const char*>(nullptr)};
  const std::array values{where.c_str(), "esper", "UTF8", static_cast<const char*>(nullptr)};
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1));
  if (!connection_) throw PostgresError("out of memory", true);
  // Else libpq writes them to standard error.
  PQsetNoticeReceiver(
      connection_.get(), [](void*, const PGresult*) {}, nullptr);
  const auto end = deadline();
  for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
    if (state == PGRES_POLLING_FAILED || PQstatus(connection_.get()) == CONNECTION_BAD)
      lose(server_says());
    wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, end);
    state = PQconnectPoll(connection_.get());
  }
  PQsetnonblocking(connection_.get(), 1);
}

std::string PostgresConnection::server_says() const {
  return one_line(PQerrorMessage(connection_.get()));
}

void PostgresConnection::lose(const std::string& why) {
  connection_.reset();
  throw PostgresError(why, true);
}

void PostgresConnection::wait(short events, Instant deadline) {
  pollfd socket{PQsocket(connection_.get()), events, 0};
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  int ready = 0;
  if (left.count() > 0) {
    ready = ::poll(&socket, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) return;  // the caller looks and waits again
  }
  if (ready <= 0) lose("PostgreSQL gave no sign for " + std::to_string(patience_.count()) + " ms");
}

void PostgresConnection::send(const char* statement, const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const auto& value : values) {
    // libpq takes texts up to their first zero byte: the rest would be lost without a word.
    if (value.find('\0') != std::string::npos)
      throw PostgresError("a text with a zero byte, which PostgreSQL cannot hold", false);
    texts.push_back(value.c_str());
  }
  if (PQsendQueryParams(connection_.get(), statement, static_cast<int>(texts.size()), nullptr,
                        texts.data(), nullptr, nullptr, 0) == 0)
    lose(server_says());
  PQsetSingleRowMode(connection_.get());
  const auto end = deadline();
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left < 0) lose(server_says());
    if (left == 0) return;
    wait(POLLIN | POLLOUT, end);
    if (PQconsumeInput(connection_.get()) == 0) lose(server_says());
  }
}

void PostgresConnection::give(const Take& take, const PostgresRow& row) {
  try {
    take(row);
  } catch (...) {  // the rest of the answer is still on its way
    connection_.reset();
    throw;
  }
}

std::uint64_t PostgresConnection::run(const char* statement, const std::vector<std::string>& values,
                                      const Take& take) {
  if (!connection_) throw PostgresError("the connection was lost", true);
  send(statement, values);
  std::uint64_t changed = 0;
  std::string refused;
  for (;;) {
    for (const auto end = deadline(); PQisBusy(connection_.get()) != 0;) {
      wait(POLLIN, end);
      if (PQconsumeInput(connection_.get()) == 0) lose(server_says());
    }
    const Answer result{PQgetResult(connection_.get()), &PQclear};
    if (!result) break;
    switch (PQresultStatus(result.get())) {
      case PGRES_SINGLE_TUPLE:
        if (take) give(take, PostgresRow{result.get(), 0});
        break;
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK: {
        const std::string count{PQcmdTuples(result.get())};
        std::from_chars(count.data(), count.data() + count.size(), changed);
        break;
      }
      default:
        refused = one_line(PQresultErrorMessage(result.get()));
    }
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) lose(refused.empty() ? server_says() : refused);
  if (refused.empty()) return changed;
  // Whatever was begun before it is void; what comes next begins on a new connection.
  if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) connection_.reset();
  throw PostgresError(refused, false);
}

std::string array_of(const std::vector<std::string>& texts) {
  std::string array = "{";
  for (const auto& text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char letter : text) {
      if (letter == '"' || letter == '\\') array += '\\';
      array += letter;
    }
    array += '"';
  }
  return array + "}";
}

}  // namespace esper
