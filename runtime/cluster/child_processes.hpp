#pragma once
// Processes of this executable that somebody started, to be told, waited for and, at last, ended.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace esper {

enum class Bond : std::uint8_t {
  child,   ///< told to end when the thread that started it ends
  daemon,  ///< a session of its own: it outlives whoever started it
};

struct ChildProcess {
  std::string name;
  pid_t process{};
  std::filesystem::path output;  ///< its standard output and error
};

/// Starts this very executable with those arguments. Errors: throws std::runtime_error, a sentence.
[[nodiscard]] ChildProcess start_child(const std::string& name,
                                       const std::vector<std::string>& arguments,
                                       const std::filesystem::path& output, Bond bond);

/// How a child of this process ended, as a shell has it (128 + signal); nothing: it lives.
[[nodiscard]] std::optional<int> ended(const ChildProcess& child);

/// Tells all to end, waits so long, then kills who is left; returns when none is. Children of this
/// process only.
void end_children(std::vector<ChildProcess>& children, std::chrono::milliseconds patience);

/// The last lines that it wrote, in one; "" when there are none.
[[nodiscard]] std::string last_words(const std::filesystem::path& output);

/// Since when that process lives, in ticks since the machine's start; 0: there is none. With its
/// number it tells it from a later one.
[[nodiscard]] std::uint64_t start_ticks(pid_t process);

}  // namespace esper
