#include "actors/supervisor.hpp"

#include "actors/decisions/restart.hpp"
#include "actors/decisions/role_tree.hpp"
#include "actors/stable_handle.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

struct Watched {
  Child child;
  RestartHistory history;
  Breaker breaker;  ///< opens past the intensity; each of its probes is one incarnation
  caf::actor_addr address{};
  Epoch epoch{};
  std::uint64_t started_ms = 0;
  std::uint64_t due_ms = 0;  ///< before that no wait for it is over
  bool down = true;
  bool swept = false;    ///< stopped, or to be, for another's sake, and started again after it
  bool lingers = false;  ///< was told to stop, and its handler did not end by the deadline
};

struct SupervisorState {
  std::vector<Watched> children;  ///< in the tree's order
  std::vector<Restart> untold;    ///< while the journal's actor is down
  std::shared_ptr<SupervisionCounts> counts;
  bool ending = false;                    ///< the whole tree
  std::optional<std::uint32_t> fallen;    ///< who starts again before the swept
  std::uint64_t restart_ms = 0;           ///< when it may
  std::optional<std::uint32_t> stopping;  ///< whose end is waited for
  std::uint64_t stops = 0;                ///< so far; tells deadlines apart
  const char* name = "supervisor";
};

class Supervisor {
 public:
  Supervisor(SupervisorHandle::stateful_pointer<SupervisorState> self, ControlContextPtr context)
      : self_(self), context_(std::move(context)) {}

  /// The wait of the child at this place is over: before its start, or a probe may have lived
  /// through a whole period and closes its breaker.
  void due(std::uint32_t place) const {
    auto& watched = self_->state.children.at(place);
    const auto now = now_ms(*self_);
    if (self_->state.ending || watched.swept || now < watched.due_ms) return;
    if (watched.down) {
      if (!watched.breaker.pass(now)) return;
      if (watched.breaker.state() == BreakerState::half_open) {
        count_restart(watched);
        show(watched);
      }
      return start(place);
    }
    const bool probing = watched.breaker.state() == BreakerState::half_open;
    if (!probing || now - watched.started_ms < context_->config.control.period_ms) return;
    watched.breaker.succeeded();
    show(watched);
    log(LogLevel::warning, "breaker_closed", watched, "");
  }

  void start(std::uint32_t place) const {
    auto& watched = self_->state.children.at(place);
    const bool swept = std::exchange(watched.swept, false);
    watched.epoch.value += 1;
    watched.started_ms = now_ms(*self_);
    try {
      const auto actor = watched.child.start(*self_, watched.epoch);
      watched.address = caf::actor_cast<caf::actor_addr>(actor);
      self_->monitor(actor);
      StableHandle::set_target(watched.child.handle, actor);
      if (watched.child.lane) watched.child.lane->receiver_started(actor);
    } catch (const std::exception& exception) {  // CAF runs a state's constructor in spawn
      return failed(place, exception.what());
    }
    watched.down = false;
    if (self_->state.fallen == place) start_swept();
    if (watched.epoch.value > 1)
      came_back(place, swept ? "stopped with one that fell" : "restarted");
  }

  void child_down(const caf::actor_addr& source, const caf::error& reason) const {
    auto& state = self_->state;
    for (std::uint32_t place = 0; place < state.children.size(); ++place) {
      auto& watched = state.children[place];
      if (watched.address != source) continue;
      watched.address = nullptr;
      const bool waited_for = state.stopping == place;
      const bool lingered = std::exchange(watched.lingers, false);
      if (!state.ending && !watched.swept) return failed(place, self_->system().render(reason));
      if (!state.ending) lose(watched);
      if (waited_for) return stop_next();
      if (lingered && !state.ending && !state.fallen) start_again(place);
      return;
    }
  }

  /// In reverse order, one after the other: each child's end stops the next.
  void stop_all() const {
    self_->state.ending = true;
    self_->state.fallen.reset();
    if (!self_->state.stopping) stop_next();
  }

  /// The deadline of this stop has come.
  void stop_due(std::uint64_t stop) const {
    auto& state = self_->state;
    if (!state.stopping || stop != state.stops) return;
    auto& watched = state.children.at(*state.stopping);
    watched.lingers = true;
    log(LogLevel::error, "stop_blocked", watched,
        "its handler has not ended within " +
            std::to_string(place_of(watched.child.role).stop_ms_max) + " ms");
    if (state.ending) state.counts->blocked.push_back(name_in_tree(watched));
    stop_next();
  }

