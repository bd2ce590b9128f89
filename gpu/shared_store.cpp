#include "gpu/shared_store.hpp"

#include <stdexcept>
#include <thread>

#include "gpu/table_keeper.hpp"
#include "gpu/table_store.hpp"

namespace esper {

namespace {

using Clock = TableConnection::Clock;
using std::chrono::milliseconds;
constexpr milliseconds look{20};

/// Without c10's trace of the stack.
template <typename Call>
auto plainly(const Call& call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw std::runtime_error(std::string{"the replicas' store is gone: "} +
                             error.what_without_backtrace());
  }
}

milliseconds left_until(Clock::time_point until) {
  return std::max(std::chrono::duration_cast<milliseconds>(until - Clock::now()), milliseconds{0});
}

}  // namespace

struct SharedStore::Holder {
  std::unique_ptr<TableKeeper> keeper;  ///< null: it is kept elsewhere
  c10::intrusive_ptr<TableStore> table;
};

SharedStore::SharedStore(std::unique_ptr<Holder> holder, std::uint16_t port)
    : holder_(std::move(holder)), table_(holder_->table.get()), port_(port) {}

SharedStore::~SharedStore() = default;

std::shared_ptr<SharedStore> SharedStore::keep(std::uint16_t port, milliseconds patience) {
  auto holder = std::make_unique<Holder>();
  try {
    holder->keeper = std::make_unique<TableKeeper>(port);
  } catch (const std::runtime_error& failure) {
    throw std::runtime_error("the replicas' store cannot be kept at port " + std::to_string(port) +
                             ": " + failure.what());
  }
  const std::uint16_t bound = holder->keeper->port();
  auto connection = std::make_unique<TableConnection>();
  if (connection->open("127.0.0.1", bound, Clock::now() + patience) != TableConnection::Found::open)
    throw std::runtime_error("the replicas' store at port " + std::to_string(bound) +
                             " cannot be reached from its own process");
  holder->table = c10::make_intrusive<TableStore>(std::move(connection), patience);
  return std::shared_ptr<SharedStore>(new SharedStore(std::move(holder), bound));
}

std::shared_ptr<SharedStore> SharedStore::find(const std::string& host, std::uint16_t port,
                                               TablePatience patience) {
  const auto until = Clock::now() + patience.connect;
  auto connection = std::make_unique<TableConnection>();
  if (connection->open(host, port, until) != TableConnection::Found::open) return nullptr;
  try {
    // A process that is stopped is connected to, and answers nothing.
    (void)connection->call({TableCall::count}, until);
  } catch (const TableGone&) {
    return nullptr;
  }
  auto holder = std::make_unique<Holder>();
  holder->table = c10::make_intrusive<TableStore>(std::move(connection), patience.answer);
  return std::shared_ptr<SharedStore>(new SharedStore(std::move(holder), port));
}

std::shared_ptr<SharedStore> SharedStore::reach(const std::string& host, std::uint16_t port,
                                                milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (true) {
    if (auto table = find(host, port, {left_until(until), patience})) return table;
    if (left_until(until).count() == 0)
      throw std::runtime_error("the replicas' store at " + host + ":" + std::to_string(port) +
                               " cannot be reached");
    std::this_thread::sleep_for(std::min(look, left_until(until)));
  }
}

void SharedStore::give_up() noexcept { holder_->table->give_up(); }

void SharedStore::set(const std::string& name, const std::string& bytes) {
  plainly([&] {
    holder_->table->set(name, std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
    return 0;
  });
}

bool SharedStore::has(const std::string& name) {
  return plainly([&] { return holder_->table->check({name}); });
}

std::optional<std::string> SharedStore::get(const std::string& name, milliseconds patience) {
  try {
    holder_->table->wait({name}, patience);
  } catch (const std::exception&) {
    // Too late, or no table any more: the next question tells which.
    if (!has(name)) return std::nullopt;
  }
  const auto bytes = plainly([&] { return holder_->table->get(name); });
  return std::string(bytes.begin(), bytes.end());
}

std::int64_t SharedStore::add(const std::string& name, std::int64_t more) {
  return plainly([&] { return holder_->table->add(name, more); });
}

}  // namespace esper
