#pragma once
// Where the replicas of one training find each other: a table of names and bytes that one of them
// keeps and all reach. No tensor crosses it.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace c10d {
class Store;
}

namespace esper {

struct TablePatience {
  std::chrono::milliseconds connect;  ///< until it is reached
  std::chrono::milliseconds answer;   ///< for each, and for a name that is not there yet
};

class SharedStore {
 public:
  /// Keeps a table and reaches it. port  0: any that is free  patience  of an answer
  /// Errors: std::runtime_error, one sentence, for a port that is taken.
  [[nodiscard]] static std::shared_ptr<SharedStore> keep(std::uint16_t port,
                                                         std::chrono::milliseconds patience);
  /// A table that another process keeps. Null: nobody listens there now, or it is not reached in
  /// time.
  [[nodiscard]] static std::shared_ptr<SharedStore> find(const std::string& host,
                                                         std::uint16_t port,
                                                         TablePatience patience);
  /// The same, of one that may come within `patience`.
  /// Errors: std::runtime_error, one sentence with the address, when it does not.
  [[nodiscard]] static std::shared_ptr<SharedStore> reach(const std::string& host,
                                                          std::uint16_t port,
                                                          std::chrono::milliseconds patience);
  ~SharedStore();
  SharedStore(const SharedStore&) = delete;
  SharedStore& operator=(const SharedStore&) = delete;

  /// Every call ends with an error from now on, one that waits too. From any thread.
  void give_up() noexcept;

  // Errors of all: std::runtime_error when the table's keeper is gone, or does not answer in time.
  void set(const std::string& name, const std::string& bytes);
  /// Waits until it is there. Nothing: it did not come within `patience`.
  [[nodiscard]] std::optional<std::string> get(const std::string& name,
                                               std::chrono::milliseconds patience);
  [[nodiscard]] bool has(const std::string& name);
  /// A counter, 0 at first; its value with `more`.
  std::int64_t add(const std::string& name, std::int64_t more);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// As c10d's process groups take it; lives as long as this.
  [[nodiscard]] c10d::Store& table() { return *table_; }

 private:
  struct Holder;
  explicit SharedStore(std::unique_ptr<Holder> holder, std::uint16_t port);
  std::unique_ptr<Holder> holder_;
  c10d::Store* table_;
  std::uint16_t port_;
};

}  // namespace esper
