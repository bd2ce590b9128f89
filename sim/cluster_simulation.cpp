#include "sim/cluster_simulation.hpp"

#include "sim/cluster_bank.hpp"
#include "sim/cluster_database.hpp"
#include "sim/cluster_member.hpp"
#include "sim/cluster_narsets.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::uint64_t faults_until_ms = 60'000, healing_ms_max = 240'000, steps_after = 300;

struct Node {
  bool up{};
  std::uint64_t process{}, paused_until_ms{};
  std::uint32_t downs{};  ///< crashes that it is down for
  std::unique_ptr<Peers> peers;
  std::unique_ptr<Member> member;
  std::unique_ptr<Narsets> narsets;
  std::unique_ptr<Bank> bank;
};

class Simulation {
 public:
  explicit Simulation(const ClusterOptions& options)
      : options_(options),
        shape_(drawn_shape(options.seed)),
        world_(options.seed, static_cast<std::uint32_t>(shape_.nodes.size()) + 1),
        checks_(shape_),
        disks_(shape_.nodes.size()),
        site_{world_, checks_, shape_, disks_, std::vector<Progress>(shape_.nodes.size())},
        database_(world_, checks_, shape_),
        nodes_(shape_.nodes.size()) {}

  ClusterResult run() {
    const auto faults = cluster_faults_of(options_);
    if (options_.lines_kept) world_.keep_lines();
    for (NodeId node = 0; node < nodes_.size(); ++node)
      at(world_.below(300), [this, node] { start(node); });
    for (const auto& fault : faults) at(fault.at_ms, [this, fault] { strike(fault); });
    at(faults_until_ms, [this] {
      healed_step_ = checks_.steps();
      shape_.last_step = (healed_step_ + steps_after) / window_steps * window_steps;
      healed_ = true;
    });
    while (!world_.idle() && !over() && checks_.findings().clean()) handle(world_.take());
    if (checks_.findings().clean()) {
      std::vector<std::uint64_t> steps;
      for (const auto& node : nodes_) steps.push_back(node.up ? node.member->step() : 0);
      checks_.findings().at(world_.now_ms());
      checks_.finish(steps, healed_step_);
    }
    return result(faults);
  }

 private:
  /// Whatever node is up.
  void at(std::uint64_t ms, std::function<void()> what) {
    world_.after(ms - std::min(ms, world_.now_ms()), shape_.database(), 0, std::move(what));
  }

  bool over() const {
    if (!healed_) return false;
    if (world_.now_ms() > faults_until_ms + healing_ms_max) return true;
    return std::all_of(shape_.trainers.begin(), shape_.trainers.end(), [&](NodeId node) {
      return nodes_[node].up && nodes_[node].member->step() >= shape_.last_step;
    });
  }

  void handle(World::Event event) {
    checks_.findings().at(world_.now_ms());
    if (event.node == shape_.database()) {
      if (event.timer)
        event.timer();
      else
        deliver_to_database(event);
      return;
    }
    auto& node = nodes_[event.node];
    if (!node.up || (event.process > 0 && event.process != node.process)) return;
    if (node.paused_until_ms > world_.now_ms())
      return world_.defer(std::move(event), node.paused_until_ms);
    if (event.timer) return event.timer();
    std::visit([&](const auto& payload) { deliver(node, *event.from, payload); }, *event.payload);
  }

  void deliver_to_database(const World::Event& event) {
    std::visit(
        [&](const auto& payload) {
          if constexpr (requires { database_.take(*event.from, payload); })
            database_.take(*event.from, payload);
        },
        *event.payload);
  }

  template <typename T>
  void deliver(Node& node, NodeId from, const T& payload) {
    if constexpr (std::is_same_v<T, Pulse>) node.peers->take(from, payload);
    if constexpr (requires { node.member->take(from, payload); }) node.member->take(from, payload);
    if constexpr (requires { node.narsets->take(payload); }) node.narsets->take(payload);
    if constexpr (requires { node.bank->take(payload); })
      if (node.bank) node.bank->take(payload);
  }

  void start(NodeId id) {
    auto& node = nodes_[id];
    if (node.up) return;
    world_.note(shape_.nodes[id].node + " starts");
    node.up = true;
    ++node.process;
    node.paused_until_ms = 0;
    node.peers = std::make_unique<Peers>(world_, shape_, id, node.process);
    node.member = std::make_unique<Member>(site_, *node.peers, id, node.process);
    node.narsets = std::make_unique<Narsets>(world_, checks_, id, node.process);
    node.bank.reset();
    if (std::find(shape_.banks.begin(), shape_.banks.end(), id) != shape_.banks.end())
      node.bank = std::make_unique<Bank>(world_, shape_, *node.peers, id);
    tick(id);
  }

  void tick(NodeId id) {
    auto& node = nodes_[id];
    node.peers->send_pulses(node.member->pulse());
    node.member->tick();
    if (node.bank) node.bank->tick();
    world_.after(pulse_ms, id, node.process, [this, id] { tick(id); });
  }

