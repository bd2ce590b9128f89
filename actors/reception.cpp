#include "actors/reception.hpp"

#include "messages/cluster_handles.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

/// For a farewell to reach the nodes, and for them to go.
constexpr std::chrono::milliseconds farewell_max{1'000};

/// The name comes first: CAF makes a state from its actor's pointer where the language lets it, and
/// C++20 lets it make the first member of an aggregate from that, a bool or a handle.
struct ReceptionState {
  const char* name = "reception";
  bool ending = false;
};

class Reception {
 public:
  using Self = ReceptionHandle::stateful_pointer<ReceptionState>;

  Reception(Self self, ControlContextPtr context, std::shared_ptr<NodeTable> nodes,
            ClusterSide& side)
      : self_(self), context_(std::move(context)), nodes_(std::move(nodes)), side_(&side) {}

  void join(const NodeJoins& asks, const caf::strong_actor_ptr& narset_host,
            caf::typed_response_promise<NodeWelcome>& answer) const {
    const auto refusal = narset_host ? nodes_->refusal_of(asks) : asks.node + " brings no host";
    // Answered before anybody can ask it for a Narset: it must know the host by then.
    answer.deliver(NodeWelcome{.refusal = refusal,
                               .host = refusal.empty() ? context_->host : HostDescription{},
                               .journal_run = side_->journal_run()});
    if (!refusal.empty()) return log(LogLevel::warning, "node_refused", {{"reason", refusal}});
    self_->monitor(narset_host);
    nodes_->join(asks, narset_host, now_ms(*self_));
    log(LogLevel::info, "node_joined", {{"node", asks.node}, {"incarnation", asks.incarnation}});
  }

  /// Nobody is left waiting for a prime that will not come back. Whose journal another leads has no
  /// say in when the run is over: its nodes find that other.
  void say_farewell() const {
    self_->state.ending = true;
    nodes_->close();
    if (context_->deposed && context_->deposed()) return self_->quit();
    for (const auto& host : nodes_->narset_hosts())
      self_->send(caf::actor_cast<NarsetHostHandle>(host), NodeLost{nodes_->own(), 0});
    if (nodes_->narset_hosts().empty()) return self_->quit();
    self_->delayed_send(self_, farewell_max, Nudge{Window{1}});
  }

  void gone(const caf::actor_addr& narset_host) const {
    nodes_->gone(narset_host);
    if (!self_->state.ending) return look();
    if (nodes_->narset_hosts().empty()) self_->quit();
  }

  void beat() const {
    if (self_->state.ending) return;
    for (const auto& host : nodes_->narset_hosts())
      self_->send(caf::actor_cast<NarsetHostHandle>(host), NodePulse{nodes_->own(), 0});
    look();
    self_->delayed_send(
        self_, std::chrono::milliseconds{context_->config.cluster.timeouts.heartbeat_ms}, Nudge{});
  }

 private:
  /// Whoever is lost is told of: its Narsets' proxies, this node's trainer, and the other nodes.
  void look() const {
    for (const auto& lost : nodes_->look(now_ms(*self_))) {
      context_->metrics.add("esper_nodes_lost_total", "reception", "", 1);
      log(LogLevel::error, "node_lost", {{"node", lost.node}, {"incarnation", lost.incarnation}});
      side_->lost(lost.node);
      for (const auto& host : nodes_->narset_hosts())
        self_->send(caf::actor_cast<NarsetHostHandle>(host), lost);
      for (const auto& address : nodes_->proxies_on(lost.node))
        if (const auto proxy = caf::actor_cast<caf::strong_actor_ptr>(address))
          caf::anon_send(caf::actor_cast<NarsetProxyHandle>(proxy), lost);
    }
  }

  void log(LogLevel level, const char* event, const nlohmann::json& details) const {
    context_->log.write(level, event, details.dump());
  }

  Self self_;
  ControlContextPtr context_;
  std::shared_ptr<NodeTable> nodes_;
  ClusterSide* side_;
};

ReceptionHandle::behavior_type reception(Reception::Self self, const ControlContextPtr& context,
                                         const std::shared_ptr<NodeTable>& nodes,
                                         ClusterSide* side) {
  keep_exception_text(self);
  const Reception role(self, context, nodes, *side);
  self->set_down_handler([=](const caf::down_msg& down) { role.gone(down.source); });
  self->set_exit_handler([=](const caf::exit_msg&) { role.say_farewell(); });
  role.beat();
  return {
      [=](const NodeJoins& asks, const caf::strong_actor_ptr& narset_host) {
        auto answer = self->make_response_promise<NodeWelcome>();
        role.join(asks, narset_host, answer);
        return answer;
      },
      [=](const NodePulse& pulse) { nodes->heard(pulse, now_ms(*self)); },
      [=](Nudge nudge) {
        if (nudge.window.value > 0) return self->quit();
        role.beat();
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_reception(caf::actor_system& system, const ControlContextPtr& context,
                                      std::shared_ptr<NodeTable> nodes, ClusterSide& side) {
  return caf::actor_cast<caf::strong_actor_ptr>(
      system.spawn(reception, context, std::move(nodes), &side));
}

}  // namespace esper
