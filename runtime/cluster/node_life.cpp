#include "runtime/cluster/node_life.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "actors/narset_host.hpp"
#include "messages/cluster_handles.hpp"
#include "net/caf_network.hpp"
#include "runtime/cluster/cluster_config.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds look{50};
constexpr std::chrono::milliseconds dial_again{250};

Result<Gate::Dialled, GateFault> dial(Gate& gate, const NodeConfig& node) {
  std::promise<Result<Gate::Dialled, GateFault>> answer;
  gate.dial(node.name, node.address, static_cast<std::uint16_t>(node.port),
            [&](const Result<Gate::Dialled, GateFault>& given) { answer.set_value(given); });
  return answer.get_future().get();
}

/// Who may lead the run, but for this node: the prime by the config, then its standby.
std::vector<NodeConfig> leaders(const NodeIdentity& identity) {
  std::vector<NodeConfig> found;
  for (const NodeRole role : {NodeRole::prime, NodeRole::standby})
    for (const auto& node : nodes_with(identity.config, role))
      if (node.name != identity.node) found.push_back(node);
  return found;
}

/// Told to exit with its scope: else the actor system would wait for it.
class Hosting {
 public:
  explicit Hosting(caf::strong_actor_ptr host) : host_(std::move(host)) {}
  ~Hosting() { caf::anon_send_exit(host_, caf::exit_reason::user_shutdown); }
  Hosting(const Hosting&) = delete;
  Hosting& operator=(const Hosting&) = delete;
  [[nodiscard]] const caf::strong_actor_ptr& host() const { return host_; }

 private:
  caf::strong_actor_ptr host_;
};

std::function<std::string(const Hello&)> answers(const NodeSeams& seams) {
  if (!seams.asked) return {};
  return [asked = seams.asked](const Hello& peer) { return asked(peer.question); };
}

class OneLife {
 public:
  OneLife(const NodeIdentity& identity, TlsContext tls, const NodeSeams& seams)
      : identity_(identity),
        incarnation_(new_incarnation()),
        system_config_(identity, incarnation_),
        system_(system_config_),
        hosting_(start_narset_host(system_, {.config = identity.config,
                                             .node = identity.node,
                                             .incarnation = incarnation_,
                                             .metrics = seams.metrics,
                                             .log = seams.log,
                                             .life = life_,
                                             .lost = seams.lost})),
        streams_(system_, hosting_.host(), {}),
        gate_(gate_settings(identity, incarnation_), std::move(tls),
              {[this](const Hello&, int stream) { streams_.take(stream); },
               [&log = seams.log](const std::string& address, const std::string& why) {
                 log.write(LogLevel::warning, "gate_refused",
                           nlohmann::json{{"address", address}, {"reason", why}}.dump());
               },
               answers(seams)}) {}
  OneLife(const OneLife&) = delete;
  OneLife& operator=(const OneLife&) = delete;

  /// "": that node leads, and has let this one in as far as its reception; else why not.
  [[nodiscard]] std::string find_prime(const NodeConfig& leader) {
    const auto dialled = dial(gate_, leader);
    if (!dialled) return dialled.refusal().sentence;
    const auto& found = dialled.value();
    if (!found.peer.leads) {
      ::close(found.stream);
      return leader.name + " does not lead the run";
    }
    const std::chrono::milliseconds patience{identity_.config.cluster.timeouts.request_ms};
    const auto met = streams_.meet(found.stream, patience);
    if (!met) return "CAF did not meet " + leader.name + ": " + system_.render(met.error());
    caf::anon_send(caf::actor_cast<NarsetHostHandle>(hosting_.host()), met->published);
    return "";
  }

  [[nodiscard]] NodeLife& life() { return *life_; }

 private:
  struct SystemConfig : caf::actor_system_config {
    SystemConfig(const NodeIdentity& identity, std::uint64_t incarnation) {
      const auto& times = identity.config.cluster.timeouts;
      set("scheduler.max-threads", std::size_t{identity.config.control.threads});
      load_network(*this, identity.node, incarnation, times.heartbeat_ms, times.connection_ms);
      register_cluster_messages(*this);
    }
  };

  const NodeIdentity& identity_;
  const std::uint64_t incarnation_;
  std::shared_ptr<NodeLife> life_ = std::make_shared<NodeLife>();
  SystemConfig system_config_;
  caf::actor_system system_;
  Hosting hosting_;
  CafStreams streams_;
  Gate gate_;  // last: it gives away streams
};

