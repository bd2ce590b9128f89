#pragma once
// What one region's Narset needs of the node that it lives on.
#include <functional>

#include "actors/context.hpp"

namespace esper {

struct NarsetSurroundings {
  std::shared_ptr<const void> keeps;  ///< owns what `config` and `host` point to
  const RunConfig* config{};
  const HostDescription* host{};
  ChaosDesk* chaos{};         ///< null: nothing is injected
  PlantingTactic planting{};  ///< empty: Esper's own
  UrzaHandle urza;
  JournalHandle journal;
  KasminaHandle kasmina;
  std::shared_ptr<LaneQueue> in;  ///< its turns' lane
  /// Takes each part; called on the Narset's thread.
  std::function<void(const RegionPart&, caf::execution_unit*)> out;

  [[nodiscard]] std::chrono::milliseconds retry() const {
    return std::chrono::milliseconds{config->control.retry_ms};
  }
};

/// In the tree itself.
[[nodiscard]] inline NarsetSurroundings surroundings_of(const ControlContextPtr& context,
                                                        RegionId region) {
  return {.keeps = context,
          .config = &context->config,
          .host = &context->host,
          .chaos = context->chaos,
          .planting = context->planting,
          .urza = context->peers.urza,
          .journal = context->peers.journal,
          .kasmina = context->peers.kasmina,
          .in = {context, &context->lanes.narsets.at(region.value).queue()},
          .out = [context](const RegionPart& part, caf::execution_unit* sender) {
            context->lanes.journal.send(part, sender);
          }};
}

}  // namespace esper
