// A Narset translates; decisions/tactics decides.
#include "actors/decisions/planted.hpp"
#include "actors/narset_surroundings.hpp"
#include "actors/role_states.hpp"
#include "actors/roles.hpp"
#include "actors/turn_replay.hpp"

namespace esper {

namespace {

class Narset {
 public:
  using Surroundings = std::shared_ptr<const NarsetSurroundings>;

  Narset(SelfOf<NarsetHandle, NarsetState> self, Surroundings around, RegionId region, Epoch epoch)
      : self_(self), around_(std::move(around)), region_(region), epoch_(epoch) {}

  void begin() const {
    ask(self_, around_->retry(), around_->urza, ReadCatalogue{region_}, around_->retry(),
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
    if (part != nullptr) around_->out(*part, self_->context());
  }

  void recover(const Catalogue& catalogue) const {
    self_->state.tactics.emplace(region_, tactics_settings(*around_->config, around_->planting),
                                 SharedHost{around_, around_->host}, catalogue);
    ask_for_past({}, {});
  }

  /// Page by page. `known`: the last turn folded in; `before`: the epoch that decided last until
  /// then.
  void ask_for_past(Window known, Epoch before) const {
    ask(self_, around_->retry(), around_->journal,
        Recover{.role = Role::narset,
                .region = region_,
                .epoch = epoch_,
                .released = {},
                .known = known},
        4 * around_->retry(), [*this, before](const Recovery& past) {
          const Epoch decided = fold(past.turns, before, past.more);
          if (past.more) return ask_for_past(past.turns.back().window, decided);
          read_seeds(past.committed);
        });
  }

  [[nodiscard]] Epoch fold(const std::vector<TurnRecord>& turns, Epoch before, bool more) const {
    const bool forgets = planted(Planted::past_forgotten) && !turns.empty() && !more;
    for (std::size_t i = 0; i + (forgets ? 1 : 0) < turns.size(); ++i)
      (void)decide_again(*self_->state.tactics, turns[i], before);
    return before;
  }

  void read_seeds(Window committed) const {
    const auto ready = [*this, committed] {
      send(self_->state.answer.past_known(
          committed, [*this](const RegionTurn& turn) { return answer(turn); }));
    };
    if (epoch_.value <= 1) return ready();
    ask(self_, around_->retry(), around_->kasmina, ReadSeeds{.region = region_, .epoch = epoch_},
        around_->retry(), [*this, ready](const RegionSeeds& seeds) {
          self_->state.read_back = seeds.seeds;
          ready();
        });
  }

  SelfOf<NarsetHandle, NarsetState> self_;
  Surroundings around_;
  RegionId region_;
  Epoch epoch_;
};

NarsetHandle::behavior_type narset(SelfOf<NarsetHandle, NarsetState> self,
                                   const Narset::Surroundings& around, RegionId region,
                                   Epoch epoch) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*around->config, around->chaos, Role::narset, region);
  const Narset role(self, around, region, epoch);
  role.begin();
  return {
      [=](const RegionTurn& turn) {
        const Delivery delivery(*around->in);
        delay->pause();
        role.take(turn);
      },
      [=](Nudge) {
        delay->hold();
        role.begin();
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_narset(caf::local_actor& parent, NarsetSurroundings around,
                                   RegionId region, Epoch epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(
      narset, std::make_shared<const NarsetSurroundings>(std::move(around)), region, epoch));
}

caf::strong_actor_ptr start_narset(caf::local_actor& parent, const ControlContextPtr& context,
                                   RegionId region, Epoch epoch) {
  return start_narset(parent, surroundings_of(context, region), region, epoch);
}

}  // namespace esper
