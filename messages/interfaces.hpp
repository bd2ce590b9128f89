#pragma once
// The seams between layers, without CAF and without tensors.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "messages/audit.hpp"
#include "messages/cluster.hpp"
#include "messages/configuration.hpp"
#include "messages/host.hpp"
#include "messages/result.hpp"
#include "messages/turn.hpp"

namespace esper {

/// The step boundary as the control side sees it. Every call is safe from any thread while the
/// trainer runs; none blocks the trainer.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Waits at most `patience` for a closed window that has not been finished; false: none yet, or
  /// woken by `wake`. The same window is shown again until `finish_window` (a reader may die).
  [[nodiscard]] virtual bool next_window(WindowReport& report,
                                         std::chrono::milliseconds patience) = 0;
  /// The turn of this window (and of all before) is in the journal: drop its report.
  virtual void finish_window(Window window) = 0;
  /// Ends a wait in next_window.
  virtual void wake() = 0;

  /// Hands over one committed turn; turns come in order, a repeated turn is ignored. False: the
  /// ring is full, try again.
  [[nodiscard]] virtual bool release(const TurnRelease& turn) = 0;
  /// The newest turn handed over; 0 when none.
  [[nodiscard]] virtual Window released() const = 0;

  /// Up to the boundary that closes `until` the trainer waits for each turn in either pace: they
  /// are the journal's, handed over again.
  virtual void catch_up(Window until) = 0;

  /// Commands of that region from an older epoch change nothing from now on (FENCE-1).
  virtual void fence(RegionId region, Epoch epoch) = 0;
  /// The seeds' true stages, as of the last window boundary.
  [[nodiscard]] virtual std::vector<SeedStatus> seeds() const = 0;
  /// Elesh's work: importance on the copy that was taken at this checkpoint. Blocks; on the
  /// caller's own thread. Nothing: no such copy (any more), or woken by `wake`.
  [[nodiscard]] virtual std::optional<ImportanceReport> measure_importance(
      std::uint64_t checkpoint) = 0;
  /// A role's breaker opened: the control side cannot close turns any more, so lockstep must not
  /// wait for it. True again when it recovered.
  virtual void set_control_alive(bool alive) = 0;

  /// Fault injection: weights of a seed of that region become no numbers before a coming step, as
  /// soon as one stands there that has not fossilised; nothing: no longer asked. An executor
  /// without weights has none to poison.
  virtual void poison(std::optional<RegionId>) {}
  /// Seeds that were poisoned so far.
  [[nodiscard]] virtual std::uint64_t poisoned() const { return 0; }
};

struct TrainingProgress {
  Step step;
  Step steps;
  double loss{};
};

/// How the training loop ended.
struct TrainingEnd {
  TrainedModel model;
  Window last_window;  ///< closed; its turn may still be open
  bool interrupted{};
  bool stalled{};  ///< lockstep fell to free
  std::uint64_t late_turns{};
  std::vector<SeedStatus> seeds;  ///< all, fossilised ones included
  /// The finished model's shape, for training it from scratch: widths as TrainingRequest takes
  /// them, and the seeds that are part of it.
  std::vector<std::uint32_t> widths;
  std::vector<PlantedSeed> planted;
  bool cut{};  ///< channels were cut
  /// Mean training loss of each time.window_steps calls of the loop, nats per sample; a last window
  /// that was not filled is left out.
  std::vector<double> window_losses;
};

/// One host, its data and its loop; what libesper_gpu.so makes. All calls on one thread, but for
/// executor()'s.
class Training {
 public:
  virtual ~Training() = default;
  [[nodiscard]] virtual const HostDescription& host() const = 0;
  /// Null in mode off.
  [[nodiscard]] virtual Executor* executor() = 0;
  /// The cut that `run` goes on from, known before it is called; nothing: from the first step.
  /// Until then `host` is the host as it was launched, and the executor has released() and fences
  /// of the cut. `run` first publishes again the reports whose turns had not been released there,
  /// the cut's own window last.
  [[nodiscard]] virtual std::optional<CheckpointPlace> resumed() const { return std::nullopt; }
  /// Measures every blueprint in every slot, seeded, on the blueprint itself.
  [[nodiscard]] virtual Catalogue assess(const std::vector<Blueprint>& blueprints) = 0;
  /// Trains to the end or until `stop`; then reads the test split once.
  [[nodiscard]] virtual TrainingEnd run(
      const std::atomic<bool>& stop, const std::function<void(const TrainingProgress&)>& tell) = 0;
  /// Of several replicas, from any thread while `run` runs: that node is known to be lost. A call
  /// that waits for it ends at once.
  virtual void lose(const std::string& /*node*/) {}
  /// The model as `run` left it, without seeds that did not fossilise: parameters and buffers by
  /// name, in the layout of safetensors. `structure`: JSON text, kept beside them. Empty: written.
  /// Else one sentence, and the file is as it was before.
  [[nodiscard]] virtual std::string write_model(const std::string& file,
                                                const std::string& structure) = 0;
};

/// Asks every node that does not train; gives what those answered who did within that time.
using AskWitnesses = std::function<std::vector<WitnessAnswer>(const WitnessQuestion&,
                                                              std::chrono::milliseconds patience)>;

