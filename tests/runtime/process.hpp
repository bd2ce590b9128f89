#pragma once
// Runs a program as a user would and keeps what it says.
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/runtime/scratch_folder.hpp"

namespace esper {

class Process {
 public:
  /// Starts `program` in `folder`, where its output is kept in two files. `terminal`: an open one
  /// that standard error goes to instead.
  Process(const std::filesystem::path& program, std::vector<std::string> arguments,
          const ScratchFolder& folder, int terminal = -1)
      : out_(folder / "stdout"), err_(folder / "stderr") {
    arguments.insert(arguments.begin(), program.string());
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (auto& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    child_ = fork();
    if (child_ != 0) return;
    constexpr mode_t readable = 0644;
    dup2(open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, readable), STDOUT_FILENO);
    if (terminal < 0) terminal = open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, readable);
    dup2(terminal, STDERR_FILENO);
    if (chdir(folder.path().c_str()) == 0) execv(program.c_str(), raw.data());
    _exit(127);
  }

  /// A test that fails leaves nobody behind.
  ~Process() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    (void)wait();
  }
  Process(Process&& other) noexcept
      : out_(std::move(other.out_)),
        err_(std::move(other.err_)),
        child_(std::exchange(other.child_, 0)) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process& operator=(Process&&) = delete;

  void signal(int number) const { kill(child_, number); }

  /// Exit code; 128 + number when a signal ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(child_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  [[nodiscard]] std::string out() const { return file_text(out_); }
  [[nodiscard]] std::string err() const { return file_text(err_); }

 private:
  std::filesystem::path out_, err_;
  pid_t child_;
};

}  // namespace esper
