#include "actors/control_plane.hpp"

#include <map>

#include "actors/control_tree.hpp"
#include "actors/lane_books.hpp"
#include "actors/reception.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds kill_patience{1'000};

struct SystemConfig : caf::actor_system_config {
  SystemConfig(const ControlConfig& control, ClusterSide* cluster) {
    set("scheduler.max-threads", std::size_t{control.threads});
    if (cluster != nullptr) cluster->configure(*this);
  }
};

}  // namespace

/// What every role is.
using Nudged = caf::typed_actor<caf::reacts_to<Nudge>>;

struct ControlPlane::Parts {
  Parts(const RunConfig& config, const HostDescription& host, const ControlSeams& seams)
      : system_config(config.control, seams.cluster),
        system(system_config),
        cluster(seams.cluster) {
    auto tree = make_control_tree(system, config, host, seams);
    context = tree.context;
    if (cluster != nullptr) open(tree.nodes);
    for (const auto& child : tree.children)
      handles[{child.role, child.region}] = caf::actor_cast<Nudged>(child.handle);
    supervisor = start_supervisor(system, context, std::move(tree.children), counts);
  }

  void open(const std::shared_ptr<NodeTable>& nodes) {
    reception = start_reception(system, context, nodes, *cluster);
    try {
      cluster->open(system, reception);
    } catch (...) {
      close();
      throw;
    }
  }
  /// Nobody else may hold the system up.
  void close() {
    if (cluster == nullptr) return;
    {
      caf::scoped_actor self{system};
      self->monitor(reception);
      self->send_exit(caf::actor_cast<caf::actor>(reception), caf::exit_reason::user_shutdown);
      self->receive([](const caf::down_msg&) {});
    }
    reception = nullptr;
    cluster->close();
  }

  SystemConfig system_config;
  caf::actor_system system;
  ClusterSide* cluster;
  caf::strong_actor_ptr reception;
  std::shared_ptr<SupervisionCounts> counts = std::make_shared<SupervisionCounts>();
  ControlContextPtr context;
  std::map<std::pair<Role, RegionId>, Nudged> handles;
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
  parts.close();
  for (LaneQueue* lane : parts.context->lanes.all())  // what died after Oona, and the final sums
    report_lane(*parts.context, *lane);
  report_peers(*parts.context);
  parts.end = ControlEnd{.restarts = parts.counts->restarts,
                         .gave_up = parts.counts->gave_up,
                         .blocked = parts.counts->blocked};
  return *parts.end;
}

std::uint64_t ControlPlane::restarts() const { return parts_->counts->restarts; }

KillAnswer ControlPlane::kill(Role role, RegionId region, std::uint32_t others_down_max) {
  KillAnswer answer;
  if (parts_->end) return answer;
  caf::scoped_actor self{parts_->system};
  self->request(parts_->supervisor, kill_patience, KillRole{role, region, others_down_max})
      .receive([&](const KillAnswer& given) { answer = given; }, [](const caf::error&) {});
  return answer;
}

void ControlPlane::nudge(Role role, RegionId region) {
  if (const auto found = parts_->handles.find({role, region}); found != parts_->handles.end())
    caf::anon_send(found->second, Nudge{});
}

}  // namespace esper
