#pragma once
// The places of a training that a checkpoint names, each the same for reading and for writing.
#include <map>
#include <variant>

#include "gpu/graft_checkpoint.hpp"

namespace esper {

enum class Moment : std::uint8_t { first, second, largest, step };

struct MomentPlace {
  torch::optim::Optimizer* optimizer;
  at::Tensor parameter;
  Moment moment;
};

struct Part {
  std::string name;
  std::variant<at::Tensor, MomentPlace, at::Generator> place;

  /// What stands there, not copied; undefined: nothing does.
  [[nodiscard]] at::Tensor read() const;
  /// What a snapshot holds of it.
  [[nodiscard]] at::Tensor read(const Snapshot& snapshot) const;
  /// In place: the TensorImpl stays, also where the shape is another.
  void write(const at::Tensor& value) const;
};

/// Parameters, buffers and moments of the host with its fossilised seeds, and every stream that it
/// is trained with.
[[nodiscard]] std::vector<Part> host_parts(HostModel& host, torch::optim::Optimizer& optimizer,
                                           const SeedBed& bed, const SessionData& data);
/// The same of one seed that is not fossilised, with its average.
[[nodiscard]] std::vector<Part> seed_parts(const LiveSeed& live);

/// The name of the part that each live tensor is.
[[nodiscard]] std::map<const at::TensorImpl*, std::string> names_of(const std::vector<Part>& parts);

}  // namespace esper
