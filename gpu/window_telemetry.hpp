#pragma once
// Gathers one window's facts per region, step by step, in memory taken once.
#include "gpu/host_model.hpp"
#include "gpu/session_memory.hpp"
#include "gpu/vital_signs.hpp"
#include "messages/configuration.hpp"
#include "messages/telemetry.hpp"

namespace esper {

/// Where a region's activations enter and leave it.
struct RegionPorts {
  Slot* output{};          ///< the region's last slot; null: it has none
  const Slot* input{};     ///< null: the batch itself
  bool input_is_branch{};  ///< the input is what `input` was given to blend with
};
/// One per region, by the slots and edges of the host's description.
[[nodiscard]] std::vector<RegionPorts> ports_of(HostModel& host);

class WindowTelemetry {
 public:
  WindowTelemetry(HostModel& host, const GateConfig& gates, std::uint32_t window_steps);

  /// After backward: gradient norms of each region. False: one is not finite.
  [[nodiscard]] bool measure_gradients();
  /// After backward, while slots still hold their activations. `batch`: the step's inputs.
  /// `with_rank`: effective rank and signal, too, the dearest measurements, once a window.
  void measure_activations(const at::Tensor& batch, bool with_rank);
  /// The step was kept, or left out.
  void accept(double loss);
  void skip(bool non_finite);
  /// What of the window under way was measured on this replica's samples alone, and the same of all
  /// replicas in its place, in the same order.
  [[nodiscard]] std::vector<double> measured_here();
  void measured_by_all(const std::vector<double>& means);
  /// The step under way is not to count: all as it was at its `mark`.
  void mark();
  void undo();
  /// Fills the regions' part of the report, but for seeds, and begins the next window.
  void close(Window window, double learning_rate_ratio, std::vector<RegionTelemetry>& regions);

  /// After surgery: what regions of another size than before remember of it is forgotten.
  void look_again(HostModel& host);

  /// For a checkpoint, between two windows.
  [[nodiscard]] TelemetryMemory memory() const;
  /// Of a host of the same shape. Errors: std::runtime_error, one clause, for other regions.
  void remember(const TelemetryMemory& memory);

  /// The last gradients and loss were finite.
  [[nodiscard]] bool gradients_finite() const { return gradients_finite_; }

 private:
  struct Region {
    RegionPorts ports;
    std::vector<at::Tensor> parameters;
    double root_parameters{};
    RegionMemory past;  ///< all that outlives a window
    // Of the window under way: empty where one begins.
    std::vector<double> changes;  ///< |RMS_t - RMS_t-1| / RMS_t-1
    std::vector<double> norms;    ///< of accepted steps
    std::uint64_t non_finite{};
    std::optional<double> jitter;  ///< of all replicas
    struct {
      std::size_t changes{};
      std::uint64_t non_finite{};
      double last_rms{}, output_rms{}, input_rms{}, rank{}, input_rank{};
    } marked;
    double norm{};                                      ///< of the present step
    std::optional<EffectiveRank> ranker, input_ranker;  ///< memory to compute in
  };
  void measure_sizes(Region& region, HostModel& host, RegionId id);
  void close_region(Region& region, RegionTelemetry& told);
  [[nodiscard]] double diversity(Region& region, bool calm);

  GateConfig gates_;
  std::uint32_t window_steps_;
  std::vector<Region> regions_;
  double loss_before_{};  ///< outlives a window, as each region's `past`
  // Of the window, or of the step, under way.
  std::vector<double> losses_, scratch_;
  std::uint32_t skipped_{};
  bool gradients_finite_{true};
};

}  // namespace esper
