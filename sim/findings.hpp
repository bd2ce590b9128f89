#pragma once
// What a simulation's checkers hold against it.
#include <string>
#include <vector>

#include "messages/schema.hpp"

namespace esper::sim {

struct Violation {
  std::string invariant;  ///< "LEDGER-2", or what else was promised
  std::uint64_t at_ms{};
  std::string what;

  static constexpr auto schema =
      record("Violation", field("invariant", &Violation::invariant),
             field("at_ms", &Violation::at_ms), field("what", &Violation::what));
};

class Findings {
 public:
  /// Kept are the first few; the first is what counts.
  void report(std::string invariant, std::string what) {
    ++count_;
    if (found_.size() < kept_max)
      found_.push_back({std::move(invariant), now_ms_, std::move(what)});
  }
  void at(std::uint64_t now_ms) { now_ms_ = now_ms; }
  [[nodiscard]] const std::vector<Violation>& found() const { return found_; }
  [[nodiscard]] bool clean() const { return count_ == 0; }

 private:
  static constexpr std::size_t kept_max = 20;
  std::vector<Violation> found_;
  std::uint64_t count_{}, now_ms_{};
};

}  // namespace esper::sim
