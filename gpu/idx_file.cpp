#include "gpu/idx_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <zlib.h>

#include "gpu/sha256.hpp"

namespace esper {
namespace {

using Bytes = std::vector<std::uint8_t>;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + " " + what + "; " + idx_remedy);
}

Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "cannot be opened");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A whole gzip member. Its last four bytes say how long it was.
Bytes unzip(const Bytes& zipped, const std::string& path) {
  constexpr std::size_t trailer = 4;
  if (zipped.size() < trailer) fail(path, "is cut off");
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < trailer; ++i)
    length |= std::uint32_t{zipped[zipped.size() - trailer + i]} << (8 * i);
  Bytes bytes(length);
  z_stream stream{};
  stream.next_in = const_cast<Bytef*>(zipped.data());  // zlib's interface; it only reads
  stream.avail_in = static_cast<uInt>(zipped.size());
  stream.next_out = bytes.data();
  stream.avail_out = length;
  constexpr int gzip_window = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_window) != Z_OK) fail(path, "cannot be unzipped");
  const int ended = inflate(&stream, Z_FINISH);
  const bool whole = ended == Z_STREAM_END && stream.total_out == length;
  inflateEnd(&stream);
  if (!whole) fail(path, "cannot be unzipped");
  return bytes;
}

std::uint32_t big_endian(const Bytes& bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8U | bytes[at + i];
  return number;
}

}  // namespace

std::vector<std::uint8_t> read_idx(const std::string& folder, const CheckedFile& file,
                                   std::size_t entry_bytes) {
  if (!std::filesystem::is_directory(folder)) fail(folder, "is not a folder");
  const std::string path = (std::filesystem::path(folder) / file.name).string();
  const Bytes zipped = read_bytes(path);
  Sha256 digest;
  digest.add(zipped.data(), zipped.size());
  if (digest.finish() != file.sha256) fail(path, "is damaged: its SHA-256 is another one");
  Bytes bytes = unzip(zipped, path);
  // idx: two zero bytes, the type (8: one byte each), the dimensions' count, their sizes.
  constexpr std::size_t word = 4;
  const std::size_t dimensions = bytes.size() >= word ? bytes[3] : 0;
  const std::size_t header = word * (1 + dimensions);
  if (dimensions == 0 || bytes.size() < header || bytes[2] != 8 ||
      bytes.size() - header != big_endian(bytes, word) * entry_bytes)
    fail(path, "is no idx file of bytes");
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  return bytes;
}

}  // namespace esper
