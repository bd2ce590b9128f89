#pragma once
// What is trained without tensors: seeds, weather and a host in numbers, step by step, and a few
// weights that every step and every seed moves. Everything follows from the seed and the turns that
// it was handed.
#include <deque>
#include <mutex>

#include "actors/decisions/overhead.hpp"
#include "messages/interfaces.hpp"
#include "sim/seed_bed.hpp"
#include "sim/weather.hpp"

namespace esper::plain {

class Loop {
 public:
  static constexpr std::size_t weights_per_region = 256;

  Loop(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue);

  /// One step; what a reflex does is told in `report`.
  void take_step(WindowReport& report);
  /// The boundary that closes `window`: carries the turns out and tells everything.
  void close(Window window, const std::vector<TurnRelease>& turns, bool silent,
             WindowReport& report);
  void fence(RegionId region, Epoch epoch) { bed_.fence(region, epoch); }

  [[nodiscard]] const HostDescription& host() const { return host_; }
  [[nodiscard]] const sim::SeedBed& bed() const { return bed_; }
  [[nodiscard]] Tick tick() const { return tick_; }
  [[nodiscard]] Step step() const { return step_; }
  [[nodiscard]] double loss() const;
  [[nodiscard]] const OperationCount& operations() const { return operations_; }
  [[nodiscard]] bool cut() const { return cut_; }
  /// Of the slot when that seed was planted.
  [[nodiscard]] std::uint32_t born_channels(SeedId seed) const;
  /// By region. A checkpoint's are put back as they are, never computed again.
  [[nodiscard]] std::vector<std::vector<double>>& weights() { return weights_; }
  /// From any thread: of the copy that was taken at that checkpoint.
  [[nodiscard]] std::optional<ImportanceReport> measure(std::uint64_t checkpoint) const;

 private:
  void operate(const SurgeryOrder& order, Window window, WindowReport& report);
  void close_checkpoint(std::uint64_t checkpoint, Window window, WindowReport& report);
  void tell_regions(Window window, WindowReport& report);
  [[nodiscard]] double learning_rate_ratio() const;

  struct Copy {
    std::uint64_t checkpoint{}, structure{};
    HostDescription host;
  };

  const RunConfig& config_;
  HostDescription host_;
  sim::SeedBed bed_;
  std::vector<sim::RegionWeather> weather_;
  std::vector<std::uint64_t> non_finite_;  ///< by region, in this window
  std::vector<std::vector<double>> weights_;
  std::map<SeedId, std::uint32_t> born_;
  Tick tick_;
  Step step_;
  std::uint32_t step_in_window_{};
  double base_loss_{2}, loss_before_{2};
  Overhead overhead_;
  OperationCount operations_;
  SurgeryGround ground_;
  bool cut_{};
  mutable std::mutex copy_lock_;
  Copy copy_;
};

}  // namespace esper::plain
