#pragma once
// Temporary capacity: the request, the zone around it, and a Narset at its wits' end.
#include "messages/schema.hpp"

namespace esper {

struct ScaffoldRequest {
  RegionId region;
  Window window;
  std::string blueprint;
  SlotId slot;
  Energy ask;
  std::string reason;

  static constexpr auto schema =
      record("ScaffoldRequest", field("region", &ScaffoldRequest::region),
             field("window", &ScaffoldRequest::window),
             field("blueprint", &ScaffoldRequest::blueprint), field("slot", &ScaffoldRequest::slot),
             field("ask", &ScaffoldRequest::ask), field("reason", &ScaffoldRequest::reason));
};

/// No surgery within `radius` hops of `region` while it stands.
struct ZoneGrant {
  RegionId region;
  std::uint32_t radius{1};
  std::uint64_t version{};

  static constexpr auto schema =
      record("ZoneGrant", field("region", &ZoneGrant::region), field("radius", &ZoneGrant::radius),
             field("version", &ZoneGrant::version));
};

struct Escalation {
  RegionId region;
  Window window;
  std::string reason;

  static constexpr auto schema =
      record("Escalation", field("region", &Escalation::region),
             field("window", &Escalation::window), field("reason", &Escalation::reason));
};

}  // namespace esper
