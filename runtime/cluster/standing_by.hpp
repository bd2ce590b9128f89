#pragma once
// A standby's wait for the prime's end, beside whatever else its node does.
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "messages/interfaces.hpp"
#include "runtime/journal_book.hpp"

namespace esper {

/// What a standby has taken over.
struct StoodBy {
  std::unique_ptr<JournalBook> journal;  ///< this process writes it from now on
  std::string run;                       ///< its name in the database
};

class StandingBy {
 public:
  /// Begins to wait. `log` outlives it.
  StandingBy(const RunConfig& config, std::string run, Log& log);
  ~StandingBy();
  StandingBy(const StandingBy&) = delete;
  StandingBy& operator=(const StandingBy&) = delete;

  /// Null: the prime leads still.
  [[nodiscard]] std::unique_ptr<StoodBy> taken();
  [[nodiscard]] const std::string& run() const { return run_; }

 private:
  void wait();

  const ClusterConfig cluster_;
  const std::string run_;
  Log& log_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::unique_ptr<StoodBy> taken_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace esper
