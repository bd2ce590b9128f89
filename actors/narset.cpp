// A Narset translates; decisions/tactics decides.
#include "actors/roles.hpp"
#include "actors/turn_answer.hpp"
#include "actors/turn_replay.hpp"

namespace esper {

namespace {

struct NarsetState {
  std::optional<Tactics> tactics;
  std::optional<std::vector<SeedStatus>> read_back;  ///< input of the first turn after a restart
  TurnAnswer<RegionTurn, RegionPart> answer;
  const char* name = "narset";
};

class Narset {
 public:
  Narset(NarsetHandle::stateful_pointer<NarsetState> self, ControlContextPtr context,
         RegionId region, Epoch epoch)
      : self_(self), context_(std::move(context)), region_(region), epoch_(epoch) {}

  void begin() const {
    ask(self_, *context_, context_->peers.urza, ReadCatalogue{region_}, context_->retry(),
        [*this](const Catalogue& catalogue) { recover(catalogue); });
  }

  void take(const RegionTurn& turn) const {
    send(self_->state.answer.to(turn, [*this](const RegionTurn& asked) { return answer(asked); }));
  }

 private:
  [[nodiscard]] RegionPart answer(const RegionTurn& turn) const {
    auto& state = self_->state;
    return decide(*state.tactics, turn, epoch_, std::exchange(state.read_back, std::nullopt));
  }

  void send(const RegionPart* part) const {
    if (part != nullptr) context_->lanes.journal.send(*part, self_->context());
  }

  void recover(const Catalogue& catalogue) const {
    self_->state.tactics.emplace(region_, tactics_settings(context_->config), context_->host,
                                 catalogue);
    ask(self_, *context_, context_->peers.journal,
        Recover{.role = Role::narset, .region = region_, .epoch = epoch_, .released = {}},
        4 * context_->retry(), [*this](const Recovery& past) {
          fold(past.turns);
          read_seeds();
        });
  }

  void fold(const std::vector<TurnRecord>& turns) const {
    Epoch before;
    for (const auto& turn : turns) (void)decide_again(*self_->state.tactics, turn, before);
  }

  void read_seeds() const {
    const auto ready = [*this] {
      send(
          self_->state.answer.past_known([*this](const RegionTurn& turn) { return answer(turn); }));
    };
    if (epoch_.value <= 1) return ready();
    ask(self_, *context_, context_->peers.kasmina, ReadSeeds{.region = region_, .epoch = epoch_},
        context_->retry(), [*this, ready](const RegionSeeds& seeds) {
          self_->state.read_back = seeds.seeds;
          ready();
        });
  }

  NarsetHandle::stateful_pointer<NarsetState> self_;
  ControlContextPtr context_;
  RegionId region_;
  Epoch epoch_;
};

NarsetHandle::behavior_type narset(NarsetHandle::stateful_pointer<NarsetState> self,
                                   const ControlContextPtr& context, RegionId region, Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(context->config, Role::narset, region);
  const Narset role(self, context, region, epoch);
  role.begin();
  return {
      [=](const RegionTurn& turn) {
        const Delivery delivery(context->lanes.narsets.at(region.value).queue());
        delay->pause();
        role.take(turn);
      },
      [=](Nudge) { role.begin(); },
  };
}

}  // namespace

caf::strong_actor_ptr start_narset(caf::local_actor& parent, const ControlContextPtr& context,
                                   RegionId region, Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(narset, context, region, epoch));
}

}  // namespace esper
