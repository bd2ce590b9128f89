#include "gpu/table_keeper.hpp"

#include <charconv>
#include <csignal>
#include <set>
#include <stdexcept>

#include <asio.hpp>

namespace esper {

namespace {

using Tcp = asio::ip::tcp;
constexpr std::size_t table_bytes_max = 64u << 20;
constexpr std::chrono::milliseconds accept_again{100};
constexpr std::size_t connections_max = 256;  // each may hold one name and value

}  // namespace

bool Table::put(const std::string& name, std::string bytes) {
  const auto known = texts_.find(name);
  const std::size_t before = known == texts_.end() ? 0 : name.size() + known->second.size();
  const std::size_t more = name.size() + bytes.size();
  if (bytes_ - before + more > table_bytes_max) return false;
  bytes_ += more - before;
  texts_[name] = std::move(bytes);
  return true;
}

TableAnswer Table::take(const TableRequest& request) {
  const auto known = texts_.find(request.name);
  const bool there = known != texts_.end();
  switch (request.call) {
    case TableCall::set:
      return {put(request.name, request.bytes) ? TableStatus::done : TableStatus::full};
    case TableCall::get:
      if (!there) return {TableStatus::absent};
      return {TableStatus::done, 0, known->second};
    case TableCall::has:
      return {there ? TableStatus::done : TableStatus::absent};
    case TableCall::count:
      return {TableStatus::done, static_cast<std::int64_t>(texts_.size())};
    case TableCall::remove:
      if (!there) return {TableStatus::absent};
      bytes_ -= known->first.size() + known->second.size();
      texts_.erase(known);
      return {TableStatus::done};
    case TableCall::add: {
      std::int64_t value = 0;
      if (there) {
        const std::string& text = known->second;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
          return {TableStatus::not_a_number};
      }
      value += request.number;
      if (!put(request.name, std::to_string(value))) return {TableStatus::full};
      return {TableStatus::done, value};
    }
  }
  return {TableStatus::absent};
}

class TableKeeper::Server {
 public:
  explicit Server(std::uint16_t port) : acceptor_(context_) {
    std::error_code error;
    // Both kinds of addresses where there are both.
    const auto open = [&](const Tcp& protocol) {
      acceptor_ = Tcp::acceptor(context_);
      acceptor_.open(protocol, error);
      if (error) return;
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
      if (protocol == Tcp::v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
      acceptor_.bind({protocol, port}, error);
      if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    };
    open(Tcp::v6());
    if (error == asio::error::address_family_not_supported) open(Tcp::v4());
    if (error) throw std::runtime_error(error.message());
    accept();
  }

  void run() { context_.run(); }
  void stop() { context_.stop(); }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  /// One that connected: it asks, is answered, and asks again.
  struct Guest : std::enable_shared_from_this<Guest> {
    Guest(Server& server, Tcp::socket connection) : owner(server), socket(std::move(connection)) {
      std::error_code ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      socket.set_option(asio::socket_base::keep_alive(true), ignored);
      ++owner.guests_;
    }
    ~Guest() { --owner.guests_; }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    void listen() {
      asio::async_read(socket, asio::buffer(header),
                       [self = shared_from_this()](std::error_code error, std::size_t) {
                         if (!error) self->take_header();
                       });
    }
    void take_header() {
      const TableHeaderFields fields = fields_of(header);
      if (fields.kind >= table_calls || fields.first > table_name_max ||
          fields.second > table_value_max)
        return;  // no replica: it is let go
      request.call = static_cast<TableCall>(fields.kind);
      request.number = fields.number;
      request.name.resize(fields.first);
      request.bytes.resize(fields.second);
      const std::array<asio::mutable_buffer, 2> texts{asio::buffer(request.name),
                                                      asio::buffer(request.bytes)};
      asio::async_read(socket, texts,
                       [self = shared_from_this()](std::error_code error, std::size_t) {
                         if (!error) self->answer();
                       });
    }
    void answer() {
      reply = frame_of(owner.table_.take(request));
      asio::async_write(socket, asio::buffer(reply),
                        [self = shared_from_this()](std::error_code error, std::size_t) {
                          if (!error) self->listen();
                        });
    }

    Server& owner;
    Tcp::socket socket;
    TableHeader header{};
    TableRequest request;
    std::string reply;
  };

  void accept() {
    acceptor_.async_accept([this](std::error_code error, Tcp::socket socket) {
      // Whoever is too many finds the connection closed.
      if (!error && guests_ < connections_max)
        std::make_shared<Guest>(*this, std::move(socket))->listen();
      if (error == asio::error::operation_aborted) return;
      if (!error) return accept();
      // No file is left, say: who waits is taken when there is one again.
      again_.expires_after(accept_again);
      again_.async_wait([this](std::error_code stopped) {
        if (!stopped) accept();
      });
    });
  }

  std::size_t guests_{};
  Table table_;
  asio::io_context context_{1};  // goes first, and every guest with it
  Tcp::acceptor acceptor_;
  asio::steady_timer again_{context_};
};

TableKeeper::TableKeeper(std::uint16_t port)
    : server_(std::make_unique<Server>(port)), thread_([server = server_.get()] {
        // To a connection that the other side has closed: an error, and no signal.
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        server->run();
      }) {}

TableKeeper::~TableKeeper() {
  server_->stop();
  thread_.join();
}

std::uint16_t TableKeeper::port() const { return server_->port(); }

}  // namespace esper
