#include "actors/narset_host.hpp"

#include <map>

#include "actors/decisions/failure_detector.hpp"
#include "actors/roles.hpp"
#include "messages/cluster_handles.hpp"
#include "messages/json.hpp"

namespace esper {

void NodeLife::joined(const NodeWelcome& welcome) {
  const std::lock_guard lock(mutex_);
  welcome_ = std::make_shared<const NodeWelcome>(welcome);
}

void NodeLife::over(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (over_.empty()) over_ = why;
  }
  changed_.notify_all();
}

std::string NodeLife::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return !over_.empty(); });
  return over_;
}

std::shared_ptr<const NodeWelcome> NodeLife::welcome() {
  const std::lock_guard lock(mutex_);
  return welcome_;
}

namespace {

/// What all Narsets of a node share.
struct Ground {
  NarsetHostSeams seams;
  HostDescription host;
};

struct PortState {
  const char* name = "narset_port";  ///< first, as CAF 0.17.6 needs it: see ReceptionState
  caf::strong_actor_ptr narset;
};

/// Stands between one Narset and its proxy; the three end together.
NarsetPortHandle::behavior_type narset_port(NarsetPortHandle::stateful_pointer<PortState> self,
                                            const std::shared_ptr<const Ground>& ground,
                                            const StartNarset& asked,
                                            const caf::strong_actor_ptr& proxy) {
  keep_exception_text(self);
  const auto& control = ground->seams.config.control;
  auto lane = std::make_shared<LaneQueue>("narset." + std::to_string(asked.region.value),
                                          LaneKind::telemetry, control.credit, control.backlog_max);
  const auto tree = caf::actor_cast<NarsetProxyHandle>(proxy);
  self->state.narset = start_narset(
      *self,
      NarsetSurroundings{.keeps = ground,
                         .config = &ground->seams.config,
                         .host = &ground->host,
                         .chaos = nullptr,
                         .planting = ground->seams.planting,
                         .urza = caf::actor_cast<UrzaHandle>(proxy),
                         .journal = caf::actor_cast<JournalHandle>(proxy),
                         .kasmina = caf::actor_cast<KasminaHandle>(proxy),
                         .in = lane,
                         .out = [tree](const RegionPart& part,
                                       caf::execution_unit*) { caf::anon_send(tree, part); }},
      asked.region, asked.epoch);
  self->monitor(self->state.narset);
  self->monitor(proxy);
  lane->receiver_started(self->state.narset);
  const auto end = [self, lane](caf::error reason) {
    lane->close();
    self->send_exit(self->state.narset, caf::exit_reason::user_shutdown);
    self->quit(std::move(reason));
  };
  self->set_down_handler([=](caf::down_msg& down) { end(std::move(down.reason)); });
  self->set_exit_handler([=](caf::exit_msg& exit) { end(std::move(exit.reason)); });
  return {[=](const RegionTurn& turn) {
    static_cast<void>(lane->push(EnvelopePtr{new Carried<RegionTurn>(turn)}, self->context()));
  }};
}

struct Hosted {
  Epoch epoch;
  caf::strong_actor_ptr port;  ///< kept: CAF forgets an idle actor that nobody refers to
};

struct NarsetHostState {
  const char* name = "narset_host";      ///< first, as CAF 0.17.6 needs it: see ReceptionState
  std::shared_ptr<const Ground> ground;  ///< null until it has joined
  std::map<RegionId, Hosted> hosted;
  caf::strong_actor_ptr reception;
  std::optional<FailureDetector> prime;
};

class NarsetHost {
 public:
  using Self = NarsetHostHandle::stateful_pointer<NarsetHostState>;

  NarsetHost(Self self, std::shared_ptr<const NarsetHostSeams> seams)
      : self_(self), seams_(std::move(seams)) {}

  void join(const caf::strong_actor_ptr& reception) const {
    if (!reception) return over("nothing is behind the prime's gate");
    self_->state.reception = reception;
    self_->monitor(reception);
    self_
        ->request(caf::actor_cast<ReceptionHandle>(reception),
                  std::chrono::milliseconds{times().request_ms},
                  NodeJoins{seams_->node, seams_->incarnation},
                  caf::actor_cast<caf::strong_actor_ptr>(self_))
        .then([*this](const NodeWelcome& welcome) { welcomed(welcome); },
              [*this](const caf::error& error) {
                over("the prime did not answer: " + self_->system().render(error));
              });
  }

