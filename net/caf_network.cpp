#include "net/caf_network.hpp"

#include <unistd.h>
#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/uri.hpp>

#include "messages/result.hpp"

namespace esper {

namespace {

/// CAF wants a port for whatever is published. There is none: whoever comes comes by the gate.
constexpr std::uint16_t no_port = 1;

class Middleman final : public caf::io::middleman {
 public:
  Middleman(caf::actor_system& system, caf::node_id id)
      : caf::io::middleman(system), backend_(&system), id_(std::move(id)) {}
  caf::io::network::multiplexer& backend() override { return backend_; }
  void init(caf::actor_system_config& config) override {
    caf::io::middleman::init(config);
    // CAF 0.17 hashes MAC addresses and the pid: equal in two containers of one network namespace.
    const_cast<caf::node_id&>(system().node()) = id_;
  }

 private:
  caf::io::network::default_multiplexer backend_;
  caf::node_id id_;
};

caf::actor basp_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

}  // namespace

void load_network(caf::actor_system_config& config, const std::string& node,
                  std::uint64_t incarnation, std::uint32_t heartbeat_ms,
                  std::uint32_t connection_timeout_ms) {
  const auto in_ms = [](std::uint32_t ms) { return caf::timespan{std::chrono::milliseconds{ms}}; };
  config.set("middleman.heartbeat-interval", in_ms(heartbeat_ms));
  config.set("middleman.connection-timeout", in_ms(connection_timeout_ms));
  const auto uri = caf::make_uri("caf://" + node + "/" + std::to_string(incarnation));
  if (!uri) throw InvariantViolation("a node's name that no URI can hold: " + node);
  config.module_factories.push_back(
      [id = caf::make_node_id(*uri)](caf::actor_system& system) -> caf::actor_system::module* {
        return new Middleman(system, id);
      });
}

/// Where CAF expects a listening socket: it is told of connections that somebody else accepted.
class CafStreams::Door final : public caf::io::doorman {
 public:
  explicit Door(caf::io::network::multiplexer& backend)
      : caf::io::doorman(
            caf::io::accept_handle::from_int(std::numeric_limits<std::int64_t>::max())),
        backend_(backend) {}
  void launch() override {}
  bool new_connection() override { return false; }
  // Asked again and again until the broker has let go of it.
  void graceful_shutdown() override { detach(&backend_, false); }
  std::string addr() const override { return "gate"; }
  std::uint16_t port() const override { return no_port; }
  void add_to_loop() override {}
  void remove_from_loop() override {}

  /// On the multiplexer's thread.
  void take(int stream) {
    if (detached()) {  // CAF is ending
      ::close(stream);
      return;
    }
    auto scribe = backend_.new_scribe(stream);
    const auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    caf::io::doorman::new_connection(&backend_, handle);
  }

 private:
  caf::io::network::multiplexer& backend_;
};

CafStreams::CafStreams(caf::actor_system& system, const caf::strong_actor_ptr& published,
                       std::set<std::string> signatures)
    : system_(system), door_(caf::make_counted<Door>(system.middleman().backend())) {
  caf::scoped_actor self{system};  // a stream that came before would be turned away
  self->request(basp_of(system), caf::infinite, caf::publish_atom::value,
                caf::io::doorman_ptr{door_}, no_port, published, std::move(signatures))
      .receive([] {},
               [&](const caf::error& error) {
                 throw std::runtime_error("CAF takes no streams: " + system.render(error));
               });
}

CafStreams::~CafStreams() = default;

void CafStreams::take(int stream) const {
  system_.middleman().backend().post([door = door_, stream] { door->take(stream); });
}

caf::expected<CafStreams::Met> CafStreams::meet(int stream,
                                                std::chrono::milliseconds patience) const {
  caf::scoped_actor self{system_};
  caf::expected<Met> met{caf::sec::request_timeout};
  self->request(basp_of(system_), patience, caf::connect_atom::value,
                system_.middleman().backend().new_scribe(stream), no_port)
      .receive(
          [&](const caf::node_id& node, caf::strong_actor_ptr& published,
              const std::set<std::string>& signatures) {
            met = Met{node, published, signatures};
          },
          [&](const caf::error& error) { met = error; });
  return met;
}

}  // namespace esper
