// Urza stores blueprints; what it serves was measured by Urabrask and stands in the journal.
#include "actors/roles.hpp"

namespace esper {

namespace {

struct UrzaState {
  std::optional<Catalogue> catalogue;
  const char* name = "urza";
};

class Urza {
 public:
  Urza(UrzaHandle::stateful_pointer<UrzaState> self, ControlContextPtr context, Epoch epoch)
      : self_(self), context_(std::move(context)), epoch_(epoch) {}

  void recover() const {
    if (self_->state.catalogue) return;
    self_
        ->request(context_->peers.journal, context_->retry(),
                  Recover{.role = Role::urza, .region = {}, .epoch = epoch_, .released = {}})
        .then([*this](const Recovery& past) { self_->state.catalogue = past.catalogue; },
              [*this](const caf::error&) {
                self_->delayed_send(self_, context_->retry() / 10, Nudge{});
              });
  }

 private:
  UrzaHandle::stateful_pointer<UrzaState> self_;
  ControlContextPtr context_;
  Epoch epoch_;
};

UrzaHandle::behavior_type urza(UrzaHandle::stateful_pointer<UrzaState> self,
                               ControlContextPtr context, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(context->config, Role::urza, RegionId{});
  const Urza role(self, context, epoch);
  role.recover();
  return {
      [=](ReadCatalogue) -> caf::result<Catalogue> {
        delay->pause();
        if (!self->state.catalogue) return caf::sec::request_receiver_down;  // asks again soon
        return *self->state.catalogue;
      },
      [=](Nudge) { role.recover(); },
  };
}

}  // namespace

caf::strong_actor_ptr start_urza(caf::local_actor& parent, const ControlContextPtr& context,
                                 Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(urza, context, epoch));
}

}  // namespace esper
