#include "runtime/progress.hpp"

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <sys/ioctl.h>
#include <unistd.h>

#include "messages/json.hpp"
#include "runtime/database.hpp"

namespace esper {
namespace {

constexpr std::chrono::milliseconds terminal_interval{250};
constexpr std::chrono::milliseconds piped_interval{2'000};

/// As no-color.org has it: there and not empty.
bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// 0: not known.
std::size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool counts_as_growing(Stage stage) {
  return stage == Stage::train_isolated || stage == Stage::grafting || stage == Stage::stabilising;
}

/// Through a connection of its own: the journal's belongs to the actor that writes it.
std::optional<LedgerBalance> newest_balance(const std::filesystem::path& journal) {
  try {
    const Database database{journal, DatabaseAccess::read};
    const auto text = database.value(
        "SELECT payload FROM entries WHERE kind = 'StrategyPart' ORDER BY sequence DESC LIMIT 1");
    if (text.empty()) return std::nullopt;
    return parsed<StrategyPart>(text).balance;
  } catch (const std::exception&) {
    return std::nullopt;  // a line without energy is better than none
  }
}

}  // namespace

std::string progress_line(const ProgressState& state) {
  std::ostringstream line;
  line << state.arm << "  step " << state.training.step.value;
  if (state.training.steps.value != 0) line << '/' << state.training.steps.value;
  line << "  loss " << std::fixed << std::setprecision(4) << state.training.loss;
  if (state.energy)
    line << "  energy " << state.energy->available.thousandths << " free, "
         << state.energy->spent.thousandths << " spent";
  if (!state.region_names.empty()) {
    line << "  seeds";
    for (std::uint32_t i = 0; i < state.region_names.size(); ++i) {
      std::size_t growing = 0;
      for (const auto& seed : state.seeds)
        if (seed.region.value == i && counts_as_growing(seed.stage)) ++growing;
      line << ' ' << state.region_names[i] << ' ' << growing;
    }
  }
  const auto done = static_cast<double>(state.training.step.value);
  const auto steps = static_cast<double>(state.training.steps.value);
  if (done > 0 && steps >= done)
    line << std::setprecision(0) << "  " << state.seconds / done * (steps - done) << " s left";
  return line.str();
}

std::string fitted(std::string line, std::size_t columns) {
  if (columns > 0 && line.size() >= columns) line.resize(columns - 1);
  return line;
}

ProgressLine::ProgressLine()
    : terminal_(isatty(STDERR_FILENO) == 1),
      colour_(terminal_ && !is_set("NO_COLOR")),
      start_(std::chrono::steady_clock::now()),
      thread_([this](const std::stop_token& stop) { draw_until_stopped(stop); }) {}

ProgressLine::~ProgressLine() {
  end();
  thread_.request_stop();
  changed_.notify_all();
}

void ProgressLine::begin(const std::string& arm, const std::filesystem::path& journal) {
  end();
  const std::lock_guard lock{mutex_};
  state_ = {};
  state_.arm = arm;
  journal_ = journal;
  start_ = std::chrono::steady_clock::now();
}

void ProgressLine::tell(const TrainingProgress& progress, Training* training) {
  const std::lock_guard lock{mutex_};
  state_.training = progress;
  training_ = training;
  told_ = true;
}

void ProgressLine::end() {
  const std::lock_guard drawing{drawing_};
  draw(true);
  const std::lock_guard lock{mutex_};
  training_ = nullptr;
  told_ = false;
}

void ProgressLine::draw_until_stopped(const std::stop_token& stop) {
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      changed_.wait_for(lock, stop, terminal_ ? terminal_interval : piped_interval,
                        [] { return false; });
    }
    if (stop.stop_requested()) return;
    const std::lock_guard drawing{drawing_};
    draw(false);
  }
}

void ProgressLine::gather(ProgressState& state, Training* training,
                          const std::filesystem::path& journal) const {
  if (!journal.empty()) state.energy = newest_balance(journal);
  if (training == nullptr || training->executor() == nullptr) return;
  state.seeds = training->executor()->seeds();
  for (const auto& region : training->host().regions) state.region_names.push_back(region.name);
}

/// With `drawing_` held: so nobody ends the training that is looked at.
void ProgressLine::draw(bool last) {
  std::unique_lock lock{mutex_};
  if (!told_) return;
  auto state = state_;
  auto* const training = training_;
  const auto journal = journal_;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  lock.unlock();

  state.seconds = elapsed.count();
  gather(state, training, journal);
  auto line = progress_line(state);
  if (terminal_) line = fitted(std::move(line), terminal_columns());
  const auto name = std::min(state.arm.size(), line.size());
  if (colour_) line = "\033[1m" + line.substr(0, name) + "\033[0m" + line.substr(name);
  if (terminal_)
    std::cerr << "\r\033[K" << line << (last ? "\n" : "") << std::flush;
  else
    std::cerr << line << '\n' << std::flush;
}

}  // namespace esper