  void crash(NodeId id, std::uint64_t down_ms) {
    auto& node = nodes_[id];
    world_.note(shape_.nodes[id].node + " is killed");
    node.up = false;
    ++node.downs;
    at(world_.now_ms() + std::max<std::uint64_t>(down_ms, 1), [this, id] {
      if (--nodes_[id].downs == 0) start(id);
    });
  }

  /// Killed at the first moment at which it is in that state.
  template <typename Condition>
  void crash_when(NodeId id, const ClusterFault& fault, const Condition& condition) {
    if (world_.now_ms() >= fault.at_ms + fault.duration_ms) return;
    if (nodes_[id].up && condition(id))
      return crash(id, fault.at_ms + fault.duration_ms - world_.now_ms());
    at(world_.now_ms() + 1, [this, id, fault, condition] { crash_when(id, fault, condition); });
  }

  bool ahead(NodeId id) const {
    const auto step = nodes_[id].member->step();
    return ends_window(step) &&
           std::any_of(shape_.trainers.begin(), shape_.trainers.end(), [&](NodeId other) {
             return nodes_[other].up && nodes_[other].member->step() + 1 == step;
           });
  }

  void cut(NodeId from, NodeId to, std::uint64_t until_ms) {
    ++world_.weather().cut[from][to];
    at(until_ms, [this, from, to] { --world_.weather().cut[from][to]; });
  }

  void last(std::uint32_t& count, std::uint64_t until_ms) {
    ++count;
    at(until_ms, [&count] { --count; });
  }

  NodeId trainer_of(const ClusterFault& fault) const {
    return shape_.trainers[fault.node % shape_.trainers.size()];
  }

  void strike(const ClusterFault& fault) {
    world_.note(told(fault, shape_));
    const auto until = fault.at_ms + fault.duration_ms;
    const auto in = [&](NodeId node) { return (fault.mask >> node & 1U) != 0; };
    switch (fault.kind) {
      case ClusterFaultKind::crash:
        return crash(fault.node, fault.duration_ms);
      case ClusterFaultKind::crash_ready:
        return crash_when(trainer_of(fault), fault,
                          [this](NodeId node) { return nodes_[node].member->ready_for_change(); });
      case ClusterFaultKind::crash_ahead:
        return crash_when(trainer_of(fault), fault, [this](NodeId node) { return ahead(node); });
      case ClusterFaultKind::crash_trainers:
        for (const auto trainer : shape_.trainers) crash(trainer, fault.duration_ms);
        return;
      case ClusterFaultKind::pause: {
        auto& node = nodes_[fault.node];
        node.paused_until_ms = std::max(node.paused_until_ms, until);
        at(until, [&node] {
          if (node.up) node.member->resumed();
        });
        return;
      }
      case ClusterFaultKind::partition:
        for (NodeId one = 0; one <= nodes_.size(); ++one)
          for (NodeId other = 0; other <= nodes_.size(); ++other)
            if (in(one) != in(other)) cut(one, other, until);
        return;
      case ClusterFaultKind::one_way:
        for (NodeId other = 0; other <= nodes_.size(); ++other)
          if (in(other)) cut(fault.node, other, until);
        return;
      case ClusterFaultKind::lossy:
        return last(world_.weather().lossy, until);
      case ClusterFaultKind::doubling:
        return last(world_.weather().doubling, until);
      case ClusterFaultKind::slow:
        return last(world_.weather().slow, until);
      case ClusterFaultKind::poison: {
        auto& node = nodes_[trainer_of(fault)];
        if (node.up) node.member->poison({fault.mask % regions});
        return;
      }
    }
  }

  ClusterResult result(const std::vector<ClusterFault>& faults) {
    ClusterResult result;
    result.seed = options_.seed;
    result.hash = world_.digest().value();
    result.faults = faults;
    result.violations = checks_.findings().found();
    result.events = world_.events();
    result.virtual_ms = world_.now_ms();
    result.steps = checks_.steps();
    result.groups = checks_.groups();
    result.joined = checks_.joined();
    result.moves = checks_.moves();
    result.takeovers = checks_.takeovers();
    result.applied = checks_.applied();
    result.lines = std::move(world_.lines());
    return result;
  }

  ClusterOptions options_;
  Shape shape_;
  World world_;
  Checks checks_;
  std::vector<Disk> disks_;
  Site site_;
  Database database_;
  std::vector<Node> nodes_;
  std::uint64_t healed_step_{};
  bool healed_{};
};

}  // namespace

std::vector<ClusterFault> cluster_faults_of(const ClusterOptions& options) {
  if (options.faults) return *options.faults;
  return drawn_cluster_faults(options.seed, drawn_shape(options.seed), faults_until_ms);
}

ClusterResult simulate_cluster(const ClusterOptions& options) { return Simulation(options).run(); }

}  // namespace esper::sim::cluster