/// A node's lives, one after the other.
class NodeService {
 public:
  NodeService(const NodeIdentity& identity, TlsContext tls, const NodeSeams& seams)
      : identity_(identity), tls_(std::move(tls)), seams_(seams), leaders_(leaders(identity)) {}

  NodeEnding serve() {
    const std::chrono::milliseconds ready{identity_.config.cluster.timeouts.ready_ms};
    const auto deadline = std::chrono::steady_clock::now() + ready;
    for (std::size_t turn = 0; !seams_.stop.load(); ++turn) {
      const auto& leader = leaders_.at(turn % leaders_.size());
      const auto why = live_with(leader);
      if (seams_.stop.load()) break;
      if (auto lead = taken_over()) return {.end = NodeEnd::leads, .lead = std::move(lead)};
      if (why == run_is_over) return {.end = NodeEnd::run_over, .why = why};
      if (!was_in_ && std::chrono::steady_clock::now() > deadline)
        return {.end = NodeEnd::not_let_in, .why = why};
      // Once for each round of those who may lead.
      if (turn % leaders_.size() == 0 && why != std::exchange(told_, why)) {
        seams_.log.write(LogLevel::warning, "prime_away", nlohmann::json{{"reason", why}}.dump());
        seams_.tell(leader.name + " at " + leader.address + ":" + std::to_string(leader.port) +
                    ": " + why + "; trying on");
      }
    }
    return {.end = NodeEnd::stopped};
  }

 private:
  /// Why it is over. It waits a little before it ends: its gate stays open meanwhile, for those who
  /// ask for a vote.
  std::string live_with(const NodeConfig& leader) {
    OneLife one(identity_, tls_, seams_);
    auto why = one.find_prime(leader);
    if (why.empty()) why = live(one, leader);
    if (why != run_is_over && !lead_ && !seams_.stop.load())
      std::this_thread::sleep_for(dial_again);
    return why;
  }

  /// With the prime that let it in.
  std::string live(OneLife& one, const NodeConfig& leader) {
    std::string why;
    bool in = false;
    while (!seams_.stop.load() && why.empty()) {
      why = one.life().wait(look);
      const auto welcome = one.life().welcome();
      if (welcome && !std::exchange(in, true)) {
        was_in_ = true;
        told_.clear();
        seams_.tell("joined " + leader.name);
        stand_by(welcome->journal_run);
      }
      if (standing_by_ && has_taken_over()) why = "this node leads";
    }
    if (in && why != run_is_over) seams_.lost(leader.name);
    return why;
  }

  void stand_by(const std::string& run) {
    const auto* own = node_named(identity_.config, identity_.node);
    if (own == nullptr || !has_role(*own, NodeRole::standby) || run.empty()) return;
    if (standing_by_ && standing_by_->run() == run) return;
    standing_by_.emplace(identity_.config, run, seams_.log);
  }
  bool has_taken_over() {
    if (!lead_) lead_ = standing_by_->taken();
    return lead_ != nullptr;
  }
  std::unique_ptr<StoodBy> taken_over() {
    return standing_by_ && has_taken_over() ? std::move(lead_) : nullptr;
  }

  const NodeIdentity& identity_;
  const TlsContext tls_;
  const NodeSeams& seams_;
  const std::vector<NodeConfig> leaders_;
  bool was_in_ = false;
  std::string told_;
  std::optional<StandingBy> standing_by_;
  std::unique_ptr<StoodBy> lead_;
};

TlsContext tls_or_throw(const NodeIdentity& identity) {
  auto tls = tls_of(identity);
  if (!tls) throw std::runtime_error(tls.refusal().sentence);
  return tls.value();
}

}  // namespace

NodeEnding serve_as_node(const NodeIdentity& identity, const NodeSeams& seams) {
  return NodeService(identity, tls_or_throw(identity), seams).serve();
}

bool led_by_another(const NodeIdentity& identity) {
  const auto others = leaders(identity);
  if (others.empty()) return false;
  auto settings = gate_settings(identity, new_incarnation());
  settings.port = 0;
  Gate gate(std::move(settings), tls_or_throw(identity),
            {[](const Hello&, int stream) { ::close(stream); },
             [](const std::string&, const std::string&) {}});
  return std::ranges::any_of(others, [&](const NodeConfig& node) {
    const auto dialled = dial(gate, node);
    if (!dialled) return false;
    ::close(dialled.value().stream);
    return dialled.value().peer.leads;
  });
}

}  // namespace esper
