#pragma once
// Every role's typed handle: all that actors know of each other.
#include <caf/all.hpp>

#include "messages/control.hpp"
#include "messages/wire.hpp"

namespace esper {

using JournalHandle =
    caf::typed_actor<caf::reacts_to<TurnOpened>, caf::reacts_to<RegionPart>,
                     caf::reacts_to<StrategyPart>, caf::reacts_to<PruningPart>,
                     caf::reacts_to<RoleDown>, caf::reacts_to<Restart>, caf::reacts_to<Nudge>,
                     caf::replies_to<Recover>::with<Recovery>>;
using TolariaHandle = caf::typed_actor<caf::reacts_to<TurnCommitted>, caf::reacts_to<Nudge>>;
using NarsetHandle = caf::typed_actor<caf::reacts_to<RegionTurn>, caf::reacts_to<Nudge>>;
using TamiyoHandle = caf::typed_actor<caf::reacts_to<TurnReports>, caf::reacts_to<Nudge>>;
using KasminaHandle = caf::typed_actor<caf::reacts_to<TurnRelease>, caf::reacts_to<Nudge>,
                                       caf::replies_to<ReadSeeds>::with<RegionSeeds>>;
using UrzaHandle =
    caf::typed_actor<caf::replies_to<ReadCatalogue>::with<Catalogue>, caf::reacts_to<Nudge>>;
using OonaHandle = caf::typed_actor<caf::reacts_to<Nudge>>;
using EleshHandle = caf::typed_actor<caf::reacts_to<CheckpointReady>, caf::reacts_to<Nudge>>;
using EmrakulHandle = caf::typed_actor<caf::reacts_to<PlanningTurn>,
                                       caf::reacts_to<ImportanceReport>, caf::reacts_to<Nudge>>;

}  // namespace esper
