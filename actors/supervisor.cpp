#include "actors/supervisor.hpp"

#include "actors/decisions/restart.hpp"
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
  bool down = true;
};

struct SupervisorState {
  std::vector<Watched> children;
  std::vector<Restart> untold;  ///< while the journal's actor is down
  std::shared_ptr<SupervisionCounts> counts;
  bool stopping = false;
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
    if (self_->state.stopping) return;
    if (watched.down) {
      if (!watched.breaker.pass(now)) return;
      if (watched.breaker.state() == BreakerState::half_open) count_restart(watched);
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
    if (watched.epoch.value > 1) came_back(place);
  }

  void child_down(const caf::actor_addr& source, const caf::error& reason) const {
    auto& children = self_->state.children;
    for (std::uint32_t place = 0; place < children.size(); ++place)
      if (children[place].address == source) {
        children[place].address = nullptr;
        if (self_->state.stopping) return stop_next();
        failed(place, self_->system().render(reason));
      }
  }

  void kill(const KillRole& asked) const {
    for (const auto& watched : self_->state.children)
      if (watched.child.role == asked.role && watched.child.region == asked.region) {
        const auto actor = caf::actor_cast<caf::strong_actor_ptr>(watched.address);
        if (!actor) return log(LogLevel::warning, "kill_hits_nobody", watched, "down");
        self_->send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
      }
  }

  /// In reverse order, one after the other: each child's end stops the next.
  void stop_next() const {
    self_->state.stopping = true;
    auto& children = self_->state.children;
    for (auto watched = children.rbegin(); watched != children.rend(); ++watched)
      if (const auto actor = caf::actor_cast<caf::strong_actor_ptr>(watched->address)) {
        StableHandle::set_target(watched->child.handle, nullptr);
        self_->send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
        return;
      }
    for (const auto& watched : children)
      if (watched.child.lane) watched.child.lane->close();
    self_->quit(caf::exit_reason::user_shutdown);
  }

 private:
  void failed(std::uint32_t place, const std::string& reason) const {
    auto& watched = self_->state.children.at(place);
    StableHandle::set_target(watched.child.handle, nullptr);
    if (watched.child.lane) watched.child.lane->receiver_lost();
    watched.down = true;
    tell_journal(watched, reason);
    const auto now = now_ms(*self_);
    if (watched.breaker.state() == BreakerState::closed)
      if (const auto delay = watched.history.after_failure(now)) {
        count_restart(watched);
        return call_back(place, now + *delay);
      }
    watched.breaker.failed(now, reason);
    give_up(watched, reason);
    call_back(place, watched.breaker.open_until());
  }

  void count_restart(const Watched& watched) const {
    self_->state.counts->restarts += 1;
    context_->metrics.add("esper_restarts_total", name_of(watched.child.role),
                          region_label(watched), 1);
  }

  void call_back(std::uint32_t place, std::uint64_t at_ms) const {
    const auto now = now_ms(*self_);
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
    // Without Elesh or Emrakul there is no plan; turns close all the same.
    const bool advises = watched.child.role == Role::elesh || watched.child.role == Role::emrakul;
    context_->breakers.show(watched.breaker, region_label(watched),
                            advises ? BreakerReach::turns_go_on : BreakerReach::turns_stop);
  }

  void came_back(std::uint32_t place) const {
    const auto& watched = self_->state.children.at(place);
    self_->state.untold.push_back({.role = watched.child.role,
                                   .region = watched.child.region,
                                   .epoch = watched.epoch,
                                   .cause = "restarted"});
    if (watched.child.role == Role::journal)  // it forgot who is down
      for (const auto& other : self_->state.children)
        if (other.down) tell_journal(other, "down");
    tell_restarts();
    log(LogLevel::warning, "restarted", watched, "");
    if (watched.breaker.state() == BreakerState::half_open)
      call_back(place, now_ms(*self_) + context_->config.control.period_ms);
  }

  void tell_restarts() const {
    auto& state = self_->state;
    const auto journal = std::ranges::find(state.children, Role::journal,
                                           [](const Watched& child) { return child.child.role; });
    if (journal == state.children.end() || journal->down) return;
    for (const auto& restart : std::exchange(state.untold, {}))
      caf::anon_send(context_->peers.journal, restart);
  }

  void tell_journal(const Watched& watched, const std::string& reason) const {
    caf::anon_send(
        context_->peers.journal,
        RoleDown{.role = watched.child.role, .region = watched.child.region, .reason = reason});
    log(LogLevel::warning, "role_down", watched, reason);
  }

  void log(LogLevel level, std::string_view event, const Watched& watched,
           const std::string& reason) const {
    const RoleDown details{watched.child.role, watched.child.region, reason};
    context_->log.write(level, event, to_json(details, Floats::plain).dump());
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
  self->set_exit_handler([=](caf::exit_msg&) { role.stop_next(); });
  for (std::uint32_t place = 0; place < self->state.children.size(); ++place) role.start(place);
  return {
      [=](const KillRole& asked) { role.kill(asked); },
      [=](StartRole asked) { role.due(asked.child); },
  };
}

}  // namespace

SupervisorHandle start_supervisor(caf::actor_system& system, const ControlContextPtr& context,
                                  std::vector<Child> children,
                                  std::shared_ptr<SupervisionCounts> counts) {
  return system.spawn(supervisor, context, std::move(children), std::move(counts));
}

}  // namespace esper
