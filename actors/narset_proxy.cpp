#include "actors/narset_proxy.hpp"

#include "actors/roles.hpp"
#include "messages/cluster_handles.hpp"

namespace esper {

namespace {

struct ProxyState {
  const char* name = "narset_proxy";  ///< first, as CAF 0.17.6 needs it: see ReceptionState
  NarsetPortHandle port;              ///< null until the node has answered
  std::optional<RegionTurn> waiting;  ///< for the port, the newest
};

class Proxy {
 public:
  using Self = NarsetProxyHandle::stateful_pointer<ProxyState>;

  Proxy(Self self, ControlContextPtr context, RegionId region, Epoch epoch)
      : self_(self), context_(std::move(context)), region_(region), epoch_(epoch) {}

  void begin(const NodeTable::Seat& seat) const {
    const std::chrono::milliseconds patience{context_->config.cluster.timeouts.request_ms};
    self_
        ->request(caf::actor_cast<NarsetHostHandle>(seat.narset_host), patience,
                  StartNarset{region_, epoch_}, caf::actor_cast<caf::strong_actor_ptr>(self_))
        .then(
            [*this](const caf::strong_actor_ptr& port) {
              if (!port) return self_->quit(caf::sec::invalid_argument);
              self_->state.port = caf::actor_cast<NarsetPortHandle>(port);
              self_->monitor(self_->state.port);
              if (const auto turn = std::exchange(self_->state.waiting, std::nullopt))
                pass_on(*turn);
            },
            [*this](caf::error& error) { self_->quit(std::move(error)); });
  }

  /// What is under way to the node is bounded by the turns themselves: the next one opens when this
  /// one is answered, or the node is lost, and until then it is repeated every control.retry_ms.
  void pass_on(const RegionTurn& turn) const {
    if (self_->state.port)
      self_->send(self_->state.port, turn);
    else
      self_->state.waiting = turn;
  }

  void answered(const RegionPart& part) const {
    if (own(part.report.region, part.report.epoch))
      context_->lanes.journal.send(part, self_->context());
  }

  /// Whoever is on the other node asks for its own region alone.
  [[nodiscard]] bool own(RegionId region, Epoch epoch) const {
    return region == region_ && epoch == epoch_;
  }

 private:
  Self self_;
  ControlContextPtr context_;
  RegionId region_;
  Epoch epoch_;
};

NarsetProxyHandle::behavior_type narset_proxy(Proxy::Self self, const ControlContextPtr& context,
                                              RegionId region, Epoch epoch,
                                              const NodeTable::Seat& seat) {
  keep_exception_text(self);
  const Proxy proxy(self, context, region, epoch);
  self->set_down_handler([self](caf::down_msg& down) { self->quit(std::move(down.reason)); });
  proxy.begin(seat);
  return {
      [=](const RegionTurn& turn) {
        const Delivery delivery(context->lanes.narsets.at(region.value).queue());
        proxy.pass_on(turn);
      },
      [](Nudge) {},
      [=](const NodeLost&) { self->quit(caf::exit_reason::remote_link_unreachable); },
      [=](const RegionPart& part) { proxy.answered(part); },
      [=](const Recover& asked) -> caf::result<Recovery> {
        const bool allowed = asked.role == Role::narset && proxy.own(asked.region, asked.epoch);
        if (!allowed) return caf::make_error(caf::sec::invalid_argument);
        return self->delegate(context->peers.journal, asked);
      },
      [=](const ReadSeeds& asked) -> caf::result<RegionSeeds> {
        if (!proxy.own(asked.region, asked.epoch))
          return caf::make_error(caf::sec::invalid_argument);
        return self->delegate(context->peers.kasmina, asked);
      },
      [=](const ReadCatalogue& asked) -> caf::result<Catalogue> {
        return self->delegate(context->peers.urza, asked);
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_narset_proxy(caf::local_actor& parent, const ControlContextPtr& context,
                                         RegionId region, Epoch epoch,
                                         const NodeTable::Seat& seat) {
  return caf::actor_cast<caf::strong_actor_ptr>(
      parent.spawn(narset_proxy, context, region, epoch, seat));
}

caf::strong_actor_ptr start_seated_narset(caf::local_actor& parent,
                                          const ControlContextPtr& context, NodeTable& nodes,
                                          RegionId region, Epoch epoch) {
  const auto seat = nodes.seat(region);
  if (!seat)
    throw std::runtime_error("no node that is there takes the region " +
                             context->host.regions.at(region.value).name);
  if (!seat->narset_host) return start_narset(parent, context, region, epoch);
  auto proxy = start_narset_proxy(parent, context, region, epoch, *seat);
  nodes.seated(region, caf::actor_cast<caf::actor_addr>(proxy));
  return proxy;
}

}  // namespace esper
