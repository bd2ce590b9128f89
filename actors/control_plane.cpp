#include "actors/control_plane.hpp"

#include "actors/lane_books.hpp"
#include "actors/roles.hpp"
#include "actors/stable_handle.hpp"
#include "actors/supervisor.hpp"

namespace esper {

namespace {

struct SystemConfig : caf::actor_system_config {
  explicit SystemConfig(const ControlConfig& control) {
    set("scheduler.max-threads", std::size_t{control.threads});
  }
};

/// A role's stable handle and, where messages are sent to it, the lane that leads there.
struct Address {
  caf::strong_actor_ptr handle;
  std::shared_ptr<LaneQueue> lane;
};

Address make_address(caf::actor_system& system, const ControlConfig& control,
                     const std::string& name, std::optional<LaneKind> kind) {
  Address address{StableHandle::make(system), nullptr};
  if (kind) {
    address.lane = std::make_shared<LaneQueue>(name, *kind, control.credit, control.backlog_max);
  }
  return address;
}

}  // namespace

struct ControlPlane::Parts {
  Parts(const RunConfig& config, const HostDescription& host, const ControlSeams& seams)
      : system_config(config.control), system(system_config) {
    const auto at = [&](const std::string& name, std::optional<LaneKind> kind) {
      return make_address(system, config.control, name, kind);
    };
    const auto journal = at("journal", LaneKind::command), oona = at("oona", {}),
               kasmina = at("kasmina", LaneKind::command), urza = at("urza", {}),
               tamiyo = at("tamiyo", LaneKind::telemetry), elesh = at("elesh", LaneKind::telemetry),
               emrakul = at("emrakul", LaneKind::command),
               tolaria = at("tolaria", LaneKind::telemetry);
    std::vector<Address> narsets;
    std::vector<Lane<NarsetHandle>> narset_lanes;
    for (const auto& region : host.regions) {
      narsets.push_back(at("narset." + region.name, LaneKind::telemetry));
      narset_lanes.emplace_back(narsets.back().lane);
    }
    // Not make_shared: LLVM before 16 knows no aggregates in parentheses.
    context.reset(new ControlContext{
        config, host, seams.executor, seams.journal, seams.metrics, seams.log,
        Peers{caf::actor_cast<JournalHandle>(journal.handle),
              caf::actor_cast<KasminaHandle>(kasmina.handle),
              caf::actor_cast<UrzaHandle>(urza.handle), caf::actor_cast<OonaHandle>(oona.handle)},
        Lanes{Lane<JournalHandle>(journal.lane), Lane<TolariaHandle>(tolaria.lane), narset_lanes,
              Lane<TamiyoHandle>(tamiyo.lane), Lane<KasminaHandle>(kasmina.lane),
              Lane<EleshHandle>(elesh.lane), Lane<EmrakulHandle>(emrakul.lane)},
        seams.filter, seams.overrides});

    std::vector<Child> children;
    const auto add = [&](Role role, RegionId region, const Address& address, auto start) {
      Epoch before;
      for (const auto& restart : seams.restarts)
        if (restart.role == role && restart.region == region)
          before = std::max(before, restart.epoch);
      children.push_back({role, region, std::move(start), address.handle, address.lane, before});
    };
    const auto of = [this](auto start) {
      return [start, shared = context](caf::local_actor& parent, Epoch epoch) {
        return start(parent, shared, epoch);
      };
    };
    add(Role::journal, {}, journal, of(start_journal));
    add(Role::oona, {}, oona, of(start_oona));
    add(Role::kasmina, {}, kasmina, of(start_kasmina));
    add(Role::urza, {}, urza, of(start_urza));
    for (std::uint32_t i = 0; i < narsets.size(); ++i)
      add(Role::narset, RegionId{i}, narsets[i],
          [shared = context, i](caf::local_actor& parent, Epoch epoch) {
            return start_narset(parent, shared, RegionId{i}, epoch);
          });
    add(Role::tamiyo, {}, tamiyo, of(start_tamiyo));
    if (config.compaction.enabled) {
      add(Role::elesh, {}, elesh, of(start_elesh));
      add(Role::emrakul, {}, emrakul, of(start_emrakul));
    }
    add(Role::tolaria, {}, tolaria, of(start_tolaria));
    supervisor = start_supervisor(system, context, std::move(children), counts);
  }

  SystemConfig system_config;
  caf::actor_system system;
  std::shared_ptr<SupervisionCounts> counts = std::make_shared<SupervisionCounts>();
  ControlContextPtr context;
  SupervisorHandle supervisor;
  std::optional<ControlEnd> end;
};

ControlPlane::ControlPlane(const RunConfig& config, const HostDescription& host,
                           const ControlSeams& seams)
    : parts_(std::make_unique<Parts>(config, host, seams)) {}

ControlPlane::~ControlPlane() {
  // The actor system waits for all its threads, and one of them hangs: left behind as it is.
  if (!stop().blocked.empty()) static_cast<void>(parts_.release());
}

bool ControlPlane::finish(Window last, std::chrono::milliseconds patience) {
  return parts_->context->turns.wait_for(last, patience);
}

ControlEnd ControlPlane::stop() {
  auto& parts = *parts_;
  if (parts.end) return *parts.end;
  parts.context->executor.wake();
  {
    caf::scoped_actor self{parts.system};
    self->monitor(parts.supervisor);
    self->send_exit(parts.supervisor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
  }
  parts.supervisor = nullptr;
  for (LaneQueue* lane : parts.context->lanes.all())  // what died after Oona, and the final sums
    report_lane(*parts.context, *lane);
  report_peers(*parts.context);
  parts.end = ControlEnd{.restarts = parts.counts->restarts,
                         .gave_up = parts.counts->gave_up,
                         .blocked = parts.counts->blocked};
  return *parts.end;
}

std::uint64_t ControlPlane::restarts() const { return parts_->counts->restarts; }

void ControlPlane::kill(Role role, RegionId region) {
  caf::anon_send(parts_->supervisor, KillRole{role, region});
}

}  // namespace esper
