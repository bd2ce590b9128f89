#include "net/gate.hpp"

#include <set>
#include <thread>

#include "net/gate_connection.hpp"

namespace esper {

namespace {

using Tcp = asio::ip::tcp;

constexpr std::size_t told_max = 256;
/// Out of descriptors, say: it can wait.
constexpr std::chrono::milliseconds accept_again{100};

std::string address_of(const Tcp::socket& socket) {
  std::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "somebody" : endpoint.address().to_string();
}

}  // namespace

class Gate::Parts {
 public:
  Parts(GateSettings settings, TlsContext tls, Events events)
      : settings_(std::move(settings)),
        tls_(std::move(tls)),
        events_(std::move(events)),
        acceptor_(context_),
        pause_(context_) {
    const auto where = settings_.address + ":" + std::to_string(settings_.port);
    try {
      const Tcp::endpoint endpoint(asio::ip::make_address(settings_.address), settings_.port);
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(Tcp::acceptor::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen();
      port_ = acceptor_.local_endpoint().port();
    } catch (const std::exception& error) {
      throw std::runtime_error(where + " can't be listened on: " + error.what());
    }
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Parts() {
    asio::post(context_, [this] {
      std::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      const auto open = connections_;
      for (const auto& connection : open) connection->close("this node stops");
      work_.reset();
    });
    thread_.join();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t strangers() const { return strangers_.load(); }

  void dial(const std::string& node, const std::string& address, std::uint16_t port, Done done) {
    asio::post(context_, [this, node, address, port, answer = once(std::move(done))] {
      begin({.joined =
                 [answer](const Hello& peer, int stream) {
                   answer(Dialled{peer, stream});
                 },
             .over =
                 [this, node, answer](const std::string& why, bool was_in) {
                   if (was_in) tell(node, why);
                   answer(GateFault{node + " " + why});
                 }})
          ->dial(node, address, port, "");
    });
  }

  void ask(const std::string& node, const std::string& address, std::uint16_t port,
           const std::string& question, Answered done) {
    asio::post(context_, [this, node, address, port, question, answer = once(std::move(done))] {
      begin({.joined = {},
             .over = [node, answer](const std::string& why,
                                    bool) { answer(GateFault{node + " " + why}); },
             .answered = [answer](const std::string& text) { answer(text); }})
          ->dial(node, address, port, question);
    });
  }

 private:
  using Connection = std::shared_ptr<GateConnection>;

  /// Whatever is given first counts.
  template <typename Given>
  static std::function<void(const Given&)> once(std::function<void(const Given&)> done) {
    return [left = std::make_shared<std::function<void(const Given&)>>(std::move(done))](
               const Given& result) {
      if (const auto now = std::exchange(*left, nullptr)) now(result);
    };
  }

  Connection begin(const GateConnection::Ends& ends) {
    const auto place = std::make_shared<std::weak_ptr<GateConnection>>();
    const auto let_in = std::make_shared<bool>(false);
    ++strangers_;
    auto connection = std::make_shared<GateConnection>(
        context_, settings_, tls_,
        GateConnection::Ends{
            [this, let_in, joined = ends.joined](const Hello& peer, int stream) {
              *let_in = true;
              --strangers_;
              joined(peer, stream);
            },
            [this, let_in, place, over = ends.over](const std::string& why, bool was_in) {
              if (!*let_in) --strangers_;
              connections_.erase(place->lock());
              over(why, was_in);
            },
            ends.asked, ends.answered});
    *place = connection;
    connections_.insert(connection);
    return connection;
  }

  void accept() {
    acceptor_.async_accept([this](std::error_code error, Tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (error) return accept_later();
      const auto address = address_of(socket);
      if (strangers_ >= settings_.strangers_max)
        tell(address, "is one of too many that nobody knows");
      else
        begin({.joined = events_.joined,
               .over =
                   [this, address](const std::string& why, bool) {
                     if (!why.empty()) tell(address, why);
                   },
               .asked = events_.asked})
            ->accept(std::move(socket));
      accept();
    });
  }

  void accept_later() {
    pause_.expires_after(accept_again);
    pause_.async_wait([this](std::error_code stopped) {
      if (!stopped) accept();
    });
  }

  void tell(const std::string& address, const std::string& why) {
    if (told_.size() < told_max && told_.emplace(address, why).second && events_.refused)
      events_.refused(address, why);
  }

  const GateSettings settings_;
  const TlsContext tls_;
  const Events events_;
  asio::io_context context_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      asio::make_work_guard(context_)};
  Tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_{};
  std::atomic<std::size_t> strangers_{0};
  std::set<Connection> connections_;
  std::set<std::pair<std::string, std::string>> told_;
  std::thread thread_;
};

Gate::Gate(GateSettings settings, TlsContext tls, Events events)
    : parts_(std::make_unique<Parts>(std::move(settings), std::move(tls), std::move(events))) {}

Gate::~Gate() = default;

std::uint16_t Gate::port() const { return parts_->port(); }

std::size_t Gate::strangers() const { return parts_->strangers(); }

void Gate::dial(const std::string& node, const std::string& address, std::uint16_t port,
                Done done) {
  parts_->dial(node, address, port, std::move(done));
}

void Gate::ask(const std::string& node, const std::string& address, std::uint16_t port,
               const std::string& question, Answered done) {
  parts_->ask(node, address, port, question, std::move(done));
}

}  // namespace esper
