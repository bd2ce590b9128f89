// What may pass to CAF: every legal stream, however it is cut into pieces, and nothing else.
#include "net/basp_frames.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <vector>

#include "tests/property.hpp"

namespace esper {
namespace {

constexpr std::uint32_t bytes_max = 1'000;

std::vector<std::uint8_t> frame(std::uint8_t type, std::uint32_t payload) {
  std::vector<std::uint8_t> bytes(BaspFrames::header_bytes, 0xab);
  bytes[0] = type;
  for (int i = 0; i < 4; ++i)
    bytes[static_cast<std::size_t>(4 + i)] = static_cast<std::uint8_t>(payload >> (24 - 8 * i));
  return bytes;
}

/// Fed in pieces of the lengths given, round and round.
std::string fed(BaspFrames& frames, std::span<const std::uint8_t> bytes,
                const std::vector<std::size_t>& pieces) {
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const auto size = std::min(pieces[i % pieces.size()], bytes.size());
    if (auto why = frames.take(bytes.first(size)); !why.empty()) return why;
    bytes = bytes.subspan(size);
  }
  return "";
}

auto some_pieces() {
  return rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 90)));
}

}  // namespace

SCENARIO("legal frames pass, however they are cut, and the first bad one cuts the stream",
         "[net][basp]") {
  CHECK(holds("frames", 300, [] {
    const auto pieces = *some_pieces();
    const auto count = *rc::gen::inRange(0, 12);
    std::vector<std::uint8_t> stream;
    for (int i = 0; i < count; ++i) {
      const auto type = *rc::gen::inRange<std::uint8_t>(0, 7);
      const auto payload = *rc::gen::inRange<std::uint32_t>(type < 2 ? 1 : 0, bytes_max + 1);
      const auto header = frame(type, payload);
      stream.insert(stream.end(), header.begin(), header.end());
      stream.resize(stream.size() + payload, 0xcd);
    }
    BaspFrames legal(bytes_max);
    RC_ASSERT(fed(legal, stream, pieces).empty());

    const auto bad = *rc::gen::element(frame(2, bytes_max + 1), frame(0, 0), frame(1, 0),
                                       frame(7, 4), frame(255, 0), frame(2, 0xffff'ffff));
    stream.insert(stream.end(), bad.begin(), bad.end());
    BaspFrames cut(bytes_max);
    RC_ASSERT(!fed(cut, stream, pieces).empty());
  }));
}

SCENARIO("what is announced is named", "[net][basp]") {
  BaspFrames frames(bytes_max);
  const auto bad = frame(2, 1U << 30);
  CHECK(frames.take(bad) == "a frame announces 1073741824 bytes, at most 1000");
}

}  // namespace esper
