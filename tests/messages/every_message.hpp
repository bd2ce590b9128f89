#pragma once
// Every kind of message that crosses the wire.
#include <tuple>

#include "messages/audit.hpp"
#include "messages/breaker_change.hpp"
#include "messages/cluster.hpp"
#include "messages/configuration.hpp"
#include "messages/control.hpp"
#include "messages/host.hpp"
#include "messages/pruning.hpp"
#include "messages/training.hpp"
#include "tests/messages/filler.hpp"

namespace esper {

/// tests/messages/schema_test.cpp sees that none is left out.
using Messages =
    std::tuple<WindowReport, RegionTurn, RegionPart, StrategyPart, TurnRelease, TurnRecord,
               TurnOpened, TurnReports, TurnCommitted, Recover, Recovery, RoleDown, Restart,
               BreakerChange, Absence, ReadSeeds, RegionSeeds, ReadCatalogue, Catalogue,
               HostDescription, TrainedModel, CheckpointReady, JournalEntry, ScaffoldRequest,
               Escalation, PlanningTurn, PruningPart, PruningAllowance, ImportanceReport,
               PruningPlan, SurgeryOrder, SurgeryOutcome, PlantedSeed, DeadLetter, KillRole,
               KillAnswer, StartRole, Nudge, WindowSummary, CheckpointPlace, RunConfig, NodeJoins,
               NodeWelcome, NodePulse, StartNarset, NodeLost, NodeStanding, WitnessQuestion,
               WitnessAnswer>;

}  // namespace esper
