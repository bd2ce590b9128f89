// A Narset translates; decisions/tactics decides.
#include "actors/decisions/tactics.hpp"
#include "actors/roles.hpp"

namespace esper {

namespace {

struct NarsetState {
  std::optional<Tactics> tactics;
  std::optional<std::vector<SeedStatus>> read_back;  ///< input of the first turn after a restart
  bool ready = false;
  std::optional<RegionTurn> waiting;  ///< came before the past was known
  std::optional<RegionPart> last;     ///< sent again when the turn is
  const char* name = "narset";
};

class Narset {
 public:
  Narset(NarsetHandle::stateful_pointer<NarsetState> self, ControlContextPtr context,
         RegionId region, Epoch epoch)
      : self_(self), context_(std::move(context)), region_(region), epoch_(epoch) {}

  void begin() const {
    self_->request(context_->peers.urza, context_->retry(), ReadCatalogue{region_})
        .then([*this](const Catalogue& catalogue) { recover(catalogue); }, again());
  }

  void take(const RegionTurn& turn) const {
    auto& state = self_->state;
    if (!state.ready) {
      state.waiting = turn;
      return;
    }
    if (state.last && turn.window < state.last->report.window) return;
    if (!state.last || turn.window > state.last->report.window) {
      state.last = decide(*state.tactics, turn, epoch_, state.read_back);
      state.read_back.reset();
    }
    context_->lanes.journal.send(*state.last);
  }

 private:
  [[nodiscard]] std::function<void(caf::error&)> again() const {
    return [*this](caf::error&) { self_->delayed_send(self_, context_->retry() / 10, Nudge{}); };
  }

  /// The past through the same functions as the present: decide() where the role was there,
  /// miss() where it was not.
  void recover(const Catalogue& catalogue) const {
    const auto& config = context_->config;
    self_->state.tactics.emplace(region_,
                                 TacticsSettings{.budget = config.budget,
                                                 .gates = config.gates,
                                                 .time = config.time,
                                                 .seed = config.seed},
                                 context_->host, catalogue);
    self_
        ->request(context_->peers.journal, 4 * context_->retry(),
                  Recover{.role = Role::narset, .region = region_, .epoch = epoch_, .released = {}})
        .then(
            [*this](const Recovery& past) {
              fold(past.turns);
              read_seeds();
            },
            again());
  }

  void fold(const std::vector<TurnRecord>& turns) const {
    auto& tactics = *self_->state.tactics;
    Epoch before;
    for (const auto& turn : turns) {
      if (!turn.present) {
        miss(tactics, turn.inputs.front());
        continue;
      }
      std::optional<std::vector<SeedStatus>> read_back;
      if (before.value > 0 && turn.epoch != before) read_back = turn.read_back;
      before = turn.epoch;
      (void)decide(tactics, turn.inputs.front(), turn.epoch, read_back);
    }
  }

  void read_seeds() const {
    const auto ready = [*this] {
      auto& state = self_->state;
      state.ready = true;
      if (state.waiting) take(*state.waiting);
      state.waiting.reset();
    };
    if (epoch_.value <= 1) return ready();
    self_
        ->request(context_->peers.kasmina, context_->retry(),
                  ReadSeeds{.region = region_, .epoch = epoch_})
        .then(
            [*this, ready](const RegionSeeds& seeds) {
              self_->state.read_back = seeds.seeds;
              ready();
            },
            again());
  }

  NarsetHandle::stateful_pointer<NarsetState> self_;
  ControlContextPtr context_;
  RegionId region_;
  Epoch epoch_;
};

NarsetHandle::behavior_type narset(NarsetHandle::stateful_pointer<NarsetState> self,
                                   ControlContextPtr context, RegionId region, Epoch epoch) {
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
