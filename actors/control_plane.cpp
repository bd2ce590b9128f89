#include "actors/control_plane.hpp"

#include "actors/control_tree.hpp"
#include "actors/lane_books.hpp"

namespace esper {

namespace {

struct SystemConfig : caf::actor_system_config {
  explicit SystemConfig(const ControlConfig& control) {
    set("scheduler.max-threads", std::size_t{control.threads});
  }
};

}  // namespace

struct ControlPlane::Parts {
  Parts(const RunConfig& config, const HostDescription& host, const ControlSeams& seams)
      : system_config(config.control), system(system_config) {
    auto tree = make_control_tree(system, config, host, seams);
    context = tree.context;
    supervisor = start_supervisor(system, context, std::move(tree.children), counts);
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
