#pragma once
// Reads a positioned JSON tree into a described struct; collects mistakes instead of stopping.
#include <cmath>
#include <sstream>

#include "messages/result.hpp"
#include "runtime/config.hpp"
#include "runtime/config_keys.hpp"
#include "runtime/config_rules.hpp"
#include "runtime/json_positions.hpp"

namespace esper {

/// A number as a person writes it.
[[nodiscard]] inline std::string number_text(double value) {
  std::ostringstream text;
  text.precision(15);
  text << value;
  return text.str();
}

[[nodiscard]] inline std::string range_text(const KeyRule& rule) {
  const bool lower = std::isfinite(rule.minimum);
  const bool upper = std::isfinite(rule.maximum);
  if (rule.minimum == rule.maximum) return number_text(rule.minimum);
  std::string text;
  if (lower) text = (rule.minimum_excluded ? "above " : "at least ") + number_text(rule.minimum);
  if (upper) text += (lower ? " and at most " : "at most ") + number_text(rule.maximum);
  return text;
}

[[nodiscard]] inline bool in_range(double value, const KeyRule& rule) {
  return (rule.minimum_excluded ? value > rule.minimum : value >= rule.minimum) &&
         value <= rule.maximum;
}

/// What is wrong with the text itself, in the words of a mistake.
[[nodiscard]] ConfigMistake mistake_of(const JsonFlaw& flaw, const std::string& file);

/// What a reader knows of keys beside their types.
struct ReaderRules {
  /// Null for a key without a rule: a number has one.
  const KeyRule* (*rule_of)(std::string_view key);
  /// The valid key that was probably meant; "" when none is near.
  std::string (*nearest_key)(std::string_view section, std::string_view unknown);
};

class ConfigReader {
 public:
  /// `whole` is false for a text that broke off: what is missing then is no mistake of its own.
  /// `overrides`: their texts name the mistakes that stand in them.
  ConfigReader(std::string file, std::vector<std::string> overrides, bool whole, ReaderRules rules)
      : file_(std::move(file)), overrides_(std::move(overrides)), whole_(whole), rules_(rules) {}

  template <typename T>
  void read(const JsonNode& node, const std::string& key, T& value) {
    if (node.scalar.is_discarded()) return;  // reported as a flaw of the text already
    if constexpr (Described<T>)
      read_object(node, key, value);
    else if constexpr (IsVector<T>::value)
      read_list(node, key, value);
    else if (node.kind != JsonNode::Kind::scalar || !read_scalar(node, key, value))
      wrong_type<T>(node, key);
  }

  void report(const TextPosition& at, std::string key, std::string problem, std::string remedy,
              std::string nearest = "") {
    const bool in_file = at.line != 0;
    mistakes_.push_back({in_file ? file_ : "--set " + overrides_.at(at.column - 1), at.line,
                         in_file ? at.column : 0, std::move(key), std::move(problem),
                         std::move(nearest), std::move(remedy)});
  }

  [[nodiscard]] std::vector<ConfigMistake>& mistakes() { return mistakes_; }

 private:
  template <typename T>
  void wrong_type(const JsonNode& node, const std::string& key) {
    const auto expected = expected_type<T>();
    std::string found = "an object";
    if (node.kind == JsonNode::Kind::array) found = "a list";
    if (node.kind == JsonNode::Kind::scalar)
      found = node.scalar.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    report(node.at, key, found + " is not " + expected, "write " + expected);
  }

  template <typename T>
  void read_object(const JsonNode& node, const std::string& key, T& value) {
    if (node.kind != JsonNode::Kind::object) return wrong_type<T>(node, key);
    for (const auto& member : node.members) check_known<T>(member, key);
    for_each_field(value, [&](std::string_view name, auto& member) {
      const auto path = joined_key(key, name);
      if (const auto* found = node.find(name)) {
        read(*found, path, member);
      } else if (const auto* rule = rules_.rule_of(rule_key(path));
                 whole_ && rule && rule->required) {
        report(node.at, path, "missing",
               "add \"" + std::string{name} + "\": " + std::string{rule->description});
      }
    });
  }

  template <typename T>
  void check_known(const JsonMember& member, const std::string& key) {
    bool known = false;
    const T any{};
    for_each_field(any, [&](std::string_view name, const auto&) { known |= name == member.key; });
    if (known) return;
    auto nearest = rules_.nearest_key(rule_key(key), member.key);
    const auto remedy = nearest.empty() ? "remove it" : "write " + nearest + " or remove it";
    report(member.key_at, joined_key(key, member.key), "unknown key", remedy, std::move(nearest));
  }

  template <typename T>
  void read_list(const JsonNode& node, const std::string& key, std::vector<T>& values) {
    if (node.kind != JsonNode::Kind::array) return wrong_type<std::vector<T>>(node, key);
    values.clear();
    for (const auto& element : node.elements) {
      T value{};
      read(element, key + "[" + std::to_string(values.size()) + "]", value);
      values.push_back(std::move(value));
    }
  }

  /// False: the JSON value has another type.
  template <typename T>
  bool read_scalar(const JsonNode& node, const std::string& key, T& value) {
    const auto& json = node.scalar;
    if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) return false;
      value = json.get<bool>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) return false;
      value = json.get<std::string>();
    } else if constexpr (NamedEnum<T>) {
      const auto found =
          json.is_string() ? enum_from<T>(json.get_ref<const std::string&>()) : std::optional<T>{};
      if (!found) return false;
      value = *found;
    } else {
      if (!json.is_number()) return false;
      const double number = json.get<double>();
      if constexpr (std::is_integral_v<T>)
        if (!json.is_number_integer() && std::floor(number) != number) return false;
      read_number(node, key, number, value);
    }
    return true;
  }

  template <typename T>
  void read_number(const JsonNode& node, const std::string& key, double number, T& value) {
    auto general = rule_key(key);
    if (general.ends_with("[]")) general.resize(general.size() - 2);  // an element: its list's rule
    const auto* rule = rules_.rule_of(general);
    if (rule == nullptr) throw InvariantViolation("no rule for " + general);
    bool fits = in_range(number, *rule);
    if constexpr (std::is_integral_v<T>) {
      fits = fits && (std::is_signed_v<T> || number >= 0);
      if (node.scalar.is_number_float()) fits = fits && number <= detail::largest_exact;
      if (node.scalar.is_number_unsigned())
        fits = fits && node.scalar.get<std::uint64_t>() <=
                           static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    }
    if (!fits) {
      auto range = range_text(*rule);
      if constexpr (std::is_unsigned_v<T>)
        if (!std::isfinite(rule->maximum))
          range += " and at most " + std::to_string(std::numeric_limits<T>::max());
      report(node.at, key, node.scalar.dump() + " is out of range", "give " + range);
      return;
    }
    value = node.scalar.get<T>();
  }

  std::string file_;
  std::vector<std::string> overrides_;
  bool whole_;
  ReaderRules rules_;
  std::vector<ConfigMistake> mistakes_;
};

}  // namespace esper
