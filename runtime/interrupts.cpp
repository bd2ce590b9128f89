#include "runtime/interrupts.hpp"

#include <csignal>
#include <string_view>

#include <unistd.h>

#include "runtime/exit_code.hpp"

namespace esper {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may take no lock");

extern "C" void on_signal(int) {
  if (stop.exchange(true)) _exit(number_of(ExitCode::interrupted));
  constexpr std::string_view text = "\nending after this step; once more ends at once\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_handler = &on_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = SIG_IGN;  // whoever read our output may go; the run goes on
    sigaction(SIGPIPE, &action, nullptr);
    return true;
  }();
  (void)installed;
  return stop;
}

}  // namespace esper
