#pragma once
// Messages filled so that whatever is lost or swapped shows.
#include <bit>
#include <iterator>
#include <string>

#include "messages/schema.hpp"

namespace esper {

/// Floats that arithmetic or text would lose: NaNs with payloads, infinities, -0, denormals.
inline constexpr std::uint64_t awkward[]{
    0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001,  // NaN: quiet, signed, signalling
    0x7ff0000000000000, 0xfff0000000000000,                      // both infinities
    0x8000000000000000, 0x0000000000000001, 0x800fffffffffffff,  // -0, the least, a denormal
    0x7fefffffffffffff, 0x3fb999999999999a};                     // the largest, 0.1

/// Gives every field another value, so that a field that is dropped or swapped shows.
struct Filler {
  bool awkward_floats{};
  bool plain_texts{};  ///< none that JSON has to escape
  std::uint64_t next = 1;

  template <typename T>
  void fill(T& value) {
    if constexpr (std::is_same_v<T, bool>)
      value = true;
    else if constexpr (std::is_floating_point_v<T>)
      value = awkward_floats ? std::bit_cast<T>(awkward[next++ % std::size(awkward)])
                             : static_cast<T>(next++) / T{7};
    else if constexpr (std::is_arithmetic_v<T>)
      value = static_cast<T>(next++ % 100);
    else if constexpr (std::is_same_v<T, std::string>)
      value = (plain_texts ? "text " : "text \"\u00fc\\\n\" ") + std::to_string(next++);
    else if constexpr (NamedEnum<T>)
      value = static_cast<T>(next++ % EnumNames<T>::values.size());
    else if constexpr (IsStrong<T>::value)
      fill(value.value);
    else if constexpr (std::is_same_v<T, Energy>)
      fill(value.thousandths);
    else if constexpr (IsVector<T>::value) {
      value.resize(2);
      for (auto& element : value) fill(element);
    } else if constexpr (IsOptional<T>::value)
      fill(value.emplace());
    else
      for_each_field(value, [&](std::string_view, auto& member) { fill(member); });
  }
};

}  // namespace esper
