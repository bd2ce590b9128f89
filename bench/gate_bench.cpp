// Round trip of a 64-byte message between two nodes' actors: through the gates with mutual TLS,
// beside CAF's bare BASP on loopback, alternating. Aim: p50 at most 1.5 times, p99 at most twice.
#include <filesystem>
#include <future>

#include <stdlib.h>

#include "bench/interleaved.hpp"
#include "net/caf_network.hpp"
#include "net/certificates.hpp"
#include "net/gate.hpp"

namespace esper {

namespace {

constexpr int warm_up = 2'000, rounds = 20, trips_per_round = 1'000;

struct Config : caf::actor_system_config {
  Config(const std::string& node, std::uint64_t incarnation) {
    set("scheduler.max-threads", std::size_t{2});
    load_network(*this, node, incarnation, 100, 3'000);
  }
};

caf::behavior echo(caf::event_based_actor*) {
  return {[](const std::string& text) { return text; }};
}

struct Node {
  Node(const std::string& node, std::uint64_t incarnation)
      : config(node, incarnation), system(config), server(system.spawn(echo)) {}
  ~Node() { caf::anon_send_exit(server, caf::exit_reason::user_shutdown); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Config config;
  caf::actor_system system;
  caf::actor server;
};

/// Seconds of each of so many round trips.
std::vector<double> trips(caf::scoped_actor& self, const caf::actor& remote, int count) {
  using Clock = std::chrono::steady_clock;
  const std::string message(64, 'x');
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    self->request(remote, std::chrono::seconds{10}, message)
        .receive([](const std::string&) {},
                 [](const caf::error&) { throw std::runtime_error("a round trip failed"); });
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return seconds;
}

GateSettings settings_of(const std::string& node) {
  GateSettings settings;
  settings.hello = {.node = node, .incarnation = 1, .build = "bench", .config = "bench"};
  settings.members = {"a", "b"};
  return settings;
}

void measure(const std::filesystem::path& folder) {
  Node bare_server("bare-a", 1), bare_client("bare-b", 1);
  const auto port = bare_server.system.middleman().publish(bare_server.server, 0, "127.0.0.1");
  if (!port) throw std::runtime_error("no port for bare BASP");
  const auto bare = bare_client.system.middleman().remote_actor("127.0.0.1", *port);
  if (!bare) throw std::runtime_error("no bare BASP");

  Node server("a", 1), client("b", 1);
  const CafStreams server_streams(server.system,
                                  caf::actor_cast<caf::strong_actor_ptr>(server.server), {});
  const CafStreams client_streams(client.system,
                                  caf::actor_cast<caf::strong_actor_ptr>(client.server), {});
  const CertificateOrder order{folder, "bench", 1};
  if (const auto fault = make_authority(order)) throw std::runtime_error(fault->sentence);
  const auto tls = [&](const std::string& node) {
    return tls_context(make_node(order, node).value(), node).value();
  };
  Gate door(settings_of("a"), tls("a"),
            {[&](const Hello&, int stream) { server_streams.take(stream); }, {}});
  Gate dials(settings_of("b"), tls("b"), {});
  std::promise<int> dialled;
  dials.dial("a", "127.0.0.1", door.port(), [&](const Result<Gate::Dialled, GateFault>& result) {
    dialled.set_value(result ? result.value().stream : -1);
  });
  const auto met = client_streams.meet(dialled.get_future().get(), std::chrono::seconds{10});
  if (!met) throw std::runtime_error("no stream through the gates");
  const auto gated = caf::actor_cast<caf::actor>(met->published);

  caf::scoped_actor bare_self{bare_client.system}, self{client.system};
  std::vector<Arm> arms{{"bare BASP", {}, {}}, {"gates, mutual TLS", {}, {}}};
  const auto round = [&](int count) {
    return std::pair{trips(bare_self, *bare, count), trips(self, gated, count)};
  };
  (void)round(warm_up);
  std::vector<double> p50_ratios, p99_ratios;
  for (int i = 0; i < rounds; ++i) {
    auto [without, with] = round(trips_per_round);
    p50_ratios.push_back(quantile(with, 0.5) / quantile(without, 0.5));
    p99_ratios.push_back(quantile(with, 0.99) / quantile(without, 0.99));
    arms[0].seconds.insert(arms[0].seconds.end(), without.begin(), without.end());
    arms[1].seconds.insert(arms[1].seconds.end(), with.begin(), with.end());
  }
  std::printf("round trip, us      %8s %8s\n", "p50", "p99");
  for (auto& arm : arms)
    std::printf("%-19s %8.1f %8.1f\n", arm.name.c_str(), quantile(arm.seconds, 0.5) * 1e6,
                quantile(arm.seconds, 0.99) * 1e6);
  std::printf("gates to bare, median of %d rounds: p50 %.2f (aim 1.5), p99 %.2f (aim 2)\n", rounds,
              quantile(p50_ratios, 0.5), quantile(p99_ratios, 0.5));
}

}  // namespace

}  // namespace esper

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "esper-gate-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  int code = 0;
  try {
    esper::measure(folder);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = 1;
  }
  std::filesystem::remove_all(folder);
  return code;
}
