#include "runtime/cluster/child_processes.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace esper {

namespace {

constexpr std::chrono::milliseconds look{10};

/// In the child: only what may be called between fork and exec. Never returns.
[[noreturn]] void become(const std::vector<char*>& arguments, int output, Bond bond, pid_t parent) {
  constexpr int cannot_start = 127;
  if (bond == Bond::child) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(cannot_start);  // it ended in this moment
  }
  // A terminal's Ctrl-C goes to a whole group: who started it tells it.
  ::setsid();
  const int none = ::open("/dev/null", O_RDONLY);
  ::dup2(none, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv("/proc/self/exe", arguments.data());
  ::_exit(cannot_start);
}

}  // namespace

ChildProcess start_child(const std::string& name, const std::vector<std::string>& arguments,
                         const std::filesystem::path& output, Bond bond) {
  std::vector<std::string> all{"esper"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& argument : all) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  std::filesystem::create_directories(output.parent_path());
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0)
    throw std::runtime_error(output.string() + " can't be written: " + std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process == 0) become(pointers, file, bond, parent);
  ::close(file);
  if (process < 0)
    throw std::runtime_error("node " + name + " can't be started: " + std::strerror(errno));
  return {name, process, output};
}

std::optional<int> ended(const ChildProcess& child) {
  int status = 0;
  const pid_t waited = ::waitpid(child.process, &status, WNOHANG);
  if (waited == 0) return std::nullopt;
  if (waited < 0) return 0;  // waited for already
  constexpr int by_signal = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : by_signal + WTERMSIG(status);
}

void end_children(std::vector<ChildProcess>& children, std::chrono::milliseconds patience) {
  const auto sweep = [&] {
    std::erase_if(children, [](const ChildProcess& child) { return ended(child).has_value(); });
    return children.empty();
  };
  if (sweep()) return;
  for (const auto& child : children) ::kill(child.process, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!sweep() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(look);
  for (const auto& child : children) ::kill(child.process, SIGKILL);
  while (!sweep()) std::this_thread::sleep_for(look);
}

std::string last_words(const std::filesystem::path& output) {
  constexpr std::size_t lines_kept = 3;
  std::ifstream input{output};
  std::vector<std::string> lines;
  for (std::string line; std::getline(input, line);)
    if (!line.empty()) lines.push_back(line);
  std::string words;
  for (std::size_t i = lines.size() > lines_kept ? lines.size() - lines_kept : 0; i < lines.size();
       ++i)
    words += (words.empty() ? "" : "; ") + lines[i];
  return words;
}

std::uint64_t start_ticks(pid_t process) {
  std::ifstream input{"/proc/" + std::to_string(process) + "/stat"};
  std::string text;
  std::getline(input, text);
  const auto name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return 0;
  std::istringstream fields{text.substr(name_end + 1)};
  constexpr int start_field = 20;  // proc(5): the 22nd of all
  std::string field;
  for (int i = 0; i < start_field; ++i) fields >> field;
  return std::strtoull(field.c_str(), nullptr, 10);
}

}  // namespace esper
