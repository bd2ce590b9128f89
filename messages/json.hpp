#pragma once
// Schema to JSON and back. `exact` writes floats as the hexadecimal of their bits (the journal's
// canonical text); `plain` writes numbers for people and tools.
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "messages/schema.hpp"

namespace esper {

enum class Floats { exact, plain };

/// Text that is not the JSON of the asked type; names the field.
struct MalformedJson : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {

inline nlohmann::json float_to_json(double value, Floats floats) {
  if (floats == Floats::exact) {
    std::array<char, 19> text{};
    std::snprintf(text.data(), text.size(), "0x%016llx",
                  static_cast<unsigned long long>(std::bit_cast<std::uint64_t>(value)));
    return text.data();
  }
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

inline double float_from_json(const nlohmann::json& json) {
  if (json.is_number()) return json.get<double>();
  const auto& text = json.get_ref<const std::string&>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  std::uint64_t bits = 0;
  const char* const end = text.data() + text.size();
  if (text.size() != 18 || !text.starts_with("0x") ||
      std::from_chars(text.data() + 2, end, bits, 16).ptr != end)
    throw MalformedJson("not a float: " + text);
  return std::bit_cast<double>(bits);
}

}  // namespace detail

template <typename T>
nlohmann::json to_json(const T& value, Floats floats) {
  if constexpr (std::is_floating_point_v<T>)
    return detail::float_to_json(value, floats);
  else if constexpr (NamedEnum<T>)
    return std::string{name_of(value)};
  else if constexpr (IsStrong<T>::value)
    return value.value;
  else if constexpr (std::is_same_v<T, Energy>)
    return value.thousandths;
  else if constexpr (IsVector<T>::value) {
    auto array = nlohmann::json::array();
    for (const auto& element : value) array.push_back(to_json(element, floats));
    return array;
  } else if constexpr (IsOptional<T>::value) {
    return value ? to_json(*value, floats) : nlohmann::json{};
  } else if constexpr (Described<T>) {
    auto object = nlohmann::json::object();
    for_each_field(value, [&](std::string_view name, const auto& member) {
      object[std::string{name}] = to_json(member, floats);
    });
    return object;
  } else {
    return value;
  }
}

template <typename T>
void from_json(const nlohmann::json& json, T& value) {
  if constexpr (std::is_floating_point_v<T>)
    value = static_cast<T>(detail::float_from_json(json));
  else if constexpr (NamedEnum<T>) {
    const auto found = enum_from<T>(json.get_ref<const std::string&>());
    if (!found) throw MalformedJson("unknown name: " + json.dump());
    value = *found;
  } else if constexpr (IsStrong<T>::value)
    value.value = json.get<typename T::representation>();
  else if constexpr (std::is_same_v<T, Energy>)
    value.thousandths = json.get<std::int64_t>();
  else if constexpr (IsVector<T>::value) {
    value.clear();
    for (const auto& element : json) {
      value.emplace_back();
      from_json(element, value.back());
    }
  } else if constexpr (IsOptional<T>::value) {
    value.reset();
    if (!json.is_null()) from_json(json, value.emplace());
  } else if constexpr (Described<T>) {
    for_each_field(value, [&](std::string_view name, auto& member) {
      const auto found = json.find(std::string{name});
      if (found == json.end())
        throw MalformedJson(std::string{T::schema.name} + " lacks " + std::string{name});
      from_json(*found, member);
    });
  } else {
    value = json.get<T>();
  }
}

/// The journal's text of a message: keys sorted, floats exact, no spaces.
template <Described T>
std::string canonical(const T& message) {
  return to_json(message, Floats::exact).dump();
}

/// Throws MalformedJson or one of nlohmann's exceptions when `text` is not a T.
template <Described T>
T parsed(std::string_view text) {
  T message{};
  from_json(nlohmann::json::parse(text), message);
  return message;
}

}  // namespace esper
