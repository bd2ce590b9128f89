#pragma once
// One step of one replica that is to count as not begun: all that it moves before the host's
// update.
#include "gpu/live_seed.hpp"
#include "gpu/session_data.hpp"

namespace esper {

class StepUndo {
 public:
  /// Between two steps: buffers, the loop's streams and data position and, of seeds, all that they
  /// learn. `bed` may be null. The host's weights and moments are left out: nothing
  /// touches them before the update. Memory is reused.
  void take(HostModel& host, SeedBed* bed, const SessionData& data);
  /// Gradients are then undefined. Errors: InvariantViolation without a take.
  void restore(const SessionData& data);

 private:
  struct SeedState {
    LiveSeed* live{};
    AlphaRamp ramp;
    double alpha{}, relative_norm{}, gradient_norm{};
    std::uint64_t updates{}, non_finite{};
    bool silenced{}, averaged{};
  };
  Snapshot kept_;
  std::vector<SeedState> seeds_;
  std::vector<std::uint64_t> position_;
};

}  // namespace esper
