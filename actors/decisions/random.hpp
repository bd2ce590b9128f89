#pragma once
// Seeded streams, one per component: the same numbers on every machine, in every process, whatever
// the other components draw.
#include <array>
#include <cstdint>
#include <string_view>

namespace esper {

/// One step of SplitMix64: moves `state` on and returns 64 well-mixed bits.
/// source  Steele, Lea, Flood 2014
[[nodiscard]] constexpr std::uint64_t split_mix(std::uint64_t& state) {
  constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15;
  state += golden_ratio;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31U);
}

/// FNV-1a over the bytes of `text`.
[[nodiscard]] constexpr std::uint64_t text_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  return hash;
}

/// xoshiro256**, its state drawn from (seed, component, index).
/// source  Blackman, Vigna 2018
class RandomStream {
 public:
  constexpr RandomStream(std::uint64_t seed, std::string_view component, std::uint64_t index = 0) {
    std::uint64_t mixer = seed;
    mixer = split_mix(mixer) ^ text_hash(component);
    mixer = split_mix(mixer) ^ index;
    for (std::uint64_t& word : state_) word = split_mix(mixer);
  }

  /// 64 uniform bits.
  [[nodiscard]] constexpr std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, limit), without modulo bias; 0 when `limit` is 0.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t limit) {
    if (limit == 0) return 0;
    const std::uint64_t biased = (0 - limit) % limit;  // 2^64 mod limit
    for (;;) {
      const std::uint64_t drawn = next();
      if (drawn >= biased) return drawn % limit;
    }
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] constexpr double uniform() {
    constexpr double step = 1.0 / 9007199254740992.0;
    return static_cast<double>(next() >> 11U) * step;
  }

 private:
  [[nodiscard]] static constexpr std::uint64_t rotate(std::uint64_t word, unsigned bits) {
    return (word << bits) | (word >> (64U - bits));
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace esper
