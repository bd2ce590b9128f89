// The table where replicas find each other, its keeper gone, or there and silent.
#include <future>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gpu/name_lookup.hpp"
#include "gpu/shared_store.hpp"
#include "gpu/table_connection.hpp"
#include "gpu/table_keeper.hpp"
#include "tests/gpu/catch.hpp"

using namespace esper;
using std::chrono::milliseconds;

namespace {

/// Takes connections, as a process that is stopped does, and answers nothing.
class Silent {
 public:
  Silent() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, any, size) != 0 || ::listen(socket_, 64) != 0 ||
        ::getsockname(socket_, any, &size) != 0)
      throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
  }
  ~Silent() { close(); }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_{};
};

TableConnection::Clock::time_point in(milliseconds patience) {
  return TableConnection::Clock::now() + patience;
}

TableConnection::Found opened(std::uint16_t port) {
  return TableConnection().open("127.0.0.1", port, in(milliseconds{5'000}));
}

}  // namespace

// Each of these stands for ever where a call has no deadline: ctest's time limit tells.
SCENARIO("a table whose keeper is silent is not waited for", "[replicas][store]") {
  Silent keeper;
  CHECK(opened(keeper.port()) == TableConnection::Found::open);
  CHECK(SharedStore::find("127.0.0.1", keeper.port(), {milliseconds{300}, milliseconds{300}}) ==
        nullptr);
  CHECK_THROWS_WITH(SharedStore::reach("127.0.0.1", keeper.port(), milliseconds{300}),
                    Catch::Contains(std::to_string(keeper.port()) + " cannot be reached"));
  keeper.close();
  CHECK(opened(keeper.port()) == TableConnection::Found::refused);
  CHECK(SharedStore::find("127.0.0.1", keeper.port(), {milliseconds{60'000}, milliseconds{1}}) ==
        nullptr);
}

SCENARIO("a table whose connection broke says why, whenever it is asked", "[replicas][store]") {
  Silent keeper;
  TableConnection guest;
  REQUIRE(guest.open("127.0.0.1", keeper.port(), in(milliseconds{5'000})) ==
          TableConnection::Found::open);
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_WITH(guest.call({TableCall::count}, in(milliseconds{i == 0 ? 50 : 60'000})),
                      "no answer in time");
}

// The lookup stands until the end of the scenario: waiting for it would never end.
SCENARIO("a name server that does not answer is not waited for", "[replicas][store]") {
  std::promise<void> over;
  const NameLookup stands = [until = over.get_future().share()](auto&...) {
    until.wait();
    return AddressList{};
  };
  const NameLookup answers = [](const std::string& host, const std::string& port) {
    return host == "node-b" ? look_up("127.0.0.2", port) : nullptr;
  };
  CHECK(addresses_of("node-b", 1, in(milliseconds{50}), stands) == nullptr);
  CHECK(addresses_of("node-b", 1, in(milliseconds{60'000}), answers) != nullptr);
  CHECK(addresses_of("node-c", 1, in(milliseconds{60'000}), answers) == nullptr);
  GIVEN("an address: no name server is asked") {
    for (const char* address : {"127.0.0.1", "::1"})
      CHECK(addresses_of(address, 1, in(milliseconds{60'000}), stands) != nullptr);
  }
  over.set_value();
}

SCENARIO("a call of a table ends when nobody waits for its keeper any more", "[replicas][store]") {
  const auto keeper = SharedStore::keep(0, milliseconds{60'000});
  const auto table =
      SharedStore::find("127.0.0.1", keeper->port(), {milliseconds{60'000}, milliseconds{60'000}});
  REQUIRE(table);
  table->set("name", "bytes");
  CHECK(keeper->get("name", milliseconds{60'000}) == "bytes");
  CHECK(keeper->get("other", milliseconds{20}) == std::nullopt);

  auto waits = std::async(std::launch::async, [&] {
    try {
      (void)table->get("never", milliseconds{3'600'000});
      return std::string{"came"};
    } catch (const std::runtime_error& failure) {
      return std::string{failure.what()};
    }
  });
  std::this_thread::sleep_for(milliseconds{50});
  table->give_up();
  CHECK_THAT(waits.get(), Catch::Contains("nobody waits for it any more"));
  CHECK_THROWS_AS(table->has("name"), std::runtime_error);
  CHECK(keeper->has("name"));
}

SCENARIO("a table keeps names, bytes and counters, and is bounded", "[replicas][store]") {
  Table table;
  const auto set = [&](const std::string& name, const std::string& bytes) {
    return table.take({TableCall::set, 0, name, bytes}).status;
  };
  CHECK(table.take({TableCall::get, 0, "name"}).status == TableStatus::absent);
  CHECK(set("name", std::string("a\0b", 3)) == TableStatus::done);
  CHECK(table.take({TableCall::get, 0, "name"}).bytes == std::string("a\0b", 3));
  CHECK(table.take({TableCall::add, 3, "counter"}).number == 3);
  CHECK(table.take({TableCall::add, -5, "counter"}).number == -2);
  CHECK(table.take({TableCall::get, 0, "counter"}).bytes == "-2");
  CHECK(table.take({TableCall::add, 1, "name"}).status == TableStatus::not_a_number);
  CHECK(table.take({TableCall::count}).number == 2);
  CHECK(table.take({TableCall::remove, 0, "name"}).status == TableStatus::done);
  CHECK(table.take({TableCall::has, 0, "name"}).status == TableStatus::absent);

  const std::string large(table_value_max, 'x');
  std::size_t held = 0;
  while (set("large " + std::to_string(held), large) == TableStatus::done) ++held;
  CHECK(held == 63);  // 64 MiB, less the names and the counter
  CHECK(set("large 0", "small") == TableStatus::done);
  CHECK(set("again", large) == TableStatus::done);
}

SCENARIO("whoever says what no replica says is let go, and the others are served",
         "[replicas][store]") {
  const auto keeper = SharedStore::keep(0, milliseconds{60'000});
  const auto until = in(milliseconds{60'000});
  for (const TableRequest& wrong :
       {TableRequest{static_cast<TableCall>(table_calls), 0, "name"},
        TableRequest{TableCall::set, 0, std::string(table_name_max + 1, 'x')}}) {
    TableConnection guest;
    REQUIRE(guest.open("127.0.0.1", keeper->port(), until) == TableConnection::Found::open);
    CHECK_THROWS_AS(guest.call(wrong, until), TableGone);
  }
  CHECK(keeper->add("counter", 1) == 1);
  CHECK_THROWS_WITH(SharedStore::keep(keeper->port(), milliseconds{1'000}),
                    Catch::Contains("cannot be kept at port " + std::to_string(keeper->port())));
}
