// Who is let in, and that nobody else gets anywhere.
#include <catch2/catch.hpp>

#include <thread>

#include <asio.hpp>

#include "tests/net/gate_rig.hpp"

namespace esper {
namespace {

using asio::ip::tcp;

/// Somebody without TLS.
struct Client {
  explicit Client(std::uint16_t port) : socket(context) {
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
  }
  void send(const std::string& bytes) {
    std::error_code ignored;
    asio::write(socket, asio::buffer(bytes), ignored);
  }
  /// Blocks until the other side has closed.
  void wait_for_end() {
    std::array<char, 256> bytes{};
    std::error_code error;
    while (!error) socket.read_some(asio::buffer(bytes), error);
  }
  asio::io_context context;
  tcp::socket socket;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

SCENARIO("two nodes of one config meet, and what one writes the other reads", "[net][gate]") {
  const Cluster cluster;
  GateRig a(settings_of("a"), cluster.files("a")), b(settings_of("b"), cluster.files("b"));
  const auto dialled = b.dial("a", a.gate().port());
  REQUIRE(dialled.has_value());
  CHECK(dialled.value().peer.node == "a");
  CHECK(dialled.value().peer.incarnation == 7);
  const Stream near(dialled.value().stream);
  const Stream far(a.joined());
  // Frames of a BASP type without a payload, then one with.
  std::string bytes(32, '\0');
  bytes[0] = 6;
  const std::string payload(1'000'000, 'x');
  std::string announced(32, '\0');
  announced[0] = 2;
  for (int i = 0; i < 4; ++i)
    announced[static_cast<std::size_t>(4 + i)] =
        static_cast<char>(payload.size() >> (24 - 8 * i) & 0xff);
  const auto sent = bytes + announced + payload;
  std::jthread writes([&] { near.write(sent); });
  CHECK((far.read(sent.size()) == sent));
  far.write(bytes);
  CHECK(near.read(bytes.size()) == bytes);
  CHECK(a.gate().strangers() == 0);

  WHEN("one announces more than a frame may have") {
    std::string absurd(32, '\0');
    absurd[0] = 2;
    absurd[4] = '\x7f';
    near.write(absurd + "and more");
    THEN("it is cut before the other reads a byte of it") {
      CHECK(far.read(1) == "");
      CHECK(contains(a.refused(), "announces 2130706432 bytes"));
    }
  }
}

SCENARIO("a node's question is answered in place of a stream, and only by one that answers",
         "[net][gate]") {
  const Cluster cluster;
  GateRig a(settings_of("a"), cluster.files("a"),
            [](const Hello& peer) { return peer.node + " asked " + peer.question; });
  GateRig b(settings_of("b"), cluster.files("b"));
  const auto port = a.gate().port();
  for (int time = 0; time < 3; ++time) {
    const auto answer = b.ask("a", port, "for a vote");
    REQUIRE(answer.has_value());
    CHECK(answer.value() == "b asked for a vote");
  }
  CHECK(a.refusals().empty());
  const auto none = a.ask("b", b.gate().port(), "for a vote");
  REQUIRE_FALSE(none.has_value());
  CHECK(contains(none.refusal().sentence, "asks a question, which b answers to nobody"));

  THEN("whoever has another config gets no answer") {
    auto settings = settings_of("b");
    settings.hello.config = "another";
    GateRig other(settings, cluster.files("b"));
    CHECK_FALSE(other.ask("a", port, "for a vote").has_value());
    CHECK(contains(a.refused(), "has the config another"));
  }
  THEN("a stream can be had still") {
    const auto dialled = b.dial("a", port);
    REQUIRE(dialled.has_value());
    const Stream near(dialled.value().stream), far(a.joined());
  }
}

SCENARIO("whoever does not belong is refused, told why, and the gate goes on", "[net][gate]") {
  const Cluster cluster, others;
  GateRig a(settings_of("a"), cluster.files("a"));
  const auto port = a.gate().port();
  const auto refused = [&](GateSettings settings, const NodeFiles& files) {
    GateRig stranger(std::move(settings), files);
    const auto answer = stranger.dial("a", port);
    REQUIRE_FALSE(answer.has_value());
    return answer.refusal().sentence;
  };
  WHEN("it is of another build") {
    auto settings = settings_of("b");
    settings.hello.build = "2.0";
    CHECK(contains(refused(settings, cluster.files("b")), "build"));
    CHECK(a.refused() == "is of build 2.0, a of 1.0");
  }
  WHEN("it has another config") {
    auto settings = settings_of("b");
    settings.hello.config = "decade";
    CHECK(contains(refused(settings, cluster.files("b")), "config"));
    CHECK(a.refused() == "has the config decade, a has c0ffee");
  }
  WHEN("its certificate is of another name") {
    auto settings = settings_of("c");
    settings.hello.node = "b";
    const auto tls = tls_context(cluster.files("c"), "b");
    REQUIRE_FALSE(tls.has_value());  // it notices itself
    CHECK(contains(tls.refusal().sentence, "is not of the node b"));
  }
  WHEN("it lies about its name") {
    // As if its own check were taken out: the certificate is c's, the hello b's.
    auto tls = tls_context(cluster.files("c"), "c");
    REQUIRE(tls.has_value());
    std::optional<std::string> answer;
    std::mutex mutex;
    std::condition_variable changed;
    Gate liar(settings_of("b"), tls.value(), {});
    liar.dial("a", "127.0.0.1", port, [&](const Result<Gate::Dialled, GateFault>& given) {
      const std::lock_guard lock(mutex);
      answer = given ? "" : given.refusal().sentence;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds{60}, [&] { return answer.has_value(); }));
    CHECK(contains(*answer, "certificate is of another name"));
    CHECK(a.refused() == "says it is b, and its certificate is of another name");
  }
  WHEN("it is no node of the config") {
    CHECK(contains(refused(settings_of("z"), cluster.files("z")), "no node of the config"));
  }
  WHEN("it answers as another than was dialled") {
    GateRig b(settings_of("b"), cluster.files("b"));
    const auto answer = b.dial("c", port);
    REQUIRE_FALSE(answer.has_value());
    CHECK(contains(answer.refusal().sentence, "answers as a, and c was dialled"));
  }
  WHEN("another authority has signed for it") {
    CHECK(contains(refused(settings_of("b"), others.files("b")), "TLS"));
    CHECK(contains(a.refused(), "TLS"));
  }
  WHEN("its certificate has expired") {
    auto order = cluster.order;
    order.days = -1;
    const auto files = make_node(order, "b");
    REQUIRE(files.has_value());
    const auto tls = tls_context(files.value(), "b");
    REQUIRE_FALSE(tls.has_value());
    CHECK(contains(tls.refusal().sentence, "has expired"));
  }
  WHEN("it speaks plain text") {
    Client client(port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.wait_for_end();
    CHECK(contains(a.refused(), "TLS"));
  }
  WHEN("it sends garbage") {
    Client client(port);
    client.send(std::string(4'096, '\xa5'));
    client.wait_for_end();
    CHECK(contains(a.refused(), "TLS"));
  }
  GateRig b(settings_of("b"), cluster.files("b"));
  const auto met = b.dial("a", port);
  REQUIRE(met.has_value());
  ::close(met.value().stream);
}

SCENARIO("a thousand silent connections cost what a few do, and are over in time", "[net][gate]") {
  const Cluster cluster;
  auto settings = settings_of("a");
  settings.handshake_max = std::chrono::milliseconds{300};
  settings.strangers_max = 16;
  GateRig a(settings, cluster.files("a"));
  asio::io_context context;
  std::vector<tcp::socket> silent;
  std::size_t most = 0;
  for (int i = 0; i < 1'000; ++i) {
    silent.emplace_back(context);
    std::error_code error;
    silent.back().connect({asio::ip::make_address("127.0.0.1"), a.gate().port()}, error);
    most = std::max(most, a.gate().strangers());
  }
  CHECK(most <= settings.strangers_max);
  for (auto& socket : silent) {  // each is closed by the gate, not by us
    std::array<char, 16> bytes{};
    std::error_code error;
    while (!error) socket.read_some(asio::buffer(bytes), error);
  }
  for (int i = 0; i < 1'000 && a.gate().strangers() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  CHECK(a.gate().strangers() == 0);
  CHECK(a.refusals().size() <= 2);  // once for each reason
  auto own = settings_of("b");
  GateRig b(own, cluster.files("b"));
  CHECK(b.dial("a", a.gate().port()).has_value());
}

SCENARIO("a slow peer has as long as any other", "[net][gate]") {
  const Cluster cluster;
  auto settings = settings_of("a");
  settings.handshake_max = std::chrono::milliseconds{200};
  GateRig a(settings, cluster.files("a"));
  Client client(a.gate().port());
  std::jthread drips([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      client.send("\x16");
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  });
  client.wait_for_end();
  CHECK(a.refused() != "");
}

SCENARIO("a node that nobody runs is a fault within the handshake's time", "[net][gate]") {
  const Cluster cluster;
  std::uint16_t gone = 0;
  {
    GateRig a(settings_of("a"), cluster.files("a"));
    gone = a.gate().port();
  }
  GateRig b(settings_of("b"), cluster.files("b"));
  const auto answer = b.dial("a", gone);
  REQUIRE_FALSE(answer.has_value());
  CHECK(contains(answer.refusal().sentence, "a can't be reached"));
}

SCENARIO("gates that stop at any moment of a handshake end", "[net][gate]") {
  const Cluster cluster;
  const auto a_files = cluster.files("a"), b_files = cluster.files("b");
  for (int i = 0; i < 100; ++i) {
    GateRig a(settings_of("a"), a_files);
    std::atomic<int> answers{0};
    int stream = -1;
    {
      GateRig b(settings_of("b"), b_files);
      b.gate().dial("a", "127.0.0.1", a.gate().port(),
                    [&](const Result<Gate::Dialled, GateFault>& given) {
                      if (given) stream = given.value().stream;
                      ++answers;
                    });
      std::this_thread::sleep_for(std::chrono::microseconds{i * 60});
    }
    CHECK(answers == 1);  // whatever it was
    if (stream >= 0) ::close(stream);
  }
}

SCENARIO("a key that others can read is not used", "[net][certificates]") {
  const Cluster cluster;
  const auto files = cluster.files("a");
  std::filesystem::permissions(files.key, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  const auto tls = tls_context(files, "a");
  REQUIRE_FALSE(tls.has_value());
  CHECK(contains(tls.refusal().sentence, "can be read by other users"));
  CHECK_FALSE(contains(tls.refusal().sentence, "PRIVATE"));
}

}  // namespace esper
