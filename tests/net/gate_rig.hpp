#pragma once
// Gates of some nodes with certificates of their own, and what came of them.
#include <condition_variable>
#include <mutex>

#include <unistd.h>

#include "net/certificates.hpp"
#include "net/gate.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

/// One end of a socket pair, for blocking use.
class Stream {
 public:
  explicit Stream(int descriptor) : descriptor_(descriptor) {}
  Stream(Stream&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~Stream() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream& operator=(Stream&&) = delete;

  void write(const std::string& bytes) const;
  /// So many bytes, or what came before the end or within a minute.
  [[nodiscard]] std::string read(std::size_t size) const;

 private:
  int descriptor_;
};

/// One node's gate and everything that it told.
class GateRig {
 public:
  /// `answers`: to peers' questions.
  GateRig(GateSettings settings, const NodeFiles& files,
          std::function<std::string(const Hello&)> answers = {});

  [[nodiscard]] Gate& gate() { return *gate_; }
  /// Dials and waits for the answer.
  [[nodiscard]] Result<Gate::Dialled, GateFault> dial(const std::string& node, std::uint16_t port);
  /// Asks and waits for the answer.
  [[nodiscard]] Result<std::string, GateFault> ask(const std::string& node, std::uint16_t port,
                                                   const std::string& question);
  /// Waits for whoever joins next; -1: nobody within a minute.
  [[nodiscard]] int joined();
  /// Waits for the first refusal; "": none within a minute.
  [[nodiscard]] std::string refused();
  [[nodiscard]] std::vector<std::string> refusals();

 private:
  template <typename Given, typename Begin>
  [[nodiscard]] Given awaited(const Begin& begin);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> joined_;
  std::vector<std::string> refused_;
  std::unique_ptr<Gate> gate_;  // last: it tells the others
};

struct Cluster {
  Cluster() { REQUIRE(!make_authority(order)); }
  [[nodiscard]] NodeFiles files(const std::string& node) const {
    auto made = make_node(order, node);
    REQUIRE(made.has_value());
    return made.value();
  }

  ScratchFolder folder;
  CertificateOrder order{folder / "certs", "test", 30};
};

[[nodiscard]] GateSettings settings_of(const std::string& node);

}  // namespace esper
