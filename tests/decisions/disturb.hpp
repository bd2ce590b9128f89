#pragma once
// Sound messages made unsound, member by member.
#include <iterator>
#include <limits>
#include <string_view>
#include <type_traits>

#include "actors/decisions/random.hpp"
#include "messages/schema.hpp"

namespace esper {

/// A finite number near the ordinary one, or one that no measurement should give.
inline double odd_number(RandomStream& stream, double ordinary) {
  constexpr double odd[]{std::numeric_limits<double>::quiet_NaN(),
                         std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity(),
                         std::numeric_limits<double>::max(),
                         std::numeric_limits<double>::lowest(),
                         std::numeric_limits<double>::denorm_min(),
                         -1,
                         -0.0};
  if (stream.below(2) == 0) return ordinary * (0.5 + stream.uniform());
  return odd[stream.below(std::size(odd))];
}

/// Changes each member with the chance of one in `rarity`, vectors in length too.
template <typename Value>
void disturb(Value& value, RandomStream& stream, std::uint64_t rarity) {
  if constexpr (Described<Value>) {
    for_each_field(value, [&](std::string_view, auto& member) { disturb(member, stream, rarity); });
  } else if constexpr (IsVector<Value>::value) {
    for (auto& element : value) disturb(element, stream, rarity);
    if (!value.empty() && stream.below(rarity) == 0) value.push_back(value.front());
    if (!value.empty() && stream.below(rarity) == 0) value.pop_back();
  } else if constexpr (IsOptional<Value>::value) {
    if (value) disturb(*value, stream, rarity);
    if (stream.below(rarity) == 0) value.reset();
  } else if (stream.below(rarity) == 0) {
    if constexpr (std::is_floating_point_v<Value>)
      value = odd_number(stream, value);
    else if constexpr (NamedEnum<Value>)
      value = static_cast<Value>(stream.below(EnumNames<Value>::values.size()));
    else if constexpr (IsStrong<Value>::value)
      value.value = static_cast<typename Value::representation>(stream.next());
    else if constexpr (std::is_same_v<Value, Energy>)
      value.thousandths = static_cast<std::int64_t>(stream.next());
    else if constexpr (std::is_same_v<Value, std::string>)
      value += '?';
    else
      value = static_cast<Value>(stream.next());
  }
}

}  // namespace esper
