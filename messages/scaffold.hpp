#pragma once
// Temporary capacity: the request and its answer, the zone around it, and a Narset at its wits'
// end.
#include "messages/adaptation.hpp"

namespace esper {

/// A region in crisis asks the emergency pool for a scaffold.
struct ScaffoldRequest {
  RegionId region;
  Window window;
  std::string blueprint;
  SlotId slot;                 ///< first of a group
  Energy ask;                  ///< the whole price, drawn window by window while it stands
  std::string reason;          ///< the bands that were left
  std::uint32_t bands_left{};  ///< in this window
  double volatility{};         ///< v in [0, 1]

  static constexpr auto schema = record(
      "ScaffoldRequest", field("region", &ScaffoldRequest::region),
      field("window", &ScaffoldRequest::window), field("blueprint", &ScaffoldRequest::blueprint),
      field("slot", &ScaffoldRequest::slot), field("ask", &ScaffoldRequest::ask),
      field("reason", &ScaffoldRequest::reason), field("bands_left", &ScaffoldRequest::bands_left),
      field("volatility", &ScaffoldRequest::volatility));
};

/// Why Tamiyo granted or refused one.
enum class ScaffoldAnswer : std::uint8_t {
  granted,
  no_crisis,   ///< the region's own telemetry does not show one
  pool_empty,  ///< the emergency pool holds less than the price
  thrashing,   ///< the region's breaker is open: too many scaffolds in a row
  standing,    ///< one stands there already, or is granted and not yet planted
};
ESPER_ENUM_NAMES(ScaffoldAnswer, "granted", "no_crisis", "pool_empty", "thrashing", "standing");

struct ScaffoldVerdict {
  RegionId region;
  std::string blueprint;
  SlotId slot;
  ScaffoldAnswer answer{};
  Energy amount;  ///< granted: put in escrow for the region
  Window until;   ///< granted: to be planted by then; else: ask again from here

  static constexpr auto schema =
      record("ScaffoldVerdict", field("region", &ScaffoldVerdict::region),
             field("blueprint", &ScaffoldVerdict::blueprint), field("slot", &ScaffoldVerdict::slot),
             field("answer", &ScaffoldVerdict::answer), field("amount", &ScaffoldVerdict::amount),
             field("until", &ScaffoldVerdict::until));
};

/// No surgery within `radius` hops of `region`, from the grant of a scaffold until so many clean
/// checkpoints after its sunset.
struct Zone {
  RegionId region;
  std::uint32_t radius{1};
  Window since;
  bool sunset{};                      ///< its scaffold has left
  std::uint32_t clean_checkpoints{};  ///< since then

  static constexpr auto schema =
      record("Zone", field("region", &Zone::region), field("radius", &Zone::radius),
             field("since", &Zone::since), field("sunset", &Zone::sunset),
             field("clean_checkpoints", &Zone::clean_checkpoints));
};

/// All zones as of one turn. `version` rises whenever `embargoed` changes.
struct ZoneState {
  std::uint64_t version{};
  std::vector<Zone> zones;          ///< by region
  std::vector<RegionId> embargoed;  ///< every region inside one, ascending

  static constexpr auto schema =
      record("ZoneState", field("version", &ZoneState::version), field("zones", &ZoneState::zones),
             field("embargoed", &ZoneState::embargoed));
};

/// A Narset that does not get its region out of trouble by itself.
struct Escalation {
  RegionId region;
  Window window;
  std::string reason;
  std::vector<std::string> tried;  ///< scaffolds, in this trouble
  std::vector<std::string> left;   ///< scaffolds that it could still try

  static constexpr auto schema =
      record("Escalation", field("region", &Escalation::region),
             field("window", &Escalation::window), field("reason", &Escalation::reason),
             field("tried", &Escalation::tried), field("left", &Escalation::left));
};

/// What Tamiyo tells a Narset to do instead. Never what has just failed.
enum class Tactic : std::uint8_t {
  another_scaffold,  ///< this blueprint next
  rest,              ///< no adaptation there until a window: the host alone
};
ESPER_ENUM_NAMES(Tactic, "another_scaffold", "rest");

struct Counsel {
  RegionId region;
  Tactic tactic{};
  std::string blueprint;  ///< another_scaffold
  Window until;           ///< rest
  std::string reason;

  static constexpr auto schema =
      record("Counsel", field("region", &Counsel::region), field("tactic", &Counsel::tactic),
             field("blueprint", &Counsel::blueprint), field("until", &Counsel::until),
             field("reason", &Counsel::reason));
};

}  // namespace esper
