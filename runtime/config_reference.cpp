#include "runtime/config_reader.hpp"

namespace esper {
namespace {

template <typename T>
std::string type_text() {
  if constexpr (IsVector<T>::value) {
    using Element = typename T::value_type;
    if constexpr (Described<Element>) return "list of objects";
    if constexpr (NamedEnum<Element>) return "list of " + type_text<Element>();
    if constexpr (std::is_same_v<Element, std::string>) return "list of texts";
    return "list of numbers";
  } else if constexpr (NamedEnum<T>) {
    std::string names;
    for (const auto name : EnumNames<T>::values)
      names += (names.empty() ? "`" : ", `") + std::string{name} + "`";
    return names;
  } else {  // "a whole number": the article goes
    const auto text = expected_type<T>();
    return text.starts_with("a ") ? text.substr(2) : text;
  }
}

template <typename T>
std::string default_text(const T& value, const KeyRule& rule) {
  return rule.required ? "required" : "`" + to_json(value, Floats::plain).dump() + "`";
}

/// A line of the table for each key of `section`; the tables of the sections in it after that.
template <typename T>
std::string section_text(const T& section, const std::string& path) {
  std::string table = "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";
  std::string inner;
  for_each_field(section, [&]<typename Member>(std::string_view name, const Member& member) {
    const auto key = joined_key(path, name);
    const auto* rule = rule_of(key);
    if (rule == nullptr) throw InvariantViolation("no rule for " + key);
    const auto head = "\n### `" + key + "`\n\n" + std::string{rule->description} + "\n\n";
    if constexpr (Described<Member>) {
      inner += head + section_text(member, key);
    } else {
      const auto range = range_text(*rule);
      table += "| `" + key + "` | " + type_text<Member>() + " | " + default_text(member, *rule) +
               " | " + (range.empty() ? "-" : range) + " | " + std::string{rule->description} +
               " |\n";
      if constexpr (IsVector<Member>::value)
        if constexpr (Described<typename Member::value_type>)
          inner += "\n### `" + key + "[]`\n\nOne element of `" + key + "`.\n\n" +
                   section_text(typename Member::value_type{}, key + "[]");
    }
  });
  return table + inner;
}

}  // namespace

std::string config_reference() { return section_text(RunConfig{}, ""); }

}  // namespace esper
