// Urza stores blueprints; what it serves was measured by Urabrask and stands in the journal.
#include "actors/role_states.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

class Urza {
 public:
  Urza(SelfOf<UrzaHandle, UrzaState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void recover() const {
    if (self_->state.catalogue) return;
    ask(self_, *context_, context_->peers.journal,
        Recover{.role = Role::urza, .region = {}, .epoch = epoch_, .released = {}},
        context_->retry(),
        [*this](const Recovery& past) { self_->state.catalogue = past.catalogue; });
  }

  /// Every design, and the sheets of that region's slots: a Narset keeps what it is given.
  [[nodiscard]] Catalogue part_of(RegionId region) const {
    const auto& slots = context_->host.slots;
    Catalogue part{.blueprints = self_->state.catalogue->blueprints, .sheets = {}};
    for (const RiskSheet& sheet : self_->state.catalogue->sheets)
      if (sheet.slot.value < slots.size() && slots[sheet.slot.value].region == region)
        part.sheets.push_back(sheet);
    return part;
  }

 private:
  SelfOf<UrzaHandle, UrzaState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

UrzaHandle::behavior_type urza(SelfOf<UrzaHandle, UrzaState> self, const ControlContextPtr& context,
                               Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::urza, RegionId{});
  const Urza role(self, context, epoch);
  role.recover();
  return {
      [=](ReadCatalogue asked) -> caf::result<Catalogue> {
        delay->pause();
        if (!self->state.catalogue) return caf::sec::request_receiver_down;  // asks again soon
        return role.part_of(asked.region);
      },
      [=](Nudge) {
        delay->hold();
        role.recover();
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_urza(caf::local_actor& parent, const ControlContextPtr& context,
                                 Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(urza, context, epoch));
}

}  // namespace esper
