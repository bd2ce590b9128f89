#include "net/gate_connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace esper {

GateConnection::GateConnection(asio::io_context& context, const GateSettings& settings,
                               TlsContext tls, Ends ends)
    : settings_(settings),
      tls_(std::move(tls)),
      stream_(context, *tls_),
      resolver_(context),
      deadline_(context),
      local_(context),
      ends_(std::move(ends)),
      frames_(settings.frame_bytes_max) {}

void GateConnection::limit_time() {
  deadline_.expires_after(settings_.handshake_max);
  deadline_.async_wait([self = shared_from_this()](std::error_code stopped) {
    if (!stopped)
      self->close("has not finished the handshake within " +
                  std::to_string(self->settings_.handshake_max.count()) + " ms");
  });
}

void GateConnection::accept(Tcp::socket socket) {
  stream_.next_layer() = std::move(socket);
  limit_time();
  shake_hands(asio::ssl::stream_base::server);
}

void GateConnection::dial(const std::string& node, const std::string& address, std::uint16_t port,
                          const std::string& question) {
  expected_ = node;
  question_ = question;
  limit_time();
  resolver_.async_resolve(
      address, std::to_string(port),
      [self = shared_from_this()](std::error_code error, const Tcp::resolver::results_type& found) {
        if (error) return self->close("its address is not known: " + error.message());
        asio::async_connect(self->stream_.next_layer(), found,
                            [self](std::error_code refused, const Tcp::endpoint&) {
                              if (refused)
                                return self->close("can't be reached: " + refused.message());
                              self->shake_hands(asio::ssl::stream_base::client);
                            });
      });
}

void GateConnection::shake_hands(asio::ssl::stream_base::handshake_type side) {
  std::error_code ignored;
  stream_.next_layer().set_option(Tcp::no_delay(true), ignored);
  stream_.async_handshake(side, [self = shared_from_this()](std::error_code error) {
    if (error) return self->close("TLS: " + error.message());
    self->exchange_hellos();
  });
}

void GateConnection::exchange_hellos() {
  Hello ours = settings_.hello;
  ours.question = question_;
  exchange(hello_frame(ours),
           [self = shared_from_this()](const std::string& text) { self->judge(text); });
}

bool GateConnection::certified(const std::string& node) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      SSL_get1_peer_certificate(stream_.native_handle()), &X509_free);
  return certifies(certificate.get(), node);
}

void GateConnection::judge(const std::string& text) {
  const auto theirs = read_hello<Hello>(text);
  if (!theirs) return close(theirs.refusal().sentence);
  const Hello& hello = theirs.value();
  std::string refusal =
      refusal_of(hello, settings_.hello, certified(hello.node), settings_.members);
  if (refusal.empty() && !expected_.empty() && hello.node != expected_)
    refusal = "answers as " + hello.node + ", and " + expected_ + " was dialled";
  if (refusal.empty() && !hello.question.empty() && !ends_.asked)
    refusal = "asks a question, which " + settings_.hello.node + " answers to nobody";
  exchange_answers(hello, refusal);
}

void GateConnection::exchange_answers(const Hello& theirs, const std::string& refusal) {
  const bool asks = refusal.empty() && !theirs.question.empty();
  const HelloAnswer ours{refusal, asks ? ends_.asked(theirs) : ""};
  exchange(
      hello_frame(ours), [self = shared_from_this(), theirs, refusal](const std::string& text) {
        if (!refusal.empty()) return self->close(refusal);
        const auto answer = read_hello<HelloAnswer>(text);
        if (!answer) return self->close(answer.refusal().sentence);
        if (const auto& no = answer.value().refusal; !no.empty())
          return self->close("does not let " + self->settings_.hello.node + " in, which " + no);
        if (self->question_.empty() && theirs.question.empty()) return self->let_in(theirs);
        if (!self->question_.empty() && self->ends_.over)
          self->ends_.answered(answer.value().answer);
        self->close("");
      });
}

void GateConnection::exchange(std::string ours, std::function<void(const std::string&)> next) {
  sent_ = std::move(ours);
  asio::async_write(stream_, asio::buffer(sent_),
                    [self = shared_from_this(), next = std::move(next)](std::error_code error,
                                                                        std::size_t) mutable {
                      if (error) return self->close("is gone: " + error.message());
                      self->read_frame(std::move(next));
                    });
}

void GateConnection::read_frame(std::function<void(const std::string&)> next) {
  received_.resize(4);
  asio::async_read(
      stream_, asio::buffer(received_),
      [self = shared_from_this(), next = std::move(next)](std::error_code error, std::size_t) {
        if (error) return self->close("is gone: " + error.message());
        const auto length = hello_length(self->received_);
        if (length == 0 || length > hello_bytes_max)
          return self->close("announces " + std::to_string(length) + " bytes, at most " +
                             std::to_string(hello_bytes_max));
        self->received_.resize(length);
        asio::async_read(self->stream_, asio::buffer(self->received_),
                         [self, next](std::error_code cut, std::size_t) {
                           if (cut) return self->close("is gone: " + cut.message());
                           next(self->received_);
                         });
      });
}

void GateConnection::let_in(const Hello& peer) {
  if (!ends_.over) return;  // closed, while what was read last waited for its handler
  deadline_.cancel();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
    return close("no socket pair can be had");
  std::error_code error;
  local_.assign(Local(), pair[0], error);
  if (error) {
    ::close(pair[0]);
    ::close(pair[1]);
    return close("no socket pair can be had: " + error.message());
  }
  in_ = std::make_unique<std::array<std::uint8_t, chunk_bytes>>();
  out_ = std::make_unique<std::array<std::uint8_t, chunk_bytes>>();
  ends_.joined(peer, pair[1]);
  relay_in();
  relay_out();
}

void GateConnection::relay_in() {
  stream_.async_read_some(
      asio::buffer(*in_), [self = shared_from_this()](std::error_code error, std::size_t size) {
        if (error) return self->close("is gone: " + error.message());
        if (const auto why = self->frames_.take({self->in_->data(), size}); !why.empty())
          return self->close(why);
        asio::async_write(self->local_, asio::buffer(self->in_->data(), size),
                          [self](std::error_code cut, std::size_t) {
                            if (cut) return self->close("was left");
                            self->relay_in();
                          });
      });
}

void GateConnection::relay_out() {
  local_.async_read_some(asio::buffer(*out_),
                         [self = shared_from_this()](std::error_code error, std::size_t size) {
                           if (error) return self->close("was left");
                           asio::async_write(self->stream_, asio::buffer(self->out_->data(), size),
                                             [self](std::error_code cut, std::size_t) {
                                               if (cut)
                                                 return self->close("is gone: " + cut.message());
                                               self->relay_out();
                                             });
                         });
}

void GateConnection::close(const std::string& why) {
  const auto over = std::exchange(ends_.over, nullptr);
  if (!over) return;
  const auto alive = shared_from_this();
  std::error_code ignored;
  deadline_.cancel();
  resolver_.cancel();
  stream_.next_layer().close(ignored);
  local_.close(ignored);
  over(why, in_ != nullptr);
}

}  // namespace esper
