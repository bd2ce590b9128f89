#pragma once
// A kept table as c10d's process groups take it.
#include <mutex>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "gpu/table_connection.hpp"

namespace esper {

/// Errors of every call: c10::Error, when the keeper is gone, does not answer in time, or has no
/// room.
class TableStore final : public c10d::Store {
 public:
  using Clock = TableConnection::Clock;
  /// answer  how long each may take; also what `get` and `wait` wait for a name, when not told
  TableStore(std::unique_ptr<TableConnection> connection, std::chrono::milliseconds answer)
      : Store(answer), connection_(std::move(connection)), answer_(answer) {}

  void give_up() noexcept { connection_->give_up(); }

  /// The same: its calls wait for each other, from whatever threads.
  c10::intrusive_ptr<c10d::Store> clone() override;
  void set(const std::string& key, const std::vector<std::uint8_t>& value) override;
  std::vector<std::uint8_t> get(const std::string& key) override;
  std::int64_t add(const std::string& key, std::int64_t value) override;
  bool deleteKey(const std::string& key) override;
  bool check(const std::vector<std::string>& keys) override;
  std::int64_t getNumKeys() override;
  void wait(const std::vector<std::string>& keys) override { wait(keys, timeout_); }
  void wait(const std::vector<std::string>& keys,
            const std::chrono::milliseconds& timeout) override;
  using Store::set;

 private:
  TableAnswer ask(const TableRequest& request);

  std::timed_mutex one_at_a_time_;
  std::unique_ptr<TableConnection> connection_;
  std::chrono::milliseconds answer_;
};

}  // namespace esper
