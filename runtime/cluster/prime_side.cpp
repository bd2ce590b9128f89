#include "runtime/cluster/prime_side.hpp"

#include <thread>

#include <nlohmann/json.hpp>

#include "messages/cluster_handles.hpp"
#include "runtime/listed.hpp"

namespace esper {

namespace {

TlsContext tls_or_throw(const NodeIdentity& identity) {
  auto tls = tls_of(identity);
  if (!tls) throw NodesMissing(tls.refusal().sentence);
  return tls.value();
}

}  // namespace

PrimeSide::PrimeSide(NodeIdentity identity, PrimeStart start, Log& log,
                     const std::atomic<bool>& stop)
    : identity_(std::move(identity)),
      start_(std::move(start)),
      incarnation_(new_incarnation()),
      tls_(tls_or_throw(identity_)),
      log_(log),
      stop_(stop) {}

PrimeSide::~PrimeSide() { close(); }

void PrimeSide::configure(caf::actor_system_config& config) {
  const auto& times = identity_.config.cluster.timeouts;
  load_network(config, identity_.node, incarnation_, times.heartbeat_ms, times.connection_ms);
  register_cluster_messages(config);
}

std::shared_ptr<NodeTable> PrimeSide::make_table(const HostDescription& host) {
  const std::lock_guard lock(mutex_);
  return table_ = std::make_shared<NodeTable>(identity_.config, host, identity_.node);
}

void PrimeSide::lost(const std::string& node) {
  const std::lock_guard lock(mutex_);
  if (losses_) losses_(node);
}

void PrimeSide::tell_losses(const std::function<void(const std::string&)>& tell) {
  const std::lock_guard lock(mutex_);
  losses_ = tell;
}

std::shared_ptr<NodeTable> PrimeSide::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

void PrimeSide::open(caf::actor_system& system, const caf::strong_actor_ptr& reception) {
  streams_.emplace(system, reception, std::set<std::string>{});
  const Gate::Events events{[this](const Hello&, int stream) { streams_->take(stream); },
                            [this](const std::string& address, const std::string& why) {
                              log_.write(
                                  LogLevel::warning, "gate_refused",
                                  nlohmann::json{{"address", address}, {"reason", why}}.dump());
                            }};
  try {
    auto settings = gate_settings(identity_, incarnation_);
    settings.hello.leads = true;
    gate_.emplace(std::move(settings), tls_, events);
  } catch (const std::runtime_error& error) {
    throw NodesMissing(error.what());
  }
  await_nodes();
}

void PrimeSide::await_nodes() const {
  constexpr std::chrono::milliseconds look{10};
  const auto& times = identity_.config.cluster.timeouts;
  const std::chrono::milliseconds patience{start_.takes_over ? times.confirmation_ms
                                                             : times.ready_ms};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto missing = table()->missing(); !missing.empty(); missing = table()->missing()) {
    if (stop_.load()) throw NodesMissing("stopped before every node was there");
    if (std::chrono::steady_clock::now() > deadline && start_.takes_over) return;
    if (std::chrono::steady_clock::now() > deadline)
      throw NodesMissing(listed(missing) + " did not come within " +
                         std::to_string(patience.count()) + " ms (cluster.timeouts.ready_ms)");
    std::this_thread::sleep_for(look);
  }
}

void PrimeSide::close() {
  gate_.reset();
  streams_.reset();
}

std::vector<NodeStanding> PrimeSide::standing() const {
  const auto nodes = table();
  return nodes ? nodes->standing() : std::vector<NodeStanding>{};
}

std::string PrimeSide::drain(const std::string& node) const {
  const auto nodes = table();
  if (!nodes) return "the run has not begun yet";
  if (auto why = nodes->drain(node); !why.empty()) return why;
  for (const auto& address : nodes->proxies_on(node))
    if (const auto proxy = caf::actor_cast<caf::strong_actor_ptr>(address))
      caf::anon_send(caf::actor_cast<NarsetProxyHandle>(proxy), NodeLost{node, 0});
  return "";
}

}  // namespace esper