/// This process's place among the trainers that train one model together.
struct ReplicaPlace {
  std::string node;  ///< its name in the config
  /// "HOST:PORT" of the tables in which the trainers of a run find each other: the prime's, where
  /// they meet at first, then its standby's.
  std::vector<std::string> stores;
  std::uint16_t store_port{};       ///< of the table that it keeps itself; 0: any that is free
  bool leads{};                     ///< it has the control side beside it from the first step on
  std::uint64_t run{};              ///< where it leads: of a later launch of the same run, higher
  AskWitnesses ask_witnesses = {};  ///< empty: the trainers alone have votes
};

/// What a training run is asked to be. `widths` replaces the host's own when not empty.
struct TrainingRequest {
  RunConfig config;
  std::string arm;  ///< "host", "widened", "scratch", "grown"
  std::vector<std::uint32_t> widths;
  std::vector<PlantedSeed> planted = {};     ///< part of the host from the first step on
  std::string checkpoints = {};              ///< folder for checkpoints; "": none are written
  std::string resume_from = {};              ///< a checkpoint's file; "": from the first step
  std::optional<ReplicaPlace> replica = {};  ///< nothing: it trains alone
  /// Gets a sentence for people now and then, on the thread of `run`; empty: nobody does.
  std::function<void(const std::string&)> tell = {};
};

/// One file of a run's checkpoints.
struct CheckpointFound {
  std::string file;
  std::optional<CheckpointPlace> place;  ///< nothing: it is not whole
  std::string problem;                   ///< then one sentence, with the path
};

/// Exported by libesper_gpu.so as `esper_gpu`. Errors: throws std::runtime_error with one clear
/// sentence when data or device is missing, or when what `resume_from` names is damaged or is not
/// of this run.
class TrainingFactory {
 public:
  virtual ~TrainingFactory() = default;
  [[nodiscard]] virtual std::unique_ptr<Training> make(const TrainingRequest& request) = 0;
  [[nodiscard]] virtual std::string torch_version() const = 0;
  /// The checkpoints of a folder, oldest first, each read and checked whole.
  [[nodiscard]] virtual std::vector<CheckpointFound> checkpoints(const std::string&) { return {}; }
  /// Interleaved forward passes of trained models: fills both latencies of each, in order.
  virtual void measure_latency(const std::vector<Training*>& trained,
                               std::vector<TrainedModel*> models) = 0;
};
using TrainingFactoryEntry = TrainingFactory* (*)();

/// Some of a journal's entries: those of `kinds`, and those of `region_kinds` that are of `region`.
struct EntryChoice {
  std::vector<std::string_view> kinds;
  std::vector<std::string_view> region_kinds;
  RegionId region;

  [[nodiscard]] bool has(std::string_view kind, RegionId of) const {
    const auto in = [&](const auto& list) {
      return std::find(list.begin(), list.end(), kind) != list.end();
    };
    return in(kinds) || (of == region && in(region_kinds));
  }
};

/// Where turns are recorded. Called by one actor at a time.
class JournalStore {
 public:
  virtual ~JournalStore() = default;
  /// Writes all entries in one transaction with one sync. Their sequences must go on from
  /// next_sequence(). False: the disk refused and nothing was written.
  [[nodiscard]] virtual bool append(const std::vector<JournalEntry>& entries) = 0;
  [[nodiscard]] virtual std::uint64_t next_sequence() const = 0;
  /// Entries of the windows in [from, to], in sequence order.
  [[nodiscard]] virtual std::vector<JournalEntry> read(Window from, Window to) const = 0;
  /// Of those the chosen ones; a store that can leaves the others unread.
  [[nodiscard]] virtual std::vector<JournalEntry> read_chosen(Window from, Window to,
                                                              const EntryChoice& choice) const {
    auto entries = read(from, to);
    std::erase_if(entries,
                  [&](const JournalEntry& entry) { return !choice.has(entry.kind, entry.region); });
    return entries;
  }
  /// The newest window that has entries; 0 when none.
  [[nodiscard]] virtual Window last_window() const = 0;
  /// The chain's hash after the last entry.
  [[nodiscard]] virtual std::string head() const = 0;
  /// The chain's hash after that entry; "" when there is none.
  [[nodiscard]] virtual std::string head_at(std::uint64_t sequence) const = 0;
};

/// The one registry of counters, gauges and histograms. Safe from any thread. Names have the
/// esper_ prefix and base units; `role` and `region` are the only labels, so series stay bounded.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual void add(std::string_view name, std::string_view role, std::string_view region,
                   double amount) = 0;
  virtual void set(std::string_view name, std::string_view role, std::string_view region,
                   double value) = 0;
  virtual void observe(std::string_view name, std::string_view role, double value) = 0;
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };
ESPER_ENUM_NAMES(LogLevel, "debug", "info", "warning", "error");

/// JSON lines, written off the caller's thread. `details` is a JSON object's text or "".
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view event, std::string_view details) = 0;
};

/// A seam of the fault-injection tests and of `pace` tests: lets a test alter telemetry before the
/// control side sees it. Empty in production.
using TelemetryFilter = std::function<void(WindowReport&)>;

}  // namespace esper
