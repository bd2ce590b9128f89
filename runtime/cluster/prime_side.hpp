#pragma once
// The prime's network layer: its gate, and CAF's streams behind it.
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "actors/cluster_side.hpp"
#include "messages/interfaces.hpp"
#include "net/caf_network.hpp"
#include "runtime/cluster/node_identity.hpp"

namespace esper {

/// Nodes did not come in time, or this node can't be one; what() is a sentence.
struct NodesMissing : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PrimeStart {
  std::string journal_run = {};  ///< the journal's name in its database; "": it is a file
  bool takes_over = false;       ///< in a run that goes on: who does not come is lost, as later
};

class PrimeSide final : public ClusterSide {
 public:
  /// `stop` ends the wait for the others. Errors: throws NodesMissing when the certificates can't
  /// be used.
  PrimeSide(NodeIdentity identity, PrimeStart start, Log& log, const std::atomic<bool>& stop);
  ~PrimeSide() override;

  void configure(caf::actor_system_config& config) override;
  [[nodiscard]] std::shared_ptr<NodeTable> make_table(const HostDescription& host) override;
  [[nodiscard]] std::string journal_run() const override { return start_.journal_run; }
  void tell_losses(const std::function<void(const std::string& node)>& tell) override;
  void lost(const std::string& node) override;
  /// Errors: throws NodesMissing.
  void open(caf::actor_system& system, const caf::strong_actor_ptr& reception) override;
  void close() override;

  /// Empty until the tree is made.
  [[nodiscard]] std::vector<NodeStanding> standing() const;
  /// "": the Narsets of that node move now; else why they don't.
  [[nodiscard]] std::string drain(const std::string& node) const;

 private:
  void await_nodes() const;
  [[nodiscard]] std::shared_ptr<NodeTable> table() const;

  const NodeIdentity identity_;
  const PrimeStart start_;
  const std::uint64_t incarnation_;
  const TlsContext tls_;
  Log& log_;
  const std::atomic<bool>& stop_;
  mutable std::mutex mutex_;
  std::shared_ptr<NodeTable> table_;
  std::function<void(const std::string&)> losses_;
  std::optional<CafStreams> streams_;
  std::optional<Gate> gate_;  ///< last: it gives away streams
};

}  // namespace esper