  [[nodiscard]] KillAnswer kill(const KillRole& asked) const {
    KillAnswer answer;
    const Watched* victim = nullptr;
    for (const auto& watched : self_->state.children) {
      if (watched.child.role == asked.role && watched.child.region == asked.region)
        victim = &watched;
      else if (watched.down)
        ++answer.others_down;
    }
    if (victim == nullptr) return answer;
    answer.held_back = answer.others_down > asked.others_down_max;
    if (answer.held_back) return answer;
    const auto actor = caf::actor_cast<caf::strong_actor_ptr>(victim->address);
    answer.hit = actor != nullptr;
    if (answer.hit)
      self_->send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
    else
      log(LogLevel::warning, "kill_hits_nobody", *victim, "down");
    return answer;
  }

 private:
  void stop_next() const {
    auto& state = self_->state;
    state.stopping.reset();
    const std::uint32_t first = state.fallen ? *state.fallen + 1 : 0;
    for (auto place = static_cast<std::uint32_t>(state.children.size()); place-- > first;) {
      auto& watched = state.children[place];
      const auto actor = caf::actor_cast<caf::strong_actor_ptr>(watched.address);
      if (!actor || watched.lingers) continue;
      StableHandle::set_target(watched.child.handle, nullptr);
      state.stopping = place;
      self_->send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
      self_->delayed_send(self_,
                          std::chrono::milliseconds{place_of(watched.child.role).stop_ms_max},
                          Nudge{Window{++state.stops}});
      return;
    }
    if (state.fallen) return call_back(*state.fallen, state.restart_ms);
    for (const auto& watched : state.children)
      if (watched.child.lane) watched.child.lane->close();
    self_->quit(caf::exit_reason::user_shutdown);
  }

  void lose(Watched& watched) const {
    StableHandle::set_target(watched.child.handle, nullptr);
    if (watched.child.lane) watched.child.lane->receiver_lost();
    watched.down = true;
  }

  void failed(std::uint32_t place, const std::string& reason) const {
    auto& watched = self_->state.children.at(place);
    lose(watched);
    tell_journal(watched, reason);
    const auto now = now_ms(*self_);
    if (watched.breaker.state() == BreakerState::closed)
      if (const auto delay = watched.history.after_failure(now)) {
        count_restart(watched);
        return restart_at(place, now + *delay);
      }
    watched.breaker.failed(now, reason);
    give_up(watched, reason);
    restart_at(place, watched.breaker.open_until());
  }

  /// Who falls with it stops first. Whose own breaker is open stays with that.
  void restart_at(std::uint32_t place, std::uint64_t at_ms) const {
    auto& state = self_->state;
    const Role role = state.children[place].child.role;
    if (place_of(role).rule == RestartRule::one_for_one) return call_back(place, at_ms);
    for (auto& other : state.children)
      if (falls_with(other.child.role, role) &&
          !(other.down && other.breaker.state() != BreakerState::closed))
        other.swept = true;
    state.fallen = place;
    state.restart_ms = at_ms;
    stop_next();
  }

  void start_swept() const {
    auto& state = self_->state;
    state.fallen.reset();
    for (std::uint32_t place = 0; place < state.children.size(); ++place)
      if (state.children[place].swept && !state.children[place].lingers) start_again(place);
  }

  /// Not counted against its own intensity: it did not fall.
  void start_again(std::uint32_t place) const {
    count_restart(self_->state.children.at(place));
    start(place);
  }

  void count_restart(const Watched& watched) const {
    self_->state.counts->restarts += 1;
    context_->metrics.add("esper_restarts_total", name_of(watched.child.role),
                          region_label(watched), 1);
  }

  void call_back(std::uint32_t place, std::uint64_t at_ms) const {
    const auto now = now_ms(*self_);
    self_->state.children.at(place).due_ms = at_ms;
    self_->delayed_send(self_, std::chrono::milliseconds{at_ms > now ? at_ms - now : 0},
                        StartRole{place});
  }

  void give_up(Watched& watched, const std::string& reason) const {
    if (watched.child.lane) watched.child.lane->close();
    show(watched);
    log(LogLevel::error, "breaker_open", watched, reason);
  }

  void show(const Watched& watched) const {
    self_->state.counts->gave_up = std::ranges::any_of(
        self_->state.children,
        [](const Watched& child) { return child.breaker.state() != BreakerState::closed; });
    context_->breakers.show(watched.breaker, region_label(watched),
                            place_of(watched.child.role).closes_turns ? BreakerReach::turns_stop
                                                                      : BreakerReach::turns_go_on);
  }

