#include "gpu/text_file.hpp"

#include <filesystem>
#include <memory>
#include <stdexcept>

#include <zlib.h>

namespace esper {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + " " + what + "; " + text_remedy);
}

struct CloseFile {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

}  // namespace

std::vector<std::uint8_t> read_text_file(const std::string& path) {
  constexpr std::size_t piece_bytes = 1 << 20;
  if (!std::filesystem::is_regular_file(path)) fail(path, "is not a file");
  std::unique_ptr<gzFile_s, CloseFile> file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) fail(path, "cannot be opened");
  std::vector<std::uint8_t> bytes;
  std::size_t used = 0;
  for (;;) {
    bytes.resize(used + piece_bytes);
    const int got = gzread(file.get(), bytes.data() + used, piece_bytes);
    int state = Z_OK;
    (void)gzerror(file.get(), &state);
    // A file that is cut off ends like any other but for this state.
    if (got < 0 || (state != Z_OK && state != Z_STREAM_END)) fail(path, "cannot be unzipped");
    used += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < piece_bytes) break;
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace esper
