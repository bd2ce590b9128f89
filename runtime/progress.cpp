#include "runtime/progress.hpp"

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <unistd.h>

#include "messages/json.hpp"
#include "runtime/database.hpp"

namespace esper {
namespace {

constexpr std::chrono::milliseconds terminal_interval{250};
constexpr std::chrono::milliseconds piped_interval{2'000};

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

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) == 1),
      colour_(terminal_ && std::getenv("NO_COLOR") == nullptr),
      start_(std::chrono::steady_clock::now()),
      thread_([this](const std::stop_token& stop) { draw_until_stopped(stop); }) {}

Progress::~Progress() {
  end();
  thread_.request_stop();
  changed_.notify_all();
}

void Progress::begin(const std::string& arm, const std::filesystem::path& journal) {
  end();
  const std::lock_guard lock{mutex_};
  state_ = {};
  state_.arm = arm;
  journal_ = journal;
  start_ = std::chrono::steady_clock::now();
}

void Progress::tell(const TrainingProgress& progress, Training* training) {
  const std::lock_guard lock{mutex_};
  state_.training = progress;
  training_ = training;
  told_ = true;
}

void Progress::end() {
  const std::lock_guard lock{mutex_};
  if (told_) draw(true);
  training_ = nullptr;
  told_ = false;
}

void Progress::draw_until_stopped(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, terminal_ ? terminal_interval : piped_interval,
                      [] { return false; });
    if (told_ && !stop.stop_requested()) draw(false);
  }
}

void Progress::gather(ProgressState& state) const {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  state.seconds = elapsed.count();
  if (!journal_.empty()) state.energy = newest_balance(journal_);
  if (training_ == nullptr || training_->executor() == nullptr) return;
  state.seeds = training_->executor()->seeds();
  state.region_names.clear();
  for (const auto& region : training_->host().regions) state.region_names.push_back(region.name);
}

void Progress::draw(bool last) {
  gather(state_);
  auto line = progress_line(state_);
  if (colour_ && !state_.arm.empty())
    line = "\033[1m" + state_.arm + "\033[0m" + line.substr(state_.arm.size());
  if (terminal_)
    std::cerr << "\r\033[K" << line << (last ? "\n" : "") << std::flush;
  else
    std::cerr << line << '\n' << std::flush;
}

}  // namespace esper
