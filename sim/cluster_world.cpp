#include "sim/cluster_world.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::uint32_t lost_of_thousand = 250, doubled_of_thousand = 500;
constexpr std::uint64_t usual_ms = 5, slow_ms = 700, echo_ms = 6'000;

}  // namespace

World::World(std::uint64_t seed, std::uint32_t places) : random_(seed, "cluster.world") {
  weather_.cut.assign(places, std::vector<std::uint32_t>(places, 0));
}

void World::send(NodeId from, NodeId to, Payload payload) {
  const auto shared = std::make_shared<const Payload>(std::move(payload));
  if (from == to) return arrive(from, to, shared);
  if (weather_.cut[from][to] > 0) return;
  if (weather_.lossy > 0 && chance(lost_of_thousand)) return;
  arrive(from, to, shared);
  if (weather_.doubling > 0 && chance(doubled_of_thousand)) {
    // The echo may come when all has changed.
    Event echo{now_ms_ + 1 + below(echo_ms), 0, to, 0, from, shared, {}};
    push(std::move(echo));
  }
}

void World::arrive(NodeId from, NodeId to, const std::shared_ptr<const Payload>& payload) {
  auto delay_ms = from == to ? 0 : 1 + below(usual_ms);
  if (from != to && weather_.slow > 0) delay_ms += below(slow_ms);
  push({now_ms_ + delay_ms, 0, to, 0, from, payload, {}});
}

void World::after(std::uint64_t delay_ms, NodeId node, std::uint64_t process,
                  std::function<void()> what) {
  push({now_ms_ + delay_ms, 0, node, process, std::nullopt, nullptr, std::move(what)});
}

void World::defer(Event event, std::uint64_t at_ms) {
  event.at_ms = at_ms;
  push(std::move(event));
}

void World::push(Event event) {
  event.number = ++number_;
  queue_.push(std::move(event));
}

World::Event World::take() {
  auto event = queue_.top();
  queue_.pop();
  now_ms_ = event.at_ms;
  ++events_;
  digest_.add(now_ms_);
  digest_.add(std::uint64_t{event.node} << 32U |
              (event.payload ? event.payload->index() + 1 : std::uint64_t{0}));
  return event;
}

}  // namespace esper::sim::cluster
