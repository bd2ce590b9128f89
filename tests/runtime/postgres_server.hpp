#pragma once
// A PostgreSQL server of a test's own: a new folder, a Unix socket and no port, gone with its
// scope.
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/postgresql/connection.hpp"
#include "tests/cannot_run.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

/// Where Debian puts the server's programs, which are not on PATH; empty: it has none.
[[nodiscard]] inline std::filesystem::path postgres_programs() {
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator{"/usr/lib/postgresql", ignored})
    if (std::filesystem::exists(version.path() / "bin/initdb")) return version.path() / "bin";
  return {};
}

/// Says why and returns false where no server can be started.
[[nodiscard]] inline bool can_run_postgres() {
  if (!postgres_programs().empty()) return true;
  cannot_run_here("no PostgreSQL server is installed; scripts/setup --test installs it");
  return false;
}

class PostgresServer {
 public:
  PostgresServer() {
    if (::getuid() == 0) {  // the server refuses to run as root
      const auto* nobody = ::getpwnam("nobody");
      if (nobody == nullptr) throw std::runtime_error("there is no user nobody");
      user_ = nobody->pw_uid;
      group_ = nobody->pw_gid;
      if (::chown(folder_.path().c_str(), user_, group_) != 0)
        throw std::runtime_error("the server's folder can't be given away");
    }
    const auto made = start({(postgres_programs() / "initdb").string(), "-D", data(), "-U", "esper",
                             "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"});
    int status = 0;
    ::waitpid(made, &status, 0);
    if (status != 0) throw std::runtime_error("initdb failed: " + file_text(folder_ / "said"));
    begin();
  }
  ~PostgresServer() { end(SIGQUIT); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// A connection string for libpq.
  [[nodiscard]] std::string where() const {
    return "host=" + folder_.path().string() + " user=esper dbname=postgres";
  }

  /// Starts the server and waits until it answers.
  void begin() {
    server_ = start({(postgres_programs() / "postgres").string(), "-D", data(), "-k",
                     folder_.path().string(), "-c", "listen_addresses=", "-c",
                     "unix_socket_permissions=0777", "-c", "shared_buffers=16MB"});
    for (int left = 1'000; left > 0; --left) {
      try {
        const PostgresConnection answers(where(), std::chrono::milliseconds{5'000});
        return;
      } catch (const PostgresError&) {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
      }
    }
    throw std::runtime_error("the server does not start: " + file_text(folder_ / "said"));
  }

  /// SIGQUIT: at once, as after a crash, so that it recovers from its log when it begins again.
  void end(int signal) {
    if (server_ <= 0) return;
    ::kill(server_, signal);
    ::waitpid(server_, nullptr, 0);
    server_ = 0;
  }

  /// Every process of it stands still, and goes on.
  void hang(bool on) const {
    ::kill(server_, on ? SIGSTOP : SIGCONT);
    const std::string pids =
        "/proc/" + std::to_string(server_) + "/task/" + std::to_string(server_) + "/children";
    std::ifstream children{pids};
    for (pid_t child = 0; children >> child;) ::kill(child, on ? SIGSTOP : SIGCONT);
  }

  /// One statement, and the first column of its first row.
  std::string run(const std::string& statement) const {
    PostgresConnection connection(where(), std::chrono::milliseconds{5'000});
    std::string first;
    connection.run(statement.c_str(), {}, [&](const PostgresRow& row) {
      if (first.empty()) first = row.text(0);
    });
    return first;
  }

 private:
  [[nodiscard]] std::string data() const { return folder_ / "data"; }

  /// As the server's user; ends with this process however that ends.
  pid_t start(std::vector<std::string> arguments) const {
    std::vector<char*> raw;
    for (auto& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    constexpr mode_t readable = 0644;
    const int said =
        ::open((folder_ / "said").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, readable);
    ::dup2(said, STDOUT_FILENO);
    ::dup2(said, STDERR_FILENO);
    if (user_ != 0 && (::setgid(group_) != 0 || ::setuid(user_) != 0)) _exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // a change of user would have cleared it
    if (::getppid() != parent || ::chdir("/") != 0) _exit(126);
    ::execv(raw[0], raw.data());
    _exit(127);
  }

  ScratchFolder folder_;
  uid_t user_{};
  gid_t group_{};
  pid_t server_{};
};

}  // namespace esper
