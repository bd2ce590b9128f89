#include "runtime/cluster/node_life.hpp"

#include <future>
#include <thread>

#include <nlohmann/json.hpp>

#include "actors/narset_host.hpp"
#include "messages/cluster_handles.hpp"
#include "net/caf_network.hpp"
#include "runtime/cluster/cluster_config.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds look{50};
constexpr std::chrono::milliseconds dial_again{250};

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

class OneLife {
 public:
  OneLife(const NodeIdentity& identity, TlsContext tls, Metrics& metrics, Log& log)
      : identity_(identity),
        incarnation_(new_incarnation()),
        system_config_(identity, incarnation_),
        system_(system_config_),
        hosting_(start_narset_host(
            system_, {identity.config, identity.node, incarnation_, metrics, log, life_})),
        streams_(system_, hosting_.host(), {}),
        gate_(gate_settings(identity, incarnation_), std::move(tls),
              {[this](const Hello&, int stream) { streams_.take(stream); },
               [&log](const std::string& address, const std::string& why) {
                 log.write(LogLevel::warning, "gate_refused",
                           nlohmann::json{{"address", address}, {"reason", why}}.dump());
               }}) {}
  OneLife(const OneLife&) = delete;
  OneLife& operator=(const OneLife&) = delete;

  /// "": the prime has let it in as far as its reception; else why not.
  [[nodiscard]] std::string find_prime() {
    const auto& prime = *prime_of(identity_.config);
    std::promise<Result<Gate::Dialled, GateFault>> answer;
    gate_.dial(prime.name, prime.address, static_cast<std::uint16_t>(prime.port),
               [&](const Result<Gate::Dialled, GateFault>& given) { answer.set_value(given); });
    const auto dialled = answer.get_future().get();
    if (!dialled) return dialled.refusal().sentence;
    const std::chrono::milliseconds patience{identity_.config.cluster.timeouts.request_ms};
    const auto met = streams_.meet(dialled.value().stream, patience);
    if (!met) return "CAF did not meet the prime: " + system_.render(met.error());
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

}  // namespace

NodeEnding serve_as_node(const NodeIdentity& identity, const std::atomic<bool>& stop,
                         Metrics& metrics, Log& log,
                         const std::function<void(const std::string&)>& tell) {
  const auto tls = tls_of(identity);
  if (!tls) throw std::runtime_error(tls.refusal().sentence);
  const auto& prime = *prime_of(identity.config);
  const std::chrono::milliseconds ready{identity.config.cluster.timeouts.ready_ms};
  const auto deadline = std::chrono::steady_clock::now() + ready;
  bool was_in = false;
  std::string told;
  while (!stop.load()) {
    OneLife one(identity, tls.value(), metrics, log);
    auto why = one.find_prime();
    if (why.empty())
      while (!stop.load() && why.empty()) {
        why = one.life().wait(look);
        if (one.life().has_joined() && !std::exchange(was_in, true)) tell("joined " + prime.name);
      }
    if (stop.load()) break;
    if (why == run_is_over) return {NodeEnd::run_over, why};
    if (!was_in && std::chrono::steady_clock::now() > deadline) return {NodeEnd::not_let_in, why};
    if (why != std::exchange(told, why)) {
      log.write(LogLevel::warning, "prime_away", nlohmann::json{{"reason", why}}.dump());
      tell(prime.name + " at " + prime.address + ":" + std::to_string(prime.port) + ": " + why +
           "; trying on");
    }
    std::this_thread::sleep_for(dial_again);
  }
  return {NodeEnd::stopped, ""};
}

}  // namespace esper
