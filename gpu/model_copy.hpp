#pragma once
// A second host of the same structure, which nobody trains: what Elesh measures on, and a frozen
// teacher. It computes in evaluation mode what the original does, bit for bit.
#include <functional>

#include "gpu/live_seed.hpp"

namespace esper {

using HostFactory = std::function<std::unique_ptr<HostModel>()>;

class ModelCopy {
 public:
  /// factory    makes a host of the original's initial shape
  /// builder    of the original's seeds
  /// What they draw comes from a stream of the copy's own, and the global one is put back: on the
  /// trainer's thread only, as is `take`.
  explicit ModelCopy(const HostFactory& factory, ModuleBuilder builder = build);

  /// Becomes `from` as it stands: tensors, shapes, description, and every seed that is fossilised
  /// or in the path, at its alpha. Reuses memory; while the structure stays the same it only copies
  /// values. `from` and the seeds of `bed` are read alone. No graph of the copy's may be alive.
  void take(HostModel& from, const SeedBed& bed);

  [[nodiscard]] bool taken() const { return from_ != nullptr; }
  [[nodiscard]] HostModel& host() { return *host_; }
  /// Its own, with the copied seeds.
  [[nodiscard]] SeedBed& bed() { return bed_; }

 private:
  struct Standing {
    const Seed* seed;
    SlotMode mode;
    friend bool operator==(const Standing&, const Standing&) = default;
  };
  void replant(HostModel& from, const SeedBed& bed);
  void plant(const LiveSeed& original, HostModel& from);
  void pair(const torch::nn::Module& own, const torch::nn::Module& others);

  at::Generator stream_;
  ModuleBuilder builder_;
  std::unique_ptr<HostModel> host_;
  SeedBed bed_;
  const HostModel* from_{};
  std::vector<Standing> standing_;                              ///< as last taken
  std::vector<std::pair<torch::Tensor, torch::Tensor>> pairs_;  ///< own, the original's
};

}  // namespace esper
