#pragma once
// A fast hash over what happens in a simulation: equal on every machine, not meant against attack.
#include <cstdint>
#include <string_view>

namespace esper::sim {

class Digest {
 public:
  void add(std::uint64_t word) {
    state_ ^= word;
    state_ *= 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 29U;
  }
  /// Eight bytes at a time, least first.
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    std::size_t place = 0;
    for (; place + 8 <= text.size(); place += 8) add(word_at(text, place, 8));
    if (place < text.size()) add(word_at(text, place, text.size() - place));
  }
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  static std::uint64_t word_at(std::string_view text, std::size_t place, std::size_t count) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i)
      word |= std::uint64_t{static_cast<unsigned char>(text[place + i])} << (8 * i);
    return word;
  }

  std::uint64_t state_ = 0x51ed270b35ae2d13;
};

}  // namespace esper::sim
