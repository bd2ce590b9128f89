#include "actors/supervisor.hpp"

#include "actors/decisions/restart.hpp"
#include "actors/stable_handle.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

struct Watched {
  Child child;
  caf::actor_addr address;
  Epoch epoch;
  bool down = false;
  bool gave_up = false;
  std::optional<RestartHistory> history;
};

struct SupervisorState {
  std::vector<Watched> children;
  std::shared_ptr<SupervisionCounts> counts;
  bool stopping = false;
  const char* name = "supervisor";
};

class Supervisor {
 public:
  Supervisor(SupervisorHandle::stateful_pointer<SupervisorState> self, ControlContextPtr context)
      : self_(self), context_(std::move(context)) {}

  void start(std::uint32_t place) const {
    auto& watched = self_->state.children.at(place);
    if (self_->state.stopping) return;
    watched.epoch.value += 1;
    const bool again = watched.epoch.value > 1;
    try {
      const auto actor = watched.child.start(*self_, watched.epoch);
      watched.address = caf::actor_cast<caf::actor_addr>(actor);
      self_->monitor(actor);
      StableHandle::set_target(watched.child.handle, actor);
    } catch (const std::exception& exception) {  // CAF runs a state's constructor in spawn
      return failed(place, exception.what());
    }
    watched.down = false;
    if (again) came_back(watched);
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
      if (watched.child.role == asked.role && watched.child.region == asked.region)
        if (const auto actor = caf::actor_cast<caf::strong_actor_ptr>(watched.address))
          self_->send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
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
    self_->quit(caf::exit_reason::user_shutdown);
  }

 private:
  void failed(std::uint32_t place, const std::string& reason) const {
    auto& watched = self_->state.children.at(place);
    StableHandle::set_target(watched.child.handle, nullptr);
    watched.down = true;
    tell_journal(watched, reason);
    const auto label = std::string{name_of(watched.child.role)};
    const auto delay = watched.history->after_failure(now_ms());
    if (delay) {
      self_->state.counts->restarts += 1;
      context_->metrics.add("esper_restarts_total", label, region_label(watched), 1);
      self_->delayed_send(self_, std::chrono::milliseconds{*delay}, StartRole{place});
      return;
    }
    give_up(watched, reason);
  }

  void give_up(Watched& watched, const std::string& reason) const {
    watched.gave_up = true;
    self_->state.counts->gave_up = true;
    context_->executor.set_control_alive(false);
    if (watched.child.lane) watched.child.lane->close();
    context_->metrics.set("esper_breaker_open", name_of(watched.child.role), region_label(watched),
                          1);
    log(LogLevel::error, "breaker_open", watched, reason);
  }

  void came_back(Watched& watched) const {
    if (watched.child.lane) watched.child.lane->receiver_restarted();
    const Restart restart{.role = watched.child.role,
                          .region = watched.child.region,
                          .epoch = watched.epoch,
                          .cause = "restarted"};
    caf::anon_send(context_->peers.journal, restart);
    if (watched.child.role == Role::journal)  // it forgot who is down
      for (const auto& other : self_->state.children)
        if (other.down) tell_journal(other, "down");
    log(LogLevel::warning, "restarted", watched, "");
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

  [[nodiscard]] std::uint64_t now_ms() const {
    const auto since = self_->clock().now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  }

  SupervisorHandle::stateful_pointer<SupervisorState> self_;
  ControlContextPtr context_;
};

SupervisorHandle::behavior_type supervisor(SupervisorHandle::stateful_pointer<SupervisorState> self,
                                           ControlContextPtr context, std::vector<Child> children,
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
    self->state.children.push_back({std::move(child), {}, {}, false, false, std::move(history)});
  }
  const Supervisor role(self, context);
  self->set_down_handler([=](caf::down_msg& down) { role.child_down(down.source, down.reason); });
  self->set_exit_handler([=](caf::exit_msg&) { role.stop_next(); });
  for (std::uint32_t place = 0; place < self->state.children.size(); ++place) role.start(place);
  return {
      [=](const KillRole& asked) { role.kill(asked); },
      [=](StartRole asked) { role.start(asked.child); },
  };
}

}  // namespace

SupervisorHandle start_supervisor(caf::actor_system& system, const ControlContextPtr& context,
                                  std::vector<Child> children,
                                  std::shared_ptr<SupervisionCounts> counts) {
  return system.spawn(supervisor, context, std::move(children), std::move(counts));
}

}  // namespace esper
