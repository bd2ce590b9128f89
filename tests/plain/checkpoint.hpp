#pragma once
// The plain trainer's checkpoints: real files, put and read by gpu/checkpoint_folder. What trains
// stands in two kinds of tensors: weights as they are, and the turns that were carried out, from
// which seeds and host are made again.
#include "gpu/checkpoint_writer.hpp"
#include "messages/turn.hpp"

namespace esper::plain {

/// A turn and the boundary at which it took effect.
struct TakenTurn {
  Window boundary;
  TurnRelease turn;

  static constexpr auto schema =
      record("TakenTurn", field("boundary", &TakenTurn::boundary), field("turn", &TakenTurn::turn));
};

struct PlainMemory {
  std::vector<TakenTurn> turns;  ///< all of the run, in their order

  static constexpr auto schema = record("PlainMemory", field("turns", &PlainMemory::turns));
};

struct Checkpoint {
  CheckpointManifest manifest;
  PlainMemory memory;
  std::vector<std::vector<double>> weights;  ///< by region
};

[[nodiscard]] CheckpointJob job_of(Checkpoint checkpoint);
/// Errors: std::runtime_error, one sentence with the path.
[[nodiscard]] Checkpoint read(const std::filesystem::path& file);

}  // namespace esper::plain
