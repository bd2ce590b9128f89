#include <cmath>

#include "messages/result.hpp"
#include "runtime/config.hpp"
#include "runtime/config_keys.hpp"
#include "runtime/config_rules.hpp"

namespace esper {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json schema_of(const T& value, const std::string& key);

/// A whole bound without a fraction, as readers of schemas expect.
Json bound(double value) {
  if (value == std::floor(value) && std::abs(value) <= detail::largest_exact)
    return static_cast<std::int64_t>(value);
  return value;
}

template <typename T>
Json number_schema(const KeyRule& rule) {
  Json schema{{"type", std::is_integral_v<T> ? "integer" : "number"}};
  if (std::isfinite(rule.minimum))
    schema[rule.minimum_excluded ? "exclusiveMinimum" : "minimum"] = bound(rule.minimum);
  if (std::isfinite(rule.maximum)) schema["maximum"] = bound(rule.maximum);
  return schema;
}

template <typename T>
Json object_schema(const T& object, const std::string& section) {
  Json schema{{"type", "object"}, {"additionalProperties", false}};
  auto required = Json::array();
  auto properties = Json::object();
  for_each_field(object, [&](std::string_view name, const auto& member) {
    const auto key = joined_key(section, name);
    const auto* rule = rule_of(key);
    if (rule == nullptr) throw InvariantViolation("no rule for " + key);
    properties[std::string{name}] = schema_of(member, key);
    if (rule->required) required.push_back(std::string{name});
  });
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

/// One value's type and bounds, without description and default.
template <typename T>
Json type_schema(const T& value, const std::string& key, const KeyRule& rule) {
  if constexpr (std::is_same_v<T, bool>)
    return {{"type", "boolean"}};
  else if constexpr (std::is_arithmetic_v<T>)
    return number_schema<T>(rule);
  else if constexpr (std::is_same_v<T, std::string>)
    return {{"type", "string"}};
  else if constexpr (NamedEnum<T>)
    return {{"enum", EnumNames<T>::values}};
  else if constexpr (IsVector<T>::value) {
    const typename T::value_type element{};
    return {{"type", "array"}, {"items", type_schema(element, key + "[]", rule)}};
  } else
    return object_schema(value, key);
}

template <typename T>
Json schema_of(const T& value, const std::string& key) {
  const auto& rule = *rule_of(key);
  Json schema{{"description", rule.description}};
  schema.update(type_schema(value, key, rule));
  if (!rule.required && !Described<T>) schema["default"] = to_json(value, Floats::plain);
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Configuration of an Esper run"}};
  schema.update(object_schema(RunConfig{}, ""));
  return schema.dump(2) + "\n";
}

}  // namespace esper
