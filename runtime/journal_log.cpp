#include "runtime/journal_log.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>

namespace esper {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t header_bytes = 32, frame_header_bytes = 24;
constexpr std::uint32_t magic_little = 0x377f0682, magic_big = 0x377f0683;
constexpr std::uint32_t format_version = 3'007'000;

struct Checksum {
  std::uint32_t first{}, second{};
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

class LogBytes {
 public:
  explicit LogBytes(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::string_view header() const {
    return std::string_view{bytes_}.substr(0, header_bytes);
  }
  [[nodiscard]] bool header_holds() const {
    const std::uint32_t magic = number(0);
    return (magic == magic_little || magic == magic_big) && number(4) == format_version &&
           sum({}, 0, 24) == stored(24);
  }
  [[nodiscard]] std::size_t frames() const {
    return (bytes_.size() - header_bytes) / (frame_header_bytes + page_bytes());
  }
  // Frames from 0. Each goes on from the checksum that stands in the one before.
  [[nodiscard]] bool of_this_log(std::size_t frame) const {
    return number(at(frame) + 8) == number(16) && number(at(frame) + 12) == number(20);
  }
  [[nodiscard]] bool follows(std::size_t frame) const {
    const auto before = frame == 0 ? stored(24) : stored(at(frame - 1) + 16);
    const auto header = sum(before, at(frame), 8);
    return sum(header, at(frame) + frame_header_bytes, page_bytes()) == stored(at(frame) + 16);
  }
  /// The frame ends a transaction.
  [[nodiscard]] bool commits(std::size_t frame) const { return number(at(frame) + 4) != 0; }

 private:
  [[nodiscard]] std::size_t page_bytes() const {
    const std::uint32_t told = number(8);
    return told == 1 ? 65'536 : told;
  }
  [[nodiscard]] std::size_t at(std::size_t frame) const {
    return header_bytes + frame * (frame_header_bytes + page_bytes());
  }
  [[nodiscard]] std::uint32_t byte(std::size_t place) const {
    return static_cast<unsigned char>(bytes_[place]);
  }
  [[nodiscard]] std::uint32_t number(std::size_t place) const {
    return byte(place) << 24U | byte(place + 1) << 16U | byte(place + 2) << 8U | byte(place + 3);
  }
  [[nodiscard]] Checksum stored(std::size_t place) const {
    return {number(place), number(place + 4)};
  }
  [[nodiscard]] std::uint32_t summed(std::size_t place) const {
    if (number(0) == magic_big) return number(place);
    return byte(place + 3) << 24U | byte(place + 2) << 16U | byte(place + 1) << 8U | byte(place);
  }
  [[nodiscard]] Checksum sum(Checksum checksum, std::size_t from, std::size_t count) const {
    for (std::size_t place = from; place < from + count; place += 8) {
      checksum.first += summed(place) + checksum.second;
      checksum.second += summed(place + 4) + checksum.first;
    }
    return checksum;
  }

  std::string bytes_;
};

LogBytes read_log(const std::filesystem::path& log, std::size_t bytes_max) {
  std::ifstream input{log, std::ios::binary};
  std::string bytes;
  if (bytes_max > 0) {
    bytes.resize(bytes_max);
    input.read(bytes.data(), static_cast<std::streamsize>(bytes_max));
    bytes.resize(static_cast<std::size_t>(input.gcount()));
  } else {
    bytes.assign(std::istreambuf_iterator<char>(input), {});
  }
  return LogBytes{std::move(bytes)};
}

LogCheck judge(const std::filesystem::path& log, const LogBytes& bytes) {
  if (bytes.size() <= header_bytes) return {};
  // It was synced before the first frame was written.
  if (!bytes.header_holds()) return {log.string() + " is damaged: its header", false};
  const std::size_t frames = bytes.frames();
  std::size_t broken = 0;
  while (broken < frames && bytes.of_this_log(broken) && bytes.follows(broken)) ++broken;
  if (broken == frames) return {};
  // A changed checksum breaks its own frame and the next.
  std::size_t next = broken + 1;
  const auto whole = [&](std::size_t frame) {
    return frame < frames && bytes.of_this_log(frame) && bytes.follows(frame);
  };
  if (!whole(next)) ++next;
  std::size_t ends = 0;
  // What an older log left has other salts, and goes on from another checksum.
  const bool of_a_transaction =
      bytes.of_this_log(broken) || bytes.follows(broken) || whole(broken + 1);
  if (of_a_transaction && bytes.commits(broken)) ++ends;
  for (; whole(next); ++next) ends += bytes.commits(next) ? 1 : 0;
  if (ends < 2) return {{}, ends == 1};
  return {log.string() + " is damaged: frame " + std::to_string(broken + 1) + " of " +
              std::to_string(frames) + ", before " + std::to_string(ends - 1) +
              " acknowledged transactions",
          false};
}

}  // namespace

LogCheck check_log(const std::filesystem::path& database) {
  constexpr int looks_max = 10;
  const std::filesystem::path log = database.string() + "-wal";
  for (int look = 0;; ++look) {
    const auto bytes = read_log(log, 0);
    // A writer may have begun it anew meanwhile: then its header is another one.
    const auto after = read_log(log, header_bytes);
    if (bytes.header() == after.header() || look == looks_max) return judge(log, bytes);
  }
}

}  // namespace esper
