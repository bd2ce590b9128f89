#include "sim/nodes.hpp"

#include "actors/roles.hpp"
#include "actors/stable_handle.hpp"

namespace esper::sim {

namespace {

std::string role_of(RegionId region) { return "narset." + std::to_string(region.value); }

}  // namespace

std::string Nodes::home_of(RegionId region) {
  return region.value % 3 == 1 ? "b" : region.value % 3 == 2 ? "c" : "lead";
}

Nodes::Nodes(World& world, Network& network, ControlTree& tree)
    : world_(world), network_(network), system_(world.system()) {
  for (const auto& node : far_nodes()) contexts_[node] = make_context(node, tree.context, system_);
  for (auto& child : tree.children)
    if (child.role == Role::narset) place(child, tree.context);
  network_.suspected = [this](const std::string& node) { give_up(node); };
}

Nodes::~Nodes() {
  *alive_ = false;
  for (auto& [region, placed] : placed_)
    if (placed.actor)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(placed.actor), caf::exit_reason::kill);
  for (auto& [node, context] : contexts_)
    for (LaneQueue* lane : context->lanes.all()) lane->close();
}

ControlContextPtr Nodes::make_context(const std::string& node, const ControlContextPtr& lead,
                                      caf::actor_system& system) {
  const auto& control = lead->config.control;
  const auto lane = [&](LaneKind kind) {
    return std::make_shared<LaneQueue>("far", kind, control.credit, control.backlog_max);
  };
  // Non-owning: the lead's lanes live as long as its context.
  const std::shared_ptr<LaneQueue> lead_journal{lead, &lead->lanes.journal.queue()};
  const Way way{&network_, &world_, node, "lead"};
  const auto journal = lane(LaneKind::command);
  const auto ferry = [&](const caf::strong_actor_ptr& peer) {
    return Far::make(system, way, journal, lead_journal, peer);
  };
  const auto to_journal = ferry(caf::actor_cast<caf::strong_actor_ptr>(lead->peers.journal));
  const auto to_kasmina = ferry(caf::actor_cast<caf::strong_actor_ptr>(lead->peers.kasmina));
  const auto to_urza = ferry(caf::actor_cast<caf::strong_actor_ptr>(lead->peers.urza));
  std::vector<Lane<NarsetHandle>> narsets;
  for (std::size_t i = 0; i < lead->host.regions.size(); ++i)
    narsets.emplace_back(lane(LaneKind::telemetry));
  ControlContextPtr context{new ControlContext{
      lead->config,
      lead->host,
      lead->executor,
      lead->journal,
      lead->metrics,
      lead->log,
      Peers{caf::actor_cast<JournalHandle>(to_journal), caf::actor_cast<KasminaHandle>(to_kasmina),
            caf::actor_cast<UrzaHandle>(to_urza), lead->peers.oona},
      Lanes{Lane<JournalHandle>(journal), Lane<TolariaHandle>(lane(LaneKind::telemetry)), narsets,
            Lane<TamiyoHandle>(lane(LaneKind::telemetry)),
            Lane<KasminaHandle>(lane(LaneKind::command)),
            Lane<EleshHandle>(lane(LaneKind::telemetry)),
            Lane<EmrakulHandle>(lane(LaneKind::command))},
      {},
      nullptr}};
  context->virtual_time = true;
  context->planting = lead->planting;
  journal->receiver_started(to_journal);
  return context;
}

void Nodes::place(Child& child, const ControlContextPtr& lead) {
  const RegionId region = child.region;
  child.start = [this, region, lead, lane = child.lane](caf::local_actor& parent, Epoch epoch) {
    const auto home = home_of(region);
    const bool far =
        home != "lead" && network_.whole(home) && dead_until_ms_[home] <= world_.now_ms();
    if (far) return start_far(parent, region, epoch, home, lane);
    auto actor = start_narset(parent, lead, region, epoch);
    world_.name(actor, {role_of(region), epoch.value, "lead"});
    return actor;
  };
}

caf::strong_actor_ptr Nodes::start_far(caf::local_actor& parent, RegionId region, Epoch epoch,
                                       const std::string& node,
                                       const std::shared_ptr<LaneQueue>& lane) {
  const auto& context = contexts_.at(node);
  auto& placed = placed_[region];
  auto& queue = context->lanes.narsets.at(region.value).queue();
  const std::shared_ptr<LaneQueue> far_lane{context, &queue};
  if (placed.actor) {  // a predecessor that was only cut off ends when its node hears of this one
    caf::anon_send_exit(caf::actor_cast<caf::actor>(placed.actor), caf::exit_reason::kill);
    queue.receiver_lost();
  }
  placed.actor = start_narset(parent, context, region, epoch);
  placed.node = node;
  placed.epoch = epoch;
  queue.receiver_started(placed.actor);
  placed.stand_in =
      Far::make(system_, {&network_, &world_, "lead", node}, lane, far_lane, placed.actor);
  world_.name(placed.actor, {role_of(region), epoch.value, node});
  placed.actor->get()->attach_functor(
      [this, alive = alive_, region, node, epoch, far_lane,
       stand_in = caf::actor_cast<caf::weak_actor_ptr>(placed.stand_in)](const caf::error& reason) {
        if (!*alive) return;
        auto& now = placed_[region];
        if (now.epoch == epoch) {
          far_lane->receiver_lost();
          now.actor = nullptr;
        }
        // Heard at once, or when the lead has given its node up.
        const bool heard = dead_until_ms_[node] <= world_.now_ms() && network_.whole(node);
        world_.at(world_.now_ms() + (heard ? 0 : Network::suspicion_ms), [stand_in, reason] {
          if (const auto handle = caf::actor_cast<caf::strong_actor_ptr>(stand_in))
            Far::of(handle).end(reason);
        });
      });
  return placed.stand_in;
}

void Nodes::give_up(const std::string& node) {
  for (auto& [region, placed] : placed_)
    if (placed.node == node && placed.stand_in)
      Far::of(placed.stand_in).end(caf::exit_reason::remote_link_unreachable);
}

void Nodes::lose(const std::string& node, std::uint64_t duration_ms) {
  dead_until_ms_[node] = world_.now_ms() + std::max(duration_ms, Network::suspicion_ms + 1);
  for (auto& [region, placed] : placed_)
    if (placed.node == node && placed.actor) (void)world_.kill(role_of(region));
  world_.at(world_.now_ms() + Network::suspicion_ms, [this, node] { give_up(node); });
}

}  // namespace esper::sim
