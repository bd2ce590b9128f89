#include "runtime/cluster/ballot.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include <unistd.h>

#include "messages/json.hpp"
#include "runtime/cluster/cluster_config.hpp"

namespace esper {

namespace {

class Ballot {
 public:
  explicit Ballot(const NodeIdentity& identity)
      : identity_(identity), witnesses_(witnesses_of(identity.config)) {
    auto tls = tls_of(identity);
    if (!tls) throw std::runtime_error(tls.refusal().sentence);
    tls_ = tls.value();
  }

  [[nodiscard]] std::vector<WitnessAnswer> ask(const WitnessQuestion& question,
                                               std::chrono::milliseconds patience) const {
    const auto box = std::make_shared<Box>();
    box->awaited = witnesses_.size();
    auto settings = gate_settings(identity_, new_incarnation());
    settings.port = 0;
    settings.handshake_max = std::min(settings.handshake_max, patience);
    Gate gate(std::move(settings), tls_,
              {[](const Hello&, int stream) { ::close(stream); },
               [](const std::string&, const std::string&) {}});
    const auto text = canonical(question);
    for (const auto& node : witnesses_)
      gate.ask(node.name, node.address, static_cast<std::uint16_t>(node.port), text,
               [box](const Result<std::string, GateFault>& answer) { box->take(answer); });
    return box->wait(patience);
  }

 private:
  struct Box {
    /// Who does not answer, or not understandably, gives no vote.
    void take(const Result<std::string, GateFault>& answer) {
      const std::lock_guard lock(mutex);
      if (answer) try {
          answers.push_back(parsed<WitnessAnswer>(answer.value()));
        } catch (const std::exception&) {
        }
      --awaited;
      changed.notify_all();
    }
    std::vector<WitnessAnswer> wait(std::chrono::milliseconds patience) {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, patience, [&] { return awaited == 0; });
      return answers;
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<WitnessAnswer> answers;
    std::size_t awaited{};
  };

  NodeIdentity identity_;
  std::vector<NodeConfig> witnesses_;
  TlsContext tls_;
};

}  // namespace

std::optional<ReplicaPlace> replica_of(const NodeIdentity& identity) {
  const auto* node = node_named(identity.config, identity.node);
  if (node == nullptr) throw InvariantViolation("there is no node " + identity.node);
  auto place = replica_of(identity.config, *node);
  if (!place) return place;
  place->run = new_incarnation();
  if (!witnesses_of(identity.config).empty())
    place->ask_witnesses = [ballot = std::make_shared<const Ballot>(identity)](
                               const WitnessQuestion& question,
                               std::chrono::milliseconds patience) {
      return ballot->ask(question, patience);
    };
  return place;
}

}  // namespace esper
