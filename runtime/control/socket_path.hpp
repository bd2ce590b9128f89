#pragma once
// A Unix socket's address holds 107 bytes; a folder's own descriptor makes any path short enough.
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace esper {

class SocketPath {
 public:
  explicit SocketPath(const std::filesystem::path& socket)
      : folder_(::open(socket.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        text_("/proc/self/fd/" + std::to_string(folder_) + "/" + socket.filename().string()) {}
  ~SocketPath() {
    if (folder_ >= 0) ::close(folder_);
  }
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;

  [[nodiscard]] bool good() const { return folder_ >= 0; }
  /// Good as long as this object lives.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  int folder_;
  std::string text_;
};

}  // namespace esper
