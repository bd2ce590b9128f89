#include "net/basp_frames.hpp"

#include <algorithm>

namespace esper {

namespace {

// caf/io/basp/message_type.hpp
constexpr std::uint8_t server_handshake = 0, client_handshake = 1, newest_type = 6;

}  // namespace

std::uint32_t BaspFrames::payload_bytes() const {
  return std::uint32_t{header_[4]} << 24 | std::uint32_t{header_[5]} << 16 |
         std::uint32_t{header_[6]} << 8 | std::uint32_t{header_[7]};
}

std::string BaspFrames::judge() const {
  const auto type = header_[0];
  if (type > newest_type) return "a frame is of no known type";
  if (payload_bytes() > frame_bytes_max_)
    return "a frame announces " + std::to_string(payload_bytes()) + " bytes, at most " +
           std::to_string(frame_bytes_max_);
  // CAF reads what is not there.
  if ((type == server_handshake || type == client_handshake) && payload_bytes() == 0)
    return "a handshake is empty";
  return "";
}

std::string BaspFrames::take(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto passed = std::min<std::uint64_t>(payload_left_, bytes.size());
      payload_left_ -= passed;
      bytes = bytes.subspan(passed);
      continue;
    }
    const auto taken = std::min(header_bytes - have_, bytes.size());
    std::copy_n(bytes.begin(), taken, header_.begin() + static_cast<std::ptrdiff_t>(have_));
    have_ += taken;
    bytes = bytes.subspan(taken);
    if (have_ < header_bytes) break;
    have_ = 0;
    if (auto why = judge(); !why.empty()) return why;
    payload_left_ = payload_bytes();
  }
  return "";
}

}  // namespace esper
