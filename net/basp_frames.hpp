#pragma once
// One direction of a BASP stream, followed by its frames' lengths alone (CAF 0.17.6,
// caf/io/basp/header.hpp): what a peer announces is allocated there before it has come.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace esper {

class BaspFrames {
 public:
  /// `frame_bytes_max`: of one payload.
  explicit BaspFrames(std::uint32_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  /// Takes the stream's next bytes. "" while all of them may pass; else why the stream must be cut
  /// before they do, one clause. A stream that was cut takes no more.
  [[nodiscard]] std::string take(std::span<const std::uint8_t> bytes);

  static constexpr std::size_t header_bytes = 32;

 private:
  [[nodiscard]] std::string judge() const;
  [[nodiscard]] std::uint32_t payload_bytes() const;

  std::uint32_t frame_bytes_max_;
  std::array<std::uint8_t, header_bytes> header_{};
  std::size_t have_{};            ///< of the header under way
  std::uint64_t payload_left_{};  ///< of the frame under way
};

}  // namespace esper
