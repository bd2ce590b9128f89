#pragma once
// Region and device facts of one window. Every field of RegionTelemetry changes some decision.
#include "messages/fault.hpp"
#include "messages/override.hpp"
#include "messages/pruning.hpp"

namespace esper {

/// A gate's measurement on the gate split, host in evaluation mode, natural-log cross entropy.
struct GateMeasurement {
  bool measured{};        ///< false: no pass ran for this seed in this window
  double loss_without{};  ///< nats per sample, the seed's slot at alpha = 0
  double loss_with{};     ///< at target alpha (isolated) or present alpha (grafting, stabilising)
  double loss_joint{};    ///< all seeds about to graft at once, at target alpha; = loss_with alone
  bool finite{};          ///< loss and the seed's gradients
  std::uint32_t samples{};

  static constexpr auto schema = record(
      "GateMeasurement", field("measured", &GateMeasurement::measured),
      field("loss_without", &GateMeasurement::loss_without),
      field("loss_with", &GateMeasurement::loss_with),
      field("loss_joint", &GateMeasurement::loss_joint), field("finite", &GateMeasurement::finite),
      field("samples", &GateMeasurement::samples));
};

struct SeedTelemetry {
  SeedId seed;
  SlotId slot;
  Stage stage{};
  double alpha{};
  std::uint64_t updates{};     ///< of the seed's own optimizer, since germination
  double relative_norm{};      ///< RMS(f) / RMS(h), the window's last measured value
  double gradient_norm{};      ///< of the seed's parameters, the window's last
  std::uint64_t non_finite{};  ///< seed passes of this window with a non-finite loss or gradient
  GateMeasurement gate;

  static constexpr auto schema =
      record("SeedTelemetry", field("seed", &SeedTelemetry::seed),
             field("slot", &SeedTelemetry::slot), field("stage", &SeedTelemetry::stage),
             field("alpha", &SeedTelemetry::alpha), field("updates", &SeedTelemetry::updates),
             field("relative_norm", &SeedTelemetry::relative_norm),
             field("gradient_norm", &SeedTelemetry::gradient_norm),
             field("non_finite", &SeedTelemetry::non_finite), field("gate", &SeedTelemetry::gate));
};

struct RegionTelemetry {
  RegionId region;
  Window window;
  std::uint32_t steps_covered{};  ///< accepted steps in the window
  std::uint32_t steps_missing{};  ///< skipped, or lost with a dropped window
  double loss_mean{};             ///< nats per sample, training batches
  double loss_sigma{};            ///< standard deviation around the window's linear trend
  double jitter{};                ///< 95th percentile of |RMS_t - RMS_t-1| / RMS_t-1
  double drift{};                 ///< relative rise of loss_mean over the window before
  double diversity{};             ///< effective rank over its own calm median
  double signal_rms{};            ///< output RMS over input RMS
  double signal_gradient{};       ///< gradient norm per root parameter over the regions' median
  double gradient_norm_median{};
  double gradient_norm_max{};
  std::uint64_t non_finite{};    ///< steps with a non-finite loss or gradient here
  double learning_rate_ratio{};  ///< present over peak
  std::vector<SeedTelemetry> seeds;

  static constexpr auto schema = record(
      "RegionTelemetry", field("region", &RegionTelemetry::region),
      field("window", &RegionTelemetry::window),
      field("steps_covered", &RegionTelemetry::steps_covered),
      field("steps_missing", &RegionTelemetry::steps_missing),
      field("loss_mean", &RegionTelemetry::loss_mean),
      field("loss_sigma", &RegionTelemetry::loss_sigma), field("jitter", &RegionTelemetry::jitter),
      field("drift", &RegionTelemetry::drift), field("diversity", &RegionTelemetry::diversity),
      field("signal_rms", &RegionTelemetry::signal_rms),
      field("signal_gradient", &RegionTelemetry::signal_gradient),
      field("gradient_norm_median", &RegionTelemetry::gradient_norm_median),
      field("gradient_norm_max", &RegionTelemetry::gradient_norm_max),
      field("non_finite", &RegionTelemetry::non_finite),
      field("learning_rate_ratio", &RegionTelemetry::learning_rate_ratio),
      field("seeds", &RegionTelemetry::seeds));
};

/// Measured, never logical: enters no decision hash, and no decision but with use_timing.
struct DeviceTelemetry {
  double step_seconds_p50{};
  double step_seconds_p99{};
  double control_seconds{};  ///< spent in the session's calls during the window
  std::uint64_t bytes_in_use{};
  std::uint64_t checkpoint_written{};   ///< newest on disk; 0: none
  std::uint64_t checkpoint_failures{};  ///< in a row

