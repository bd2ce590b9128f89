#pragma once
// Schema to CAF. CAF 0.17.6 packs floats by arithmetic: an infinity hangs the sender, NaN and
// denormals change. Here every float travels as its bits.
#include <bit>

#include <caf/all.hpp>
#include <caf/meta/type_name.hpp>

#include "messages/schema.hpp"
#include "messages/utf8.hpp"

namespace esper {

namespace detail {

template <typename Inspector>
constexpr bool reads = std::is_base_of_v<caf::deserializer, Inspector>;
template <typename Inspector>
constexpr bool writes = std::is_base_of_v<caf::serializer, Inspector>;

constexpr std::size_t wire_elements_max = 1u << 20;  // no peer may announce more

template <typename Inspector, typename T>
caf::error carry(Inspector& inspector, T& value);

template <typename Inspector, typename Raw, typename T>
caf::error carry_as(Inspector& inspector, T& value) {
  Raw raw{};
  if constexpr (writes<Inspector>) raw = std::bit_cast<Raw>(value);
  if (auto failed = inspector(raw)) return failed;
  if constexpr (reads<Inspector>) value = std::bit_cast<T>(raw);
  return caf::none;
}

template <typename Inspector, typename T>
caf::error carry_enum(Inspector& inspector, T& value) {
  auto raw = static_cast<std::uint8_t>(value);
  if (auto failed = inspector(raw)) return failed;
  if constexpr (reads<Inspector>) {
    if (raw >= EnumNames<T>::values.size()) return caf::sec::unknown_type;
    value = static_cast<T>(raw);
  }
  return caf::none;
}

template <typename Inspector>
caf::error carry_text(Inspector& inspector, std::string& text) {
  if (auto failed = inspector(text)) return failed;
  if constexpr (reads<Inspector>)
    if (!is_utf8(text)) return caf::sec::invalid_argument;
  return caf::none;
}

template <typename Inspector, typename T>
caf::error carry_vector(Inspector& inspector, std::vector<T>& values) {
  auto count = static_cast<std::uint64_t>(values.size());
  if (auto failed = inspector(count)) return failed;
  if constexpr (reads<Inspector>) {
    if (count > wire_elements_max) return caf::sec::end_of_stream;
    values.clear();
    for (std::uint64_t i = 0; i < count; ++i) {  // grows as bytes arrive, never by announcement
      T value{};
      if (auto failed = carry(inspector, value)) return failed;
      values.push_back(std::move(value));
    }
  } else {
    for (auto& value : values)
      if (auto failed = carry(inspector, value)) return failed;
  }
  return caf::none;
}

template <typename Inspector, typename T>
caf::error carry_optional(Inspector& inspector, std::optional<T>& value) {
  std::uint8_t present = value.has_value();
  if (auto failed = inspector(present)) return failed;
  if constexpr (reads<Inspector>) {
    value.reset();
    if (present) value.emplace();
  }
  return value ? carry(inspector, *value) : caf::error{};
}

template <typename Inspector, typename T>
caf::error carry_record(Inspector& inspector, T& object) {
  caf::error result;
  for_each_field(object, [&](std::string_view, auto& member) {
    if (!result) result = carry(inspector, member);
  });
  return result;
}

template <typename Inspector, typename T>
caf::error carry(Inspector& inspector, T& value) {
  if constexpr (std::is_same_v<T, double>)
    return carry_as<Inspector, std::uint64_t>(inspector, value);
  else if constexpr (std::is_same_v<T, float>)
    return carry_as<Inspector, std::uint32_t>(inspector, value);
  else if constexpr (std::is_same_v<T, bool>)
    return inspector(value);  // NOLINT(bugprone-branch-clone): each kind of type has its branch
  else if constexpr (NamedEnum<T>)
    return carry_enum(inspector, value);
  else if constexpr (IsStrong<T>::value)
    return inspector(value.value);
  else if constexpr (std::is_same_v<T, Energy>)
    return inspector(value.thousandths);
  else if constexpr (std::is_same_v<T, std::string>)
    return carry_text(inspector, value);
  else if constexpr (IsVector<T>::value)
    return carry_vector(inspector, value);
  else if constexpr (IsOptional<T>::value)
    return carry_optional(inspector, value);
  else if constexpr (Described<T>)
    return carry_record(inspector, value);
  else
    return inspector(value);
}

}  // namespace detail

/// CAF's inspect for every described message, found by argument-dependent lookup.
template <typename Inspector, Described T>
typename Inspector::result_type inspect(Inspector& inspector, T& object) {
  if constexpr (detail::reads<Inspector> || detail::writes<Inspector>)
    return detail::carry_record(inspector, object);
  else {
    std::string name{T::schema.name};
    return inspector(caf::meta::type_name("esper"), name);
  }
}

}  // namespace esper
