#pragma once
// One connection of a gate: TLS, the handshake, then the relay. Everything on the gate's thread.
#include <array>
#include <functional>
#include <memory>
#include <optional>

#include <asio.hpp>
#include <asio/ssl.hpp>

#include "net/basp_frames.hpp"
#include "net/gate.hpp"

namespace esper {

class GateConnection : public std::enable_shared_from_this<GateConnection> {
 public:
  using Tcp = asio::ip::tcp;

  struct Ends {
    /// Let in: what CAF gets. Once, or not at all.
    std::function<void(const Hello& peer, int stream)> joined;
    /// Over, and why; "": a question was asked and answered. Once.
    std::function<void(const std::string& why, bool was_in)> over;
    /// The answer to a peer's question. Empty: there is none.
    std::function<std::string(const Hello& peer)> asked = {};
    /// What was asked is answered. Once, or not at all.
    std::function<void(const std::string& answer)> answered = {};
  };

  GateConnection(asio::io_context& context, const GateSettings& settings, TlsContext tls,
                 Ends ends);

  /// Of somebody who connected. `socket` is open.
  void accept(Tcp::socket socket);
  /// `node`: who must answer. `question`: as of Hello.
  void dial(const std::string& node, const std::string& address, std::uint16_t port,
            const std::string& question);
  void close(const std::string& why);

 private:
  using Local = asio::local::stream_protocol;
  static constexpr std::size_t chunk_bytes = 65'536;

  void limit_time();
  void shake_hands(asio::ssl::stream_base::handshake_type side);
  void exchange_hellos();
  void judge(const std::string& text);
  void exchange_answers(const Hello& theirs, const std::string& refusal);
  void let_in(const Hello& peer);
  /// One frame each way; `next` gets what came.
  void exchange(std::string ours, std::function<void(const std::string&)> next);
  void read_frame(std::function<void(const std::string&)> next);
  void relay_in();
  void relay_out();
  [[nodiscard]] bool certified(const std::string& node);

  const GateSettings& settings_;
  TlsContext tls_;  // before the stream that uses it
  asio::ssl::stream<Tcp::socket> stream_;
  Tcp::resolver resolver_;
  asio::steady_timer deadline_;
  Local::socket local_;
  Ends ends_;
  std::string expected_;  ///< the node that was dialled; "": anyone
  std::string question_;
  std::string sent_, received_;
  BaspFrames frames_;
  std::unique_ptr<std::array<std::uint8_t, chunk_bytes>> in_, out_;  ///< once it is let in
};

}  // namespace esper
