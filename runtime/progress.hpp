#pragma once
// How a run is going, on standard error: one line redrawn on a terminal, plain lines when piped.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "messages/interfaces.hpp"

namespace esper {

/// What one progress line says.
struct ProgressState {
  std::string arm;
  TrainingProgress training;
  double seconds{};                     ///< since the arm began
  std::optional<LedgerBalance> energy;  ///< of the newest turn
  std::vector<std::string> region_names;
  std::vector<SeedStatus> seeds;
};

/// The line cut to a terminal of so many columns, so that the next one can be drawn over it.
[[nodiscard]] std::string fitted(std::string line, std::size_t columns);

/// "grown  step 120/300  loss 0.5123  energy 240 free, 95 spent  seeds early 1 late 0  8 s left".
[[nodiscard]] std::string progress_line(const ProgressState& state);

/// A thread of its own draws, so that the trainer only leaves its newest numbers behind.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  ///< the last line is drawn

  /// A new arm begins. `journal`: where its energy stands; empty: it has none.
  void begin(const std::string& arm, const std::filesystem::path& journal);
  /// From the trainer's thread. `training` lives until the next begin() or end().
  void tell(const TrainingProgress& progress, Training* training);
  /// The arm is over; its training is not looked at any more.
  void end();

 private:
  void draw_until_stopped(const std::stop_token& stop);
  void draw(bool last);
  void gather(ProgressState& state, Training* training, const std::filesystem::path& journal) const;

  bool terminal_;
  bool colour_;
  std::mutex drawing_;  ///< held while a line is drawn, which may take long; before `mutex_`
  std::mutex mutex_;    ///< of what follows; the trainer waits for it in tell()
  std::condition_variable_any changed_;
  ProgressState state_;
  std::filesystem::path journal_;
  Training* training_{};
  std::chrono::steady_clock::time_point start_;
  bool told_{};
  std::jthread thread_;
};

}  // namespace esper
