#include "actors/control_tree.hpp"

#include "actors/narset_proxy.hpp"
#include "actors/roles.hpp"
#include "actors/stable_handle.hpp"

namespace esper {

namespace {

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

ControlTree make_control_tree(caf::actor_system& system, const RunConfig& config,
                              const HostDescription& host, const ControlSeams& seams) {
  ControlTree tree;
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
  tree.context.reset(new ControlContext{
      config, host, seams.executor, seams.journal, seams.metrics, seams.log,
      Peers{caf::actor_cast<JournalHandle>(journal.handle),
            caf::actor_cast<KasminaHandle>(kasmina.handle),
            caf::actor_cast<UrzaHandle>(urza.handle), caf::actor_cast<OonaHandle>(oona.handle)},
      Lanes{Lane<JournalHandle>(journal.lane), Lane<TolariaHandle>(tolaria.lane), narset_lanes,
            Lane<TamiyoHandle>(tamiyo.lane), Lane<KasminaHandle>(kasmina.lane),
            Lane<EleshHandle>(elesh.lane), Lane<EmrakulHandle>(emrakul.lane)},
      seams.filter, seams.overrides, seams.chaos});
  tree.context->virtual_time = seams.virtual_time;
  tree.context->planting = seams.planting;
  if (seams.cluster != nullptr) tree.nodes = seams.cluster->make_table(host);
  tree.context->deposed = seams.deposed;

  const auto add = [&](Role role, RegionId region, const Address& address, auto start) {
    Epoch before;
    for (const auto& restart : seams.restarts)
      if (restart.role == role && restart.region == region)
        before = std::max(before, restart.epoch);
    tree.children.push_back({role, region, std::move(start), address.handle, address.lane, before});
  };
  const auto of = [&](auto start) {
    return [start, shared = tree.context](caf::local_actor& parent, Epoch epoch) {
      return start(parent, shared, epoch);
    };
  };
  add(Role::journal, {}, journal, of(start_journal));
  add(Role::oona, {}, oona, of(start_oona));
  add(Role::kasmina, {}, kasmina, of(start_kasmina));
  add(Role::urza, {}, urza, of(start_urza));
  for (std::uint32_t i = 0; i < narsets.size(); ++i)
    add(Role::narset, RegionId{i}, narsets[i],
        [shared = tree.context, nodes = tree.nodes, i](caf::local_actor& parent, Epoch epoch) {
          return nodes ? start_seated_narset(parent, shared, *nodes, RegionId{i}, epoch)
                       : start_narset(parent, shared, RegionId{i}, epoch);
        });
  add(Role::tamiyo, {}, tamiyo, of(start_tamiyo));
  if (config.compaction.enabled) {
    add(Role::elesh, {}, elesh, of(start_elesh));
    add(Role::emrakul, {}, emrakul, of(start_emrakul));
  }
  add(Role::tolaria, {}, tolaria, of(start_tolaria));
  return tree;
}

}  // namespace esper
