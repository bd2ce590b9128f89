#pragma once
// What simulations came through: a row for every fault, transition, refusal, verdict and breaker
// that there is, also for those that never came.
#include <map>
#include <string>
#include <vector>

#include "sim/seen_turn.hpp"

namespace esper::sim {

class Coverage {
 public:
  /// Every row at 0.
  Coverage();

  void take(const SeenTurn& turn);
  void count(const std::string& row, std::uint64_t times = 1) { rows_[row] += times; }
  void add(const Coverage& other);
  [[nodiscard]] const std::map<std::string, std::uint64_t>& rows() const { return rows_; }
  [[nodiscard]] std::vector<std::string> empty_rows() const;

 private:
  std::map<std::string, std::uint64_t> rows_;
};

}  // namespace esper::sim
