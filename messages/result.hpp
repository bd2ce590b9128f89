#pragma once
// A value or a refusal. Refusals and faults are values; bugs throw.
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace esper {

/// A bug, never bad input: ends the actor that meets it; its supervisor takes over.
struct InvariantViolation : std::logic_error {
  using std::logic_error::logic_error;
};

/// Either a T or an enumerator E that says why not.
template <typename T, typename E>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(*-explicit-*)
  Result(E refusal) : content_(std::in_place_index<1>, refusal) {}         // NOLINT(*-explicit-*)

  [[nodiscard]] bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] const T& value() const {
    if (!has_value()) throw InvariantViolation("value() of a refusal");
    return std::get<0>(content_);
  }
  [[nodiscard]] T& value() {
    if (!has_value()) throw InvariantViolation("value() of a refusal");
    return std::get<0>(content_);
  }
  [[nodiscard]] E refusal() const {
    if (has_value()) throw InvariantViolation("refusal() of a value");
    return std::get<1>(content_);
  }

 private:
  std::variant<T, E> content_;
};

/// The value of an operation that returns nothing.
struct Done {};

}  // namespace esper
