#pragma once
// A node's only door: listens and dials under mutual TLS, checks who is there, and gives each peer
// that is let in as one end of a socket pair, through which its stream is relayed. Whoever is not
// let in gets no further than this.
#include <chrono>
#include <functional>
#include <memory>

#include "net/hello.hpp"
#include "net/node_files.hpp"

namespace esper {

struct GateSettings {
  Hello hello;                       ///< this node's
  std::vector<std::string> members;  ///< nodes of the config
  std::string address{"127.0.0.1"};  ///< to listen on
  std::uint16_t port{0};             ///< 0: the kernel picks one
  /// From the connection to the handshake's last byte, also of a dialled one.
  std::chrono::milliseconds handshake_max{5'000};
  std::size_t strangers_max{64};                  ///< connections that are not let in yet
  std::uint32_t frame_bytes_max{16 * 1'048'576};  ///< of one BASP payload from a peer
};

struct GateFault {
  std::string sentence;
};

class Gate {
 public:
  struct Events {
    /// Somebody dialled and was let in. `stream`: non-blocking, the receiver's to close.
    std::function<void(const Hello& peer, int stream)> joined;
    /// Somebody was not, or was cut later. Once for each address and reason.
    std::function<void(const std::string& address, const std::string& why)> refused;
    /// A peer asks, and gets what this returns. Empty: questions are refused.
    std::function<std::string(const Hello& peer)> asked = {};
  };

  /// Called on the gate's own thread; events must not wait. Errors: throws std::runtime_error, one
  /// sentence, when the address can't be listened on.
  Gate(GateSettings settings, TlsContext tls, Events events);
  /// Every connection ends, and every dial with a fault.
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  struct Dialled {
    Hello peer;
    int stream{-1};  ///< as of `joined`
  };
  using Done = std::function<void(const Result<Dialled, GateFault>&)>;
  /// `done` is called once, on the gate's thread, at the latest after handshake_max.
  void dial(const std::string& node, const std::string& address, std::uint16_t port, Done done);

  using Answered = std::function<void(const Result<std::string, GateFault>&)>;
  /// One question, which with its frame stays below hello_bytes_max; `done` as of `dial`.
  void ask(const std::string& node, const std::string& address, std::uint16_t port,
           const std::string& question, Answered done);

  /// Connections that are not let in yet; for tests and metrics.
  [[nodiscard]] std::size_t strangers() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace esper
