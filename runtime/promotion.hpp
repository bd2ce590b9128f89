#pragma once
// The three numbers by which the whole system is judged: does adapting make training worse while it
// goes on, does what a scaffold taught stay, and does cutting make the model faster. Pure.
#include "messages/training.hpp"
#include "runtime/account.hpp"

namespace esper {

struct CurvePoint {
  Window window;
  Step step;
  double loss{};  ///< nats per sample, mean over the window's training batches

  static constexpr auto schema =
      record("CurvePoint", field("window", &CurvePoint::window), field("step", &CurvePoint::step),
             field("loss", &CurvePoint::loss));
};

struct ArmCurve {
  std::string arm;
  std::vector<CurvePoint> points;

  static constexpr auto schema =
      record("ArmCurve", field("arm", &ArmCurve::arm), field("points", &ArmCurve::points));
};

/// A window regresses when its loss is more than `band` above the arm's best window before it, or
/// no number. Counted over windows with a seed in the grown model's path, and the same of the host.
struct RegressionNumber {
  double band{};  ///< relative
  std::uint64_t windows{};
  std::uint64_t grown{};
  std::optional<std::uint64_t> host;  ///< absent: no such arm was trained
  double grown_worst{};               ///< largest relative rise over the best so far, >= 0
  std::optional<double> host_worst;

  static constexpr auto schema = record(
      "RegressionNumber", field("band", &RegressionNumber::band),
      field("windows", &RegressionNumber::windows), field("grown", &RegressionNumber::grown),
      field("host", &RegressionNumber::host), field("grown_worst", &RegressionNumber::grown_worst),
      field("host_worst", &RegressionNumber::host_worst));
};

/// The gate split's loss at the last checkpoint before a scaffold's sunset against the first one
/// after, and how the others after stand to that before. Training goes on between two checkpoints:
/// what the leaving itself did to the output is `output_change`.
struct SunsetNumber {
  std::string region, blueprint;
  Window sunset;
  std::uint64_t checkpoint_before{}, checkpoint_after{};
  double loss_before{}, loss_after{};  ///< nats per sample
  double change{};                     ///< after minus before; below 0: it went on falling
  std::uint64_t later{};               ///< checkpoints after the sunset
  std::uint64_t later_above{};         ///< of these, with more loss than the one before it
  double output_change{};              ///< of the host's output at the sunset, relative

  static constexpr auto schema =
      record("SunsetNumber", field("region", &SunsetNumber::region),
             field("blueprint", &SunsetNumber::blueprint), field("sunset", &SunsetNumber::sunset),
             field("checkpoint_before", &SunsetNumber::checkpoint_before),
             field("checkpoint_after", &SunsetNumber::checkpoint_after),
             field("loss_before", &SunsetNumber::loss_before),
             field("loss_after", &SunsetNumber::loss_after), field("change", &SunsetNumber::change),
             field("later", &SunsetNumber::later), field("later_above", &SunsetNumber::later_above),
             field("output_change", &SunsetNumber::output_change));
};

/// Latency of the shape before surgery over that of the finished model; above 1 is faster.
struct SpeedNumber {
  std::uint64_t surgeries{};             ///< kept
  std::uint64_t in_calm{};               ///< of these, in windows without a region in crisis
  double batch{}, single{};              ///< by medians of interleaved passes
  double batch_least{}, single_least{};  ///< by their least

  static constexpr auto schema =
      record("SpeedNumber", field("surgeries", &SpeedNumber::surgeries),
             field("in_calm", &SpeedNumber::in_calm), field("batch", &SpeedNumber::batch),
             field("single", &SpeedNumber::single), field("batch_least", &SpeedNumber::batch_least),
             field("single_least", &SpeedNumber::single_least));
};

struct Promotion {
  RegressionNumber regression;
  std::vector<SunsetNumber> sunsets;
  std::optional<SpeedNumber> speed;  ///< absent: nothing was cut, or no latency was measured

  static constexpr auto schema =
      record("Promotion", field("regression", &Promotion::regression),
             field("sunsets", &Promotion::sunsets), field("speed", &Promotion::speed));
};

[[nodiscard]] RegressionNumber regression_of(const std::vector<WindowAccount>& windows,
                                             const std::vector<ArmCurve>& curves);
/// Of the scaffolds that left between two checkpoints.
[[nodiscard]] std::vector<SunsetNumber> sunsets_of(
    const std::vector<ScaffoldAccount>& scaffolds,
    const std::vector<CheckpointAccount>& checkpoints);
/// `grown` may be null: it was not measured.
[[nodiscard]] std::optional<SpeedNumber> speed_of(const RunAccount& account,
                                                  const std::optional<TrainedModel>& uncut,
                                                  const TrainedModel* grown);

}  // namespace esper
