#pragma once
// The journal's text without a tree of JSON in between: the same bytes as `canonical` writes, and
// read back directly where the text is what `canonical` writes.
#include <algorithm>
#include <cstring>

#include "messages/json.hpp"

namespace esper {

namespace detail {

template <typename T>
void write_text(std::string& out, const T& value);

inline void write_string(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char letter) {
    return letter >= ' ' && letter < '\x7f' && letter != '"' && letter != '\\';
  });
  if (plain)
    out.append(1, '"').append(text).append(1, '"');
  else
    out += nlohmann::json(text).dump();  // escapes as the tree does
}

template <typename Number>
void write_number(std::string& out, Number value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

inline void write_bits(std::string& out, double value) {
  constexpr std::string_view hex = "0123456789abcdef";
  auto bits = std::bit_cast<std::uint64_t>(value);
  std::array<char, 20> text{'"', '0', 'x'};
  for (std::size_t place = 19; place-- > 3; bits >>= 4U) text[place] = hex[bits & 15U];
  text[19] = '"';
  out.append(text.data(), text.size());
}

/// Name with its quotes and colon, and how that member is written and read; sorted by name.
template <typename T>
struct TextField {
  std::string_view name;
  std::string key;
  void (*write)(std::string&, const T&);
  bool (*read)(const char*&, const char*, T&);
};

template <typename T>
bool read_text(const char*& at, const char* end, T& value);

template <Described T>
const auto& text_fields() {
  static const auto fields = [] {
    static_assert(complete_schema<T>(), "the schema forgets a member");
    constexpr std::size_t count = std::remove_cvref_t<decltype(T::schema)>::size;
    std::array<TextField<T>, count> all;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((all[I] = {std::get<I>(T::schema.fields).name,
                  "\"" + std::string{std::get<I>(T::schema.fields).name} + "\":",
                  [](std::string& out, const T& object) {
                    write_text(out, object.*(std::get<I>(T::schema.fields).pointer));
                  },
                  [](const char*& at, const char* end, T& object) {
                    return read_text(at, end, object.*(std::get<I>(T::schema.fields).pointer));
                  }}),
       ...);
    }
    (std::make_index_sequence<count>{});
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return all;
  }();
  return fields;
}

template <typename T>
void write_text(std::string& out, const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    write_bits(out, value);
  } else if constexpr (NamedEnum<T>) {
    write_string(out, name_of(value));
  } else if constexpr (IsStrong<T>::value) {
    write_text(out, value.value);
  } else if constexpr (std::is_same_v<T, Energy>) {
    write_number(out, value.thousandths);
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, std::string>) {
    write_string(out, value);
  } else if constexpr (IsVector<T>::value) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      write_text(out, value[i]);
    }
    out += ']';
  } else if constexpr (IsOptional<T>::value) {
    if (value)
      write_text(out, *value);
    else
      out += "null";
  } else if constexpr (Described<T>) {
    out += '{';
    bool first = true;
    for (const auto& field : text_fields<T>()) {
      if (!std::exchange(first, false)) out += ',';
      out += field.key;
      field.write(out, value);
    }
    out += '}';
  } else {
    static_assert(std::is_integral_v<T>);
    write_number(out, value);
  }
}

inline bool take(const char*& at, const char* end, std::string_view text) {
  if (static_cast<std::size_t>(end - at) < text.size() ||
      std::memcmp(at, text.data(), text.size()) != 0)
    return false;
  at += text.size();
  return true;
}

/// A text without escapes; `found` lies in what is read.
inline bool read_plain(const char*& at, const char* end, std::string_view& found) {
  if (!take(at, end, "\"")) return false;
  const char* const begin = at;
  while (at != end && *at != '"' && *at != '\\') ++at;
  if (at == end || *at != '"') return false;
  found = {begin, static_cast<std::size_t>(at - begin)};
  ++at;
  return true;
}

template <typename T>
bool read_items(const char*& at, const char* end, std::vector<T>& values) {
  values.clear();
  if (!take(at, end, "[")) return false;
  if (take(at, end, "]")) return true;
  do {
    values.emplace_back();
    if (!read_text(at, end, values.back())) return false;
  } while (take(at, end, ","));
  return take(at, end, "]");
}

template <typename T>
bool read_text(const char*& at, const char* end, T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    std::string_view text;
    if (!read_plain(at, end, text) || text.size() != 18 || !text.starts_with("0x")) return false;
    std::uint64_t bits = 0;
    const char* const last = text.data() + text.size();
    if (std::from_chars(text.data() + 2, last, bits, 16).ptr != last) return false;
    value = static_cast<T>(std::bit_cast<double>(bits));
    return true;
  } else if constexpr (NamedEnum<T>) {
    std::string_view text;
    if (!read_plain(at, end, text)) return false;
    const auto found = enum_from<T>(text);
    if (found) value = *found;
    return found.has_value();
  } else if constexpr (IsStrong<T>::value) {
    return read_text(at, end, value.value);
  } else if constexpr (std::is_same_v<T, Energy>) {
    return read_text(at, end, value.thousandths);
  } else if constexpr (std::is_same_v<T, bool>) {
    value = take(at, end, "true");
    return value || take(at, end, "false");
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (!read_plain(at, end, text)) return false;
    value = text;
    return true;
  } else if constexpr (IsVector<T>::value) {
    return read_items(at, end, value);
  } else if constexpr (IsOptional<T>::value) {
    value.reset();
    return take(at, end, "null") || read_text(at, end, value.emplace());
  } else if constexpr (Described<T>) {
    bool first = true;
    if (!take(at, end, "{")) return false;
    for (const auto& field : text_fields<T>()) {
      if (!std::exchange(first, false) && !take(at, end, ",")) return false;
      if (!take(at, end, field.key) || !field.read(at, end, value)) return false;
    }
    return take(at, end, "}");
  } else {
    static_assert(std::is_integral_v<T>);
    const auto read = std::from_chars(at, end, value);
    if (read.ec != std::errc{}) return false;
    at = read.ptr;
    return true;
  }
}

}  // namespace detail

/// What `canonical(message)` gives, byte for byte.
template <Described T>
std::string canonical_text(const T& message) {
  std::string text;
  detail::write_text(text, message);
  return text;
}

/// What `parsed<T>(text)` gives. A text that is written otherwise, escapes included, is read the
/// longer way. Throws as `parsed` does.
template <Described T>
T parsed_canonical(std::string_view text) {
  T message{};
  const char* at = text.data();
  const char* const end = at + text.size();
  if (detail::read_text(at, end, message) && at == end) return message;
  return parsed<T>(text);
}

}  // namespace esper