  void came_back(std::uint32_t place, const std::string& cause) const {
    const auto& watched = self_->state.children.at(place);
    self_->state.untold.push_back({.role = watched.child.role,
                                   .region = watched.child.region,
                                   .epoch = watched.epoch,
                                   .cause = cause});
    if (watched.child.role == Role::journal)  // it forgot who is down
      for (const auto& other : self_->state.children)
        if (other.down || other.lingers) tell_journal(other, "down");
    tell_restarts();
    log(LogLevel::warning, "restarted", watched, "");
    if (watched.breaker.state() == BreakerState::half_open)
      call_back(place, now_ms(*self_) + context_->config.control.period_ms);
  }

  void tell_restarts() const {
    if (!journal_listens()) return;
    for (const auto& restart : std::exchange(self_->state.untold, {}))
      caf::anon_send(context_->peers.journal, restart);
  }

  /// While the journal is down it is told nothing: when it is back it is told who is down then.
  void tell_journal(const Watched& watched, const std::string& reason) const {
    log(LogLevel::warning, "role_down", watched, reason);
    if (!journal_listens()) return;
    caf::anon_send(
        context_->peers.journal,
        RoleDown{.role = watched.child.role, .region = watched.child.region, .reason = reason});
  }

  [[nodiscard]] bool journal_listens() const {
    return std::ranges::any_of(self_->state.children, [](const Watched& other) {
      return other.child.role == Role::journal && !other.down;
    });
  }

  void log(LogLevel level, std::string_view event, const Watched& watched,
           const std::string& reason) const {
    const RoleDown details{watched.child.role, watched.child.region, reason};
    context_->log.write(level, event, to_json(details, Floats::plain).dump());
  }

  [[nodiscard]] static std::string name_in_tree(const Watched& watched) {
    const auto region = region_label(watched);
    return std::string{name_of(watched.child.role)} + (region.empty() ? "" : " " + region);
  }

  [[nodiscard]] static std::string region_label(const Watched& watched) {
    return watched.child.role == Role::narset ? std::to_string(watched.child.region.value) : "";
  }

  SupervisorHandle::stateful_pointer<SupervisorState> self_;
  ControlContextPtr context_;
};

SupervisorHandle::behavior_type supervisor(SupervisorHandle::stateful_pointer<SupervisorState> self,
                                           const ControlContextPtr& context,
                                           std::vector<Child> children,
                                           std::shared_ptr<SupervisionCounts> counts) {
  keep_exception_text(self);
  const auto& control = context->config.control;
  self->state.counts = std::move(counts);
  std::ranges::stable_sort(children, std::less{},
                           [](const Child& child) { return order_of(child.role); });
  for (auto& child : children) {
    const RestartPolicy policy{.restarts_max = control.restarts_max,
                               .period_ms = control.period_ms,
                               .backoff_ms_first = control.backoff_ms_first,
                               .backoff_ms_max = control.backoff_ms_max};
    const auto component = std::string{"restart."} + std::string{name_of(child.role)};
    RestartHistory history(policy,
                           RandomStream(context->config.seed, component, child.region.value));
    Breaker breaker(std::string{name_of(child.role)},
                    BreakerPolicy{.failures_max = 1,
                                  .backoff_first = control.backoff_ms_max,
                                  .backoff_max = std::uint64_t{16} * control.backoff_ms_max});
    auto& watched = self->state.children.emplace_back(
        Watched{std::move(child), std::move(history), std::move(breaker)});
    watched.epoch = watched.child.before;
  }
  const Supervisor role(self, context);
  self->set_down_handler([=](caf::down_msg& down) { role.child_down(down.source, down.reason); });
  self->set_exit_handler([=](caf::exit_msg&) { role.stop_all(); });
  for (std::uint32_t place = 0; place < self->state.children.size(); ++place) role.start(place);
  return {
      [=](const KillRole& asked) { return role.kill(asked); },
      [=](StartRole asked) { role.due(asked.child); },
      [=](Nudge deadline) { role.stop_due(deadline.window.value); },
  };
}

}  // namespace

SupervisorHandle start_supervisor(caf::actor_system& system, const ControlContextPtr& context,
                                  std::vector<Child> children,
                                  std::shared_ptr<SupervisionCounts> counts) {
  return system.spawn(supervisor, context, std::move(children), std::move(counts));
}

}  // namespace esper
