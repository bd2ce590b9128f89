#pragma once
// What of a session outlives the boundary of a window, but for tensors. Each class keeps it in one
// described struct and a checkpoint holds that as it stands, so that saving and loading cannot
// forget a member; what a class keeps beside it is empty there, or set anew before it is read, and
// the class says so.
#include "actors/decisions/admission.hpp"
#include "actors/decisions/overhead.hpp"
#include "messages/telemetry.hpp"

namespace esper {

/// gpu/session
struct SessionMemory {
  Tick tick;
  Window window;       ///< closed windows
  Window newest_turn;  ///< taken from the exchange
  Overhead overhead;
  OperationCount operations;  ///< of all closed windows
  bool stalled{}, verdict_ignored{}, ignored_told{};
  std::uint64_t late_turns{};

  static constexpr auto schema = record(
      "SessionMemory", field("tick", &SessionMemory::tick), field("window", &SessionMemory::window),
      field("newest_turn", &SessionMemory::newest_turn),
      field("overhead", &SessionMemory::overhead), field("operations", &SessionMemory::operations),
      field("stalled", &SessionMemory::stalled),
      field("verdict_ignored", &SessionMemory::verdict_ignored),
      field("ignored_told", &SessionMemory::ignored_told),
      field("late_turns", &SessionMemory::late_turns));
};

/// gpu/step_boundary
struct BoundaryMemory {
  std::vector<HighWater> high_water;  ///< by region
  std::uint64_t grafts{};             ///< so far

  static constexpr auto schema =
      record("BoundaryMemory", field("high_water", &BoundaryMemory::high_water),
             field("grafts", &BoundaryMemory::grafts));
};

/// gpu/checkpoint_boundary
struct CheckpointMemory {
  std::uint64_t zone_version{}, newest_plan{};
  Epoch newest_epoch;  ///< that ordered a surgery
  bool ever_cut{};
  std::uint64_t journal_sequence{};  ///< as the newest turn told it
  std::string journal_head;
  bool coupling_checked{};
  std::string coupling_fault;  ///< of the host's description; "": it is true

  static constexpr auto schema =
      record("CheckpointMemory", field("zone_version", &CheckpointMemory::zone_version),
             field("newest_plan", &CheckpointMemory::newest_plan),
             field("newest_epoch", &CheckpointMemory::newest_epoch),
             field("ever_cut", &CheckpointMemory::ever_cut),
             field("journal_sequence", &CheckpointMemory::journal_sequence),
             field("journal_head", &CheckpointMemory::journal_head),
             field("coupling_checked", &CheckpointMemory::coupling_checked),
             field("coupling_fault", &CheckpointMemory::coupling_fault));
};

/// What telemetry remembers of one region.
struct RegionMemory {
  std::vector<double> calm_ranks;  ///< a ring of the newest calm windows'
  std::uint64_t next_calm{};
  double last_rms{};                 ///< 0: none yet
  double output_rms{}, input_rms{};  ///< of the step with rank
  double rank{1}, input_rank{1};

  static constexpr auto schema = record(
      "RegionMemory", field("calm_ranks", &RegionMemory::calm_ranks),
      field("next_calm", &RegionMemory::next_calm), field("last_rms", &RegionMemory::last_rms),
      field("output_rms", &RegionMemory::output_rms), field("input_rms", &RegionMemory::input_rms),
      field("rank", &RegionMemory::rank), field("input_rank", &RegionMemory::input_rank));
};

/// gpu/window_telemetry
struct TelemetryMemory {
  std::vector<RegionMemory> regions;
  double loss_before{};  ///< mean of the last window that had an accepted step; 0: none yet

  static constexpr auto schema =
      record("TelemetryMemory", field("regions", &TelemetryMemory::regions),
             field("loss_before", &TelemetryMemory::loss_before));
};

/// gpu/turn_exchange
struct ExchangeMemory {
  std::vector<Epoch> fences;          ///< by region
  Window released;                    ///< newest turn taken
  std::vector<WindowReport> reports;  ///< published, their turns not released; the newest last
  std::vector<SeedStatus> seeds;      ///< as seeds() answers

  static constexpr auto schema =
      record("ExchangeMemory", field("fences", &ExchangeMemory::fences),
             field("released", &ExchangeMemory::released),
             field("reports", &ExchangeMemory::reports), field("seeds", &ExchangeMemory::seeds));
};

}  // namespace esper
