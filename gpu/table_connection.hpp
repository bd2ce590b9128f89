#pragma once
// A connection to a table: every call has a deadline, and can be given up.
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "gpu/table_frames.hpp"

namespace esper {

/// The keeper is gone, or does not answer in time. A clause.
struct TableGone : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class TableConnection {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Found : std::uint8_t {
    open,
    refused,  ///< nobody listens there: the process is gone, or not there yet
    silent,   ///< not within the time: nobody knows
  };

  TableConnection() = default;
  ~TableConnection();
  TableConnection(const TableConnection&) = delete;
  TableConnection& operator=(const TableConnection&) = delete;

  /// Once. host  a name or an address
  [[nodiscard]] Found open(const std::string& host, std::uint16_t port, Clock::time_point until);
  /// One thread at a time. Errors: TableGone; the connection is of no use then, and each later call
  /// says why.
  [[nodiscard]] TableAnswer call(const TableRequest& request, Clock::time_point until);
  /// Every call ends now, and each to come. From any thread.
  void give_up() noexcept { given_up_ = true; }

 private:
  /// Until the connection takes or has bytes.
  void await(short events, Clock::time_point until) const;
  void send(const std::string& bytes, Clock::time_point until) const;
  void receive(char* bytes, std::size_t count, Clock::time_point until) const;

  int socket_{-1};
  std::string broken_;  ///< why it is of no use; "": it is
  std::atomic<bool> given_up_{};
};

}  // namespace esper
