#pragma once
// The schema's keys as paths, and how a value of each type is read from JSON.
#include <limits>
#include <string>
#include <string_view>

#include "messages/configuration.hpp"
#include "messages/json.hpp"

namespace esper {

[[nodiscard]] inline std::string joined_key(std::string_view section, std::string_view key) {
  return section.empty() ? std::string{key} : std::string{section} + "." + std::string{key};
}

/// "a[2].b" -> "a[].b": the key that a rule is written for.
[[nodiscard]] inline std::string rule_key(std::string_view key) {
  std::string general;
  bool inside = false;
  for (const char c : key) {
    if (c == ']') inside = false;
    if (!inside) general += c;
    if (c == '[') inside = true;
  }
  return general;
}

/// Calls `visit(path, member)` for every key of `object` and of its sections, sections first; of
/// lists of objects, for one default element.
template <typename T, typename Visitor>
void for_each_key(const T& object, std::string_view section, Visitor&& visit) {
  for_each_field(object, [&](std::string_view name, const auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    const auto path = joined_key(section, name);
    visit(path, member);
    if constexpr (Described<Member>) {
      for_each_key(member, path, visit);
    } else if constexpr (IsVector<Member>::value) {
      if constexpr (Described<typename Member::value_type>)
        for_each_key(typename Member::value_type{}, path + "[]", visit);
    }
  });
}

/// What a person should write for a T.
template <typename T>
std::string expected_type() {
  if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_integral_v<T>)
    return "a whole number";
  else if constexpr (std::is_floating_point_v<T>)
    return "a number";
  else if constexpr (std::is_same_v<T, std::string>)
    return "a text";
  else if constexpr (NamedEnum<T>) {
    std::string names;
    for (const auto name : EnumNames<T>::values)
      names += (names.empty() ? "\"" : ", \"") + std::string{name} + "\"";
    return "one of " + names;
  } else if constexpr (IsVector<T>::value)
    return "a list";
  else
    return "an object";
}

}  // namespace esper
