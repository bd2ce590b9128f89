#pragma once
// One training run with its tree of actors: from a config to a closed journal.
#include <atomic>

#include "actors/override_desk.hpp"
#include "messages/interfaces.hpp"
#include "runtime/chaos/chaos_conductor.hpp"
#include "runtime/journal_book.hpp"

namespace esper {

class ClusterSide;

struct LaunchResult {
  TrainingEnd grown;
  std::string decision_hash;
  std::string
      first_irreproducible;  ///< why the seed alone does not reproduce this run; "" if it does
  std::uint64_t restarts{};
  bool degraded{};  ///< a role gave up or never ended, or lockstep fell to free
  /// Roles whose handler never ended, by name: seams and training must outlive the process.
  std::vector<std::string> blocked;
  std::string broken;  ///< a promise: what was caught up is not what the journal says; "": none
};

/// Where a run goes on.
struct ResumePoint {
  std::string checkpoint;  ///< file; "": from the first step
  Window window;           ///< that it was cut at; 0: none
  bool attached = false;   ///< it trains already: the window is the journal's last
};

struct LaunchSeams {
  TrainingFactory& factory;
  JournalBook& journal;
  Metrics& metrics;
  Log& log;
  TelemetryFilter filter = {};             ///< tests only; empty in production
  std::string checkpoints = {};            ///< folder; "": none are written
  std::optional<ResumePoint> resume = {};  ///< the journal has entries already
  OverrideDesk* overrides = nullptr;       ///< where people's overrides wait; null: there are none
  ChaosConductor* chaos = nullptr;         ///< who injects faults; null: nobody does
  ClusterSide* cluster = nullptr;          ///< joins the tree to other nodes; null: there are none
  std::optional<ReplicaPlace> replica = {};  ///< among several trainers; nothing: it trains alone
  /// Gets a sentence for people now and then; empty: nobody does.
  std::function<void(const std::string&)> tell = {};
};

/// The blueprints that the config asks for: built-in ones that a slot of the host has a place for,
/// filtered, and its own.
[[nodiscard]] std::vector<Blueprint> chosen_blueprints(const CatalogueConfig& config,
                                                       const HostDescription& host);

/// What a run begins with: inputs of every later decision, read by the actors at their start.
/// `sequence`: of the first entry.
[[nodiscard]] std::vector<JournalEntry> opening_entries(const RunConfig& config,
                                                        const HostDescription& host,
                                                        const Catalogue& catalogue,
                                                        std::uint64_t sequence);

/// Errors: std::runtime_error when the journal can't be written.
void write_opening(JournalBook& journal, const RunConfig& config, const HostDescription& host,
                   const Catalogue& catalogue);

/// Errors: std::runtime_error when the journal's opening is not what this build and machine measure
/// for that config.
void check_opening(const JournalBook& journal, const RunConfig& config, const HostDescription& host,
                   const Catalogue& catalogue);

/// Writes the opening entries (or, going on, checks them and catches up with the journal), starts
/// the actors, trains to the end or to `stop`, waits for the last turn and stops the tree. In mode
/// off there are neither actors nor entries but the opening. `kept` receives the training, whose
/// model is still to be measured and exported. Errors: std::runtime_error with one sentence when
/// data or journal fail before training starts.
[[nodiscard]] LaunchResult launch_grown(const RunConfig& config, const LaunchSeams& seams,
                                        const std::atomic<bool>& stop,
                                        const std::function<void(const TrainingProgress&)>& tell,
                                        std::unique_ptr<Training>& kept);

}  // namespace esper
