#include "actors/decisions/admission.hpp"
#include "actors/decisions/planted.hpp"

namespace esper {

Admission admit(const AdaptationCommand& command, Window boundary, Epoch fence, HighWater& mark) {
  const auto& id = command.id;
  if (id.epoch < fence && !planted(Planted::stale_epoch))
    return {CommandRefusal::old_epoch, "a newer incarnation has been seen"};
  if (id.epoch > mark.epoch) mark = {.epoch = id.epoch};
  const bool escapes = command.kind == CommandKind::escape;
  if (id.sequence <= (escapes ? mark.escapes : mark.commands) && !planted(Planted::command_again))
    return {CommandRefusal::already_done, "this command, or a later one, was carried out"};
  if (boundary > command.authority_until && !planted(Planted::endless_lease))
    return {CommandRefusal::lease_expired,
            "the lease ended with window " + std::to_string(command.authority_until.value)};
  return {};
}

void count_in(HighWater& mark, const AdaptationCommand& command) {
  if (command.id.epoch > mark.epoch) mark = {.epoch = command.id.epoch};
  (command.kind == CommandKind::escape ? mark.escapes : mark.commands) = command.id.sequence;
}

Outcome outcome_of(const AdaptationCommand& command) {
  Outcome outcome;
  outcome.command = command.id;
  outcome.kind = command.kind;
  outcome.region = command.id.region;
  outcome.slot = command.slot;
  outcome.seed = command.seed;
  outcome.reservation = command.reservation;
  return outcome;
}

SurgeryAdmission admit(const SurgeryOrder& order, Window window, const SurgeryGround& ground) {
  if (order.epoch < ground.newest_epoch)
    return {SurgeryRefusal::old_epoch, "a newer incarnation has ordered"};
  const bool again = planted(Planted::surgery_again);
  if (order.plan.id <= ground.newest_plan && !again)
    return {SurgeryRefusal::already_done, "this plan, or a later one, was carried out"};
  if (order.boundary != window || !ground.checkpoint)
    return {SurgeryRefusal::not_a_checkpoint,
            "for the boundary of window " + std::to_string(order.boundary.value)};
  if (order.plan.zone_version != ground.zone_version)
    return {SurgeryRefusal::zone_changed,
            "zones of version " + std::to_string(ground.zone_version) + ", planned for " +
                std::to_string(order.plan.zone_version)};
  if (order.plan.structure_version != ground.structure_version && !again)
    return {SurgeryRefusal::stale_structure,
            "structure of version " + std::to_string(ground.structure_version) + ", planned for " +
                std::to_string(order.plan.structure_version)};
  return {};
}

}  // namespace esper