  caf::result<caf::strong_actor_ptr> start(const StartNarset& asked,
                                           const caf::strong_actor_ptr& proxy) const {
    auto& state = self_->state;
    if (!state.ground || !proxy || asked.region.value >= state.ground->host.regions.size())
      return caf::make_error(caf::sec::invalid_argument);
    auto& hosted = state.hosted[asked.region];
    if (asked.epoch <= hosted.epoch) return caf::make_error(caf::sec::invalid_argument);
    end(hosted);
    auto port = self_->spawn(narset_port, state.ground, asked, proxy);
    hosted = {asked.epoch, caf::actor_cast<caf::strong_actor_ptr>(port)};
    return caf::actor_cast<caf::strong_actor_ptr>(port);
  }

  void beat() const {
    auto& state = self_->state;
    const auto now = now_ms(*self_);
    self_->send(caf::actor_cast<ReceptionHandle>(state.reception),
                NodePulse{seams_->node, seams_->incarnation});
    if (state.prime->look(now) == PeerState::lost) return over("the prime has fallen silent");
    self_->delayed_send(self_, std::chrono::milliseconds{times().heartbeat_ms}, Nudge{});
  }

  void heard() const {
    if (self_->state.prime) self_->state.prime->heard(0, now_ms(*self_));
  }

  void lost(const NodeLost& told) const {
    if (told.incarnation == 0) return over(run_is_over);
    if (seams_->lost) seams_->lost(told.node);
  }

  /// Its Narsets can do nothing more: whoever stands for them there knows it by now, or soon.
  void over(const std::string& why) const {
    for (auto& [region, hosted] : self_->state.hosted) end(hosted);
    seams_->life->over(why);
    self_->quit();
  }

 private:
  [[nodiscard]] const TimeoutConfig& times() const { return seams_->config.cluster.timeouts; }

  void welcomed(const NodeWelcome& welcome) const {
    if (!welcome.refusal.empty()) return over("the prime refuses: " + welcome.refusal);
    auto& state = self_->state;
    state.ground = std::make_shared<const Ground>(Ground{*seams_, welcome.host});
    state.prime.emplace(DetectorPolicy{.suspicion_ms = times().suspicion_ms,
                                       .confirmation_ms = times().confirmation_ms});
    static_cast<void>(state.prime->met(0, now_ms(*self_)));
    seams_->life->joined(welcome);
    seams_->log.write(LogLevel::info, "joined", "");
    beat();
  }

  void end(Hosted& hosted) const {
    if (hosted.port) self_->send_exit(hosted.port, caf::exit_reason::user_shutdown);
    hosted.port = nullptr;
  }

  Self self_;
  std::shared_ptr<const NarsetHostSeams> seams_;
};

NarsetHostHandle::behavior_type narset_host(NarsetHost::Self self,
                                            const std::shared_ptr<const NarsetHostSeams>& seams) {
  keep_exception_text(self);
  const NarsetHost role(self, seams);
  self->set_down_handler([=](const caf::down_msg&) { role.over("the prime is out of reach"); });
  self->set_exit_handler([=](const caf::exit_msg&) { role.over("it was told to end"); });
  return {
      [=](const StartNarset& asked, const caf::strong_actor_ptr& proxy) {
        return role.start(asked, proxy);
      },
      [=](const caf::strong_actor_ptr& reception) { role.join(reception); },
      [=](const NodePulse&) { role.heard(); },
      [=](const NodeLost& told) { role.lost(told); },
      [=](Nudge) { role.beat(); },
  };
}

}  // namespace

caf::strong_actor_ptr start_narset_host(caf::actor_system& system, NarsetHostSeams seams) {
  return caf::actor_cast<caf::strong_actor_ptr>(
      system.spawn(narset_host, std::make_shared<const NarsetHostSeams>(std::move(seams))));
}

}  // namespace esper
