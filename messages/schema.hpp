#pragma once
// One field list per message; wire, JSON, audit lines and the published JSON Schema follow from it.
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "messages/units.hpp"

namespace esper {

template <typename Struct, typename Member>
struct Field {
  using member_type = Member;
  std::string_view name;
  Member Struct::*pointer;
};

template <typename Struct, typename Member>
constexpr Field<Struct, Member> field(std::string_view name, Member Struct::*pointer) {
  return {name, pointer};
}

template <typename... Fields>
struct Record {
  std::string_view name;
  std::tuple<Fields...> fields;
  static constexpr std::size_t size = sizeof...(Fields);
};

template <typename... Fields>
constexpr Record<Fields...> record(std::string_view name, Fields... fields) {
  return {name, {fields...}};
}

namespace detail {

struct Anything {
  template <typename T>
  operator T() const;  // NOLINT(*-explicit-*): stands for any member in an unevaluated initializer
};

template <typename T, typename... Args>
consteval std::size_t member_count() {
  if constexpr (requires { T{Args{}..., Anything{}}; })
    return member_count<T, Args..., Anything>();
  else
    return sizeof...(Args);
}

}  // namespace detail

/// A struct with a `static constexpr auto schema`. A member that the schema forgets does not
/// compile: see `complete_schema`.
template <typename T>
concept Described = requires {
  T::schema.fields;
};

/// True when the schema names every member of the aggregate.
template <Described T>
consteval bool complete_schema() {
  return detail::member_count<T>() == std::remove_cvref_t<decltype(T::schema)>::size;
}

/// Calls `visit(name, member)` for each field, in the schema's order.
template <typename T, typename Visitor>
requires Described<std::remove_const_t<T>>
constexpr void for_each_field(T& object, Visitor&& visit) {
  static_assert(complete_schema<std::remove_const_t<T>>(), "the schema forgets a member");
  std::apply([&](const auto&... fields) { (visit(fields.name, object.*(fields.pointer)), ...); },
             std::remove_const_t<T>::schema.fields);
}

/// Names of an enumeration's values, in order from 0. Specialise with ESPER_ENUM_NAMES.
template <typename E>
struct EnumNames;

#define ESPER_ENUM_NAMES(Enum, ...)                                                \
  template <>                                                                      \
  struct EnumNames<Enum> {                                                         \
    static constexpr auto values = std::to_array<std::string_view>({__VA_ARGS__}); \
  }

template <typename E>
concept NamedEnum = std::is_enum_v<E> && requires {
  EnumNames<E>::values;
};

template <NamedEnum E>
constexpr std::string_view name_of(E value) {
  return EnumNames<E>::values.at(static_cast<std::size_t>(value));
}

template <NamedEnum E>
constexpr std::optional<E> enum_from(std::string_view name) {
  for (std::size_t i = 0; i < EnumNames<E>::values.size(); ++i)
    if (EnumNames<E>::values[i] == name) return static_cast<E>(i);
  return std::nullopt;
}

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsStrong : std::false_type {};
template <typename Tag, typename Representation>
struct IsStrong<Strong<Tag, Representation>> : std::true_type {};

}  // namespace esper
