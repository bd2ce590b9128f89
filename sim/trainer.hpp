#pragma once
// The trainer of a simulation, without tensors: steps in virtual time, windows, checkpoints,
// surgery; takes turns as the real session does. Everything on the world's one thread.
#include <deque>
#include <functional>
#include <optional>

#include "actors/decisions/overhead.hpp"
#include "messages/interfaces.hpp"
#include "sim/seed_bed.hpp"
#include "sim/weather.hpp"
#include "sim/world.hpp"

namespace esper::sim {

/// What checkers see of the trainer, as it happens.
class TrainerWatch {
 public:
  virtual ~TrainerWatch() = default;
  /// A command met its boundary. `seeds`: after it.
  virtual void applied(const AdaptationCommand&, const Outcome&,
                       const std::vector<SimulatedSeed>&) = 0;
  virtual void fenced(RegionId, Epoch) = 0;
  virtual void operated(const SurgeryOrder&, const SurgeryOutcome&, Window) = 0;
  virtual void reflexed(const std::vector<Outcome>&, const std::vector<SimulatedSeed>&) = 0;
  /// One step was taken; alphas are those of the coming one.
  virtual void stepped(const std::vector<SimulatedSeed>&, Window coming) = 0;
  virtual void closed(const WindowReport&, const std::vector<SimulatedSeed>&) = 0;
  /// The trainer stood still. `boundary`: at a window's, in lockstep, with a living control side.
  virtual void waited(std::uint64_t ms, bool boundary) = 0;
};

struct TrainerSettings {
  std::uint64_t windows{};
  std::uint64_t step_ms{100};
  std::uint64_t quiet_from_window{};  ///< from there on no new weather
};

class SimulatedTrainer final : public Executor {
 public:
  SimulatedTrainer(World& world, const RunConfig& config, const HostDescription& host,
                   const Catalogue& catalogue, const TrainerSettings& settings,
                   TrainerWatch& watch);

  /// Schedules the first step.
  void begin();
  [[nodiscard]] bool done() const { return window_.value >= settings_.windows; }
  [[nodiscard]] Window window() const { return window_; }
  [[nodiscard]] bool waiting() const { return waiting_since_ms_.has_value(); }
  [[nodiscard]] RegionWeather& weather(RegionId region) { return weather_.at(region.value); }

  void repeat_next_turn() { repeats_ = true; }

  /// Kasmina's hands lie or do not answer, for the simulation's faults.
  std::function<bool()> silent;                       ///< true: nothing is taken
  std::function<void(std::vector<SeedStatus>&)> lie;  ///< alters what seeds() answers

  [[nodiscard]] bool next_window(WindowReport& report, std::chrono::milliseconds) override;
  void finish_window(Window window) override;
  void wake() override {}
  [[nodiscard]] bool release(const TurnRelease& turn) override;
  [[nodiscard]] Window released() const override { return released_; }
  void catch_up(Window) override {}
  void fence(RegionId region, Epoch epoch) override;
  [[nodiscard]] std::vector<SeedStatus> seeds() const override;
  [[nodiscard]] std::optional<ImportanceReport> measure_importance(std::uint64_t) override;
  void set_control_alive(bool alive) override;

 private:
  void step();
  void reach_boundary();
  void close_window();
  void take_turns(Window newest);
  void escape_now();
  void apply_turns();
  void operate(const SurgeryOrder& order);
  void close_checkpoint(std::uint64_t checkpoint);
  [[nodiscard]] double learning_rate_ratio() const;
  void tell_regions();
  void publish();
  void schedule_step();
  [[nodiscard]] double loss() const;

  struct Pending {
    TurnRelease turn;
    bool escapes_done{};
  };

  World& world_;
  const RunConfig& config_;
  HostDescription host_;
  TrainerSettings settings_;
  TrainerWatch& watch_;
  SeedBed bed_;
  std::vector<RegionWeather> weather_;
  Window window_, released_, newest_turn_;
  Tick tick_;
  Step step_;
  std::uint32_t step_in_window_{};
  double base_loss_{2}, loss_before_{2};
  bool stalled_{}, alive_{true}, repeats_{};
  Overhead overhead_;
  std::optional<std::uint64_t> waiting_since_ms_;
  WindowReport draft_;
  std::vector<std::uint64_t> non_finite_;  ///< by region, in this window
  std::deque<WindowReport> windows_;
  std::deque<TurnRelease> turns_;  ///< handed over, not taken
  std::vector<Pending> pending_;
  std::vector<SurgeryOrder> orders_;
  SurgeryGround ground_;
  std::vector<SeedStatus> published_;
  std::uint64_t copied_{}, copied_structure_{};
  HostDescription copied_host_;
};

}  // namespace esper::sim
