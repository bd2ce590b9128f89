#pragma once
// The actors' behaviours. Each translates messages to a decision and back; none decides.
#include "actors/narset_surroundings.hpp"

namespace esper {

/// One region's Narset. Asks Urza, the journal and Kasmina for its past, then answers each
/// RegionTurn with a RegionPart. The same turn again gets the same part again.
[[nodiscard]] caf::strong_actor_ptr start_narset(caf::local_actor& parent,
                                                 const ControlContextPtr& context, RegionId region,
                                                 Epoch epoch);
/// The same, of a region that is placed on a node of its own.
[[nodiscard]] caf::strong_actor_ptr start_narset(caf::local_actor& parent,
                                                 NarsetSurroundings around, RegionId region,
                                                 Epoch epoch);
/// Tamiyo Prime: answers TurnReports with a StrategyPart.
[[nodiscard]] caf::strong_actor_ptr start_tamiyo(caf::local_actor& parent,
                                                 const ControlContextPtr& context, Epoch epoch);
/// Keeps the turn: collects parts, commits, releases, answers who recovers.
[[nodiscard]] caf::strong_actor_ptr start_journal(caf::local_actor& parent,
                                                  const ControlContextPtr& context, Epoch epoch);
/// Tolaria's control side, on a thread of its own: windows in, turns opened.
[[nodiscard]] caf::strong_actor_ptr start_tolaria(caf::local_actor& parent,
                                                  const ControlContextPtr& context, Epoch epoch);
/// Kasmina: hands committed turns to the executor, reads seeds back, raises fences.
[[nodiscard]] caf::strong_actor_ptr start_kasmina(caf::local_actor& parent,
                                                  const ControlContextPtr& context, Epoch epoch);
/// Urza: serves the catalogue with Urabrask's sheets, as the journal's opening has it.
[[nodiscard]] caf::strong_actor_ptr start_urza(caf::local_actor& parent,
                                               const ControlContextPtr& context, Epoch epoch);
/// Elesh: measures importance at each checkpoint, on a thread of its own, and tells Emrakul.
[[nodiscard]] caf::strong_actor_ptr start_elesh(caf::local_actor& parent,
                                                const ControlContextPtr& context, Epoch epoch);
/// Emrakul: answers each PlanningTurn with a PruningPart.
[[nodiscard]] caf::strong_actor_ptr start_emrakul(caf::local_actor& parent,
                                                  const ControlContextPtr& context, Epoch epoch);
/// Oona: dead letters and the lanes' metrics.
[[nodiscard]] caf::strong_actor_ptr start_oona(caf::local_actor& parent,
                                               const ControlContextPtr& context, Epoch epoch);

}  // namespace esper
