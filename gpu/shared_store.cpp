#include "gpu/shared_store.hpp"

#include <stdexcept>

#include "gpu/somebody_listens.hpp"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace esper {

namespace {

/// Without c10's trace of the stack.
template <typename Call>
auto plainly(const std::string& what, const Call& call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw std::runtime_error(what + ": " + error.what_without_backtrace());
  }
}

}  // namespace

struct SharedStore::Holder {
  c10::intrusive_ptr<c10d::TCPStore> table;
};

SharedStore::SharedStore(std::unique_ptr<Holder> holder, std::uint16_t port)
    : holder_(std::move(holder)), table_(holder_->table.get()), port_(port) {}

SharedStore::~SharedStore() = default;

std::shared_ptr<SharedStore> SharedStore::keep(std::uint16_t port,
                                               std::chrono::milliseconds patience) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = true;
  options.waitWorkers = false;
  options.timeout = patience;
  auto holder = std::make_unique<Holder>();
  plainly("the replicas' store cannot be kept at port " + std::to_string(port), [&] {
    holder->table = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    return 0;
  });
  const std::uint16_t bound = holder->table->getPort();
  return std::shared_ptr<SharedStore>(new SharedStore(std::move(holder), bound));
}

std::shared_ptr<SharedStore> SharedStore::reach(const std::string& host, std::uint16_t port,
                                                std::chrono::milliseconds patience) {
  const std::string what =
      "the replicas' store at " + host + ":" + std::to_string(port) + " cannot be reached";
  const auto until = std::chrono::steady_clock::now() + patience;
  if (!somebody_listens(host, port, patience))
    throw std::runtime_error(what + ": nobody listens there");
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  patience = std::max(left, std::chrono::milliseconds{100});
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = false;
  options.waitWorkers = false;
  options.timeout = patience;
  auto holder = std::make_unique<Holder>();
  plainly(what, [&] {
    holder->table = c10::make_intrusive<c10d::TCPStore>(host, options);
    return 0;
  });
  return std::shared_ptr<SharedStore>(new SharedStore(std::move(holder), port));
}

void SharedStore::set(const std::string& name, const std::string& bytes) {
  plainly("the replicas' store is gone", [&] {
    holder_->table->set(name, std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
    return 0;
  });
}

bool SharedStore::has(const std::string& name) {
  return plainly("the replicas' store is gone", [&] { return holder_->table->check({name}); });
}

std::optional<std::string> SharedStore::get(const std::string& name,
                                            std::chrono::milliseconds patience) {
  try {
    holder_->table->wait({name}, patience);
  } catch (const std::exception&) {
    // Too late, or no table any more: the next question tells which.
    if (!has(name)) return std::nullopt;
  }
  const auto bytes =
      plainly("the replicas' store is gone", [&] { return holder_->table->get(name); });
  return std::string(bytes.begin(), bytes.end());
}

std::int64_t SharedStore::add(const std::string& name, std::int64_t more) {
  return plainly("the replicas' store is gone", [&] { return holder_->table->add(name, more); });
}

}  // namespace esper
