#pragma once
// How a run stands, told by its journal's entries one after another. Pure.
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "actors/decisions/overrides.hpp"
#include "messages/audit.hpp"
#include "messages/host.hpp"

namespace esper {

struct SeedStanding {
  SeedId seed;
  std::string slot, blueprint, stage;
  double alpha{};

  static constexpr auto schema =
      record("SeedStanding", field("seed", &SeedStanding::seed), field("slot", &SeedStanding::slot),
             field("blueprint", &SeedStanding::blueprint), field("stage", &SeedStanding::stage),
             field("alpha", &SeedStanding::alpha));
};

struct RegionStanding {
  std::string region;
  double loss{};  ///< nats per sample, of the newest window
  bool stable{}, in_crisis{}, frozen{}, embargoed{};
  std::string absent;     ///< why its Narset took no part in the newest turn; "": it did
  Energy held, asked;     ///< thousandths
  std::uint32_t epoch{};  ///< of its Narset
  std::vector<SeedStanding> seeds;

  static constexpr auto schema = record(
      "RegionStanding", field("region", &RegionStanding::region),
      field("loss", &RegionStanding::loss), field("stable", &RegionStanding::stable),
      field("in_crisis", &RegionStanding::in_crisis), field("frozen", &RegionStanding::frozen),
      field("embargoed", &RegionStanding::embargoed), field("absent", &RegionStanding::absent),
      field("held", &RegionStanding::held), field("asked", &RegionStanding::asked),
      field("epoch", &RegionStanding::epoch), field("seeds", &RegionStanding::seeds));
};

struct RunStatus {
  Window window;  ///< newest committed turn; 0: none yet
  Step step;      ///< at its end
  std::string posture;
  LedgerBalance energy;
  std::vector<RegionStanding> regions;
  std::vector<Override> overrides;  ///< that hold, the oldest first
  std::uint64_t restarts{};
  std::vector<std::string> events;  ///< the last ones, the newest last

  static constexpr auto schema =
      record("RunStatus", field("window", &RunStatus::window), field("step", &RunStatus::step),
             field("posture", &RunStatus::posture), field("energy", &RunStatus::energy),
             field("regions", &RunStatus::regions), field("overrides", &RunStatus::overrides),
             field("restarts", &RunStatus::restarts), field("events", &RunStatus::events));
};

class StatusAccount {
 public:
  /// Entries in the journal's order. Errors: throws MalformedJson or nlohmann's errors when a
  /// payload is not what its kind says.
  void take(const JournalEntry& entry);
  [[nodiscard]] RunStatus status() const;
  /// Newest committed turn; 0: none yet.
  [[nodiscard]] Window window() const { return status_.window; }
  [[nodiscard]] const HostDescription& host() const { return host_; }

 private:
  void begin_window(const WindowSummary& summary);
  void take(const RegionTelemetry& telemetry);
  void take(const RegionReport& report);
  void take(const StrategyPart& part);
  void take(const Outcome& outcome);
  void say(const JournalEntry& entry);
  [[nodiscard]] RegionStanding* region(RegionId id);

  HostDescription host_;
  RunStatus status_;
  std::map<SeedId, std::string> blueprints_;  ///< of seeds that were commanded to germinate
  std::deque<std::string> events_;
};

}  // namespace esper