  static constexpr auto schema =
      record("DeviceTelemetry", field("step_seconds_p50", &DeviceTelemetry::step_seconds_p50),
             field("step_seconds_p99", &DeviceTelemetry::step_seconds_p99),
             field("control_seconds", &DeviceTelemetry::control_seconds),
             field("bytes_in_use", &DeviceTelemetry::bytes_in_use),
             field("checkpoint_written", &DeviceTelemetry::checkpoint_written),
             field("checkpoint_failures", &DeviceTelemetry::checkpoint_failures));
};

/// At which boundary a turn's commands took effect. On time: boundary == turn + 1.
struct TurnApplied {
  Window turn;
  Window boundary;
  bool late{};

  static constexpr auto schema =
      record("TurnApplied", field("turn", &TurnApplied::turn),
             field("boundary", &TurnApplied::boundary), field("late", &TurnApplied::late));
};

/// What a window cost, in multiply-accumulates by formula.
struct OperationCount {
  std::uint64_t training{};  ///< forward and backward of the host with its fossilised seeds
  std::uint64_t seeds{};     ///< seeds in the training pass
  std::uint64_t shadow{};    ///< shadow passes
  std::uint64_t gate{};      ///< gate passes
  std::uint64_t weaning{};   ///< distillation passes of a host that a scaffold leaves

  static constexpr auto schema =
      record("OperationCount", field("training", &OperationCount::training),
             field("seeds", &OperationCount::seeds), field("shadow", &OperationCount::shadow),
             field("gate", &OperationCount::gate), field("weaning", &OperationCount::weaning));
};

/// Everything that one closed window tells the control side.
struct WindowReport {
  Window window;
  Tick tick;
  Step step;
  std::vector<RegionTelemetry> regions;
  std::vector<Outcome> outcomes;  ///< of commands applied at this boundary, and of reflexes
  std::vector<TurnApplied> applied;
  OperationCount operations;
  bool overhead_paused{};  ///< isolated seeds stand still this coming window
  bool verdict_ignored{};  ///< the loop stepped on a skip and was restored
  bool stalled{};          ///< a turn was awaited past pace.stall_ms_max: free from here on
  std::optional<CheckpointReady> checkpoint;  ///< this boundary is one
  std::vector<SurgeryOutcome> surgeries;      ///< carried out or refused at this boundary
  std::vector<Override> overrides;            ///< of people, taken in by this window's turn
  std::vector<InjectedFault> faults;          ///< that have struck since the turn before
  DeviceTelemetry device;                     ///< measured

  static constexpr auto schema = record(
      "WindowReport", field("window", &WindowReport::window), field("tick", &WindowReport::tick),
      field("step", &WindowReport::step), field("regions", &WindowReport::regions),
      field("outcomes", &WindowReport::outcomes), field("applied", &WindowReport::applied),
      field("operations", &WindowReport::operations),
      field("overhead_paused", &WindowReport::overhead_paused),
      field("verdict_ignored", &WindowReport::verdict_ignored),
      field("stalled", &WindowReport::stalled), field("checkpoint", &WindowReport::checkpoint),
      field("surgeries", &WindowReport::surgeries), field("overrides", &WindowReport::overrides),
      field("faults", &WindowReport::faults), field("device", &WindowReport::device));
};

}  // namespace esper
