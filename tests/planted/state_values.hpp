#pragma once
// A state as text, field by field, and filled with a pattern.
#include <bit>
#include <cinttypes>
#include <cstdio>

#include "tests/planted/state_fields.hpp"

namespace esper {

/// Values by place, as "narset.tactics.book.free".
using StateText = std::map<std::string, std::string>;

struct StateTeller {
  StateText& told;

  template <typename T>
  void operator()(const std::string& place, const T& value) {
    if constexpr (std::is_same_v<T, RandomStream>) {
      RandomStream copy = value;  // four draws say all that it holds
      std::string& draws = told[place];
      for (int i = 0; i < 4; ++i) draws += std::to_string(copy.next()) + " ";
    } else if constexpr (std::is_same_v<T, PlantingTactic>) {
      told[place] = value ? "given" : "none";
    } else if constexpr (std::is_same_v<T, std::string>) {
      told[place] = "\"" + value + "\"";
    } else if constexpr (std::is_floating_point_v<T>) {
      char text[64];
      std::snprintf(text, sizeof text, "%.17g, bits %" PRIx64, static_cast<double>(value),
                    std::bit_cast<std::uint64_t>(static_cast<double>(value)));
      told[place] = text;
    } else {
      told[place] = std::to_string(static_cast<std::int64_t>(value));
    }
  }
  void absent(const std::string& place) { told[place] = "none"; }
  template <typename T>
  void elements(const std::string& place, T& value) {
    told[place + ".size"] = std::to_string(value.size());
    std::size_t index = 0;
    for (auto&& element : value) {
      const std::string at = place + "[" + std::to_string(index++) + "]";
      if constexpr (std::is_same_v<T, std::vector<bool>>)
        told[at] = element ? "1" : "0";
      else
        walk(at, const_cast<std::remove_cvref_t<decltype(element)>&>(element), *this);
    }
  }
};

template <typename State>
[[nodiscard]] StateText text_of_state(State& state) {
  StateText told;
  StateTeller teller{told};
  walk(state.name, state, teller);
  return told;
}

/// Whoever still reads the state finds nothing that was in it. Only fit to be destroyed then.
struct StateFiller {
  static constexpr unsigned char pattern = 0xa5;

  template <typename T>
  void operator()(const std::string&, T& value) {
    if constexpr (std::is_same_v<T, RandomStream>)
      value = RandomStream(0xa5a5a5a5a5a5a5a5, "dead");
    else if constexpr (std::is_same_v<T, PlantingTactic>)
      value = nullptr;  // a function's bytes are its own
    else if constexpr (std::is_same_v<T, std::string>)
      std::ranges::fill(value += '?', static_cast<char>(pattern));
    else if constexpr (std::is_same_v<T, bool>)
      value = !value;
    else
      for (auto* byte = reinterpret_cast<unsigned char*>(&value);
           byte != reinterpret_cast<unsigned char*>(&value + 1); ++byte)
        *byte = pattern;
  }
  void absent(const std::string&) {}
  template <typename T>
  void elements(const std::string& place, T& value) {
    if constexpr (HasNodes<T>) {  // their keys are constant while they stand in it
      while (!value.empty()) {
        auto node = value.extract(value.begin());
        if constexpr (requires { node.key(); }) {
          walk(place, node.key(), *this);
          walk(place, node.mapped(), *this);
        } else {
          walk(place, node.value(), *this);
        }
      }
    } else if constexpr (std::is_same_v<T, std::vector<bool>>) {
      value.flip();
    } else {
      for (auto& element : value) walk(place, element, *this);
    }
  }
};

template <typename State>
void fill_with_pattern(State& state) {
  StateFiller filler;
  walk(state.name, state, filler);
}

}  // namespace esper
