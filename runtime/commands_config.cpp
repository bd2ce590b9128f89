#include <iostream>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "actors/decisions/placement.hpp"
#include "messages/json.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/commands.hpp"
#include "runtime/config.hpp"
#include "runtime/listed.hpp"
#include "runtime/report.hpp"

namespace esper {
namespace {

struct PlannedSlot {
  std::string region, slot, kind;
  Layout layout{};
  std::uint32_t channels{}, height{}, width{};

  static constexpr auto schema =
      record("PlannedSlot", field("region", &PlannedSlot::region),
             field("slot", &PlannedSlot::slot), field("kind", &PlannedSlot::kind),
             field("layout", &PlannedSlot::layout), field("channels", &PlannedSlot::channels),
             field("height", &PlannedSlot::height), field("width", &PlannedSlot::width));
};

struct PlannedNode {
  std::string node, address;
  std::uint32_t port{};
  std::vector<NodeRole> roles;
  std::vector<std::string> actors;  ///< beside the trainer, in starting order

  static constexpr auto schema =
      record("PlannedNode", field("node", &PlannedNode::node),
             field("address", &PlannedNode::address), field("port", &PlannedNode::port),
             field("roles", &PlannedNode::roles), field("actors", &PlannedNode::actors));
};

/// What a run would start, without starting it.
struct Plan {
  std::string name;
  std::uint64_t seed{};
  std::string host;
  Mode mode{};
  Pace pace{};
  std::vector<std::string> actors;  ///< under the supervisor, in starting order
  std::vector<RegionDescription> regions;
  std::vector<PlannedSlot> slots;
  Energy mint, emergency, safety, treasury;  ///< a cycle, at full headroom while exploring
  std::uint64_t cycle_steps{};
  std::vector<PlannedNode> nodes;  ///< with every node there

  static constexpr auto schema = record(
      "Plan", field("name", &Plan::name), field("seed", &Plan::seed), field("host", &Plan::host),
      field("mode", &Plan::mode), field("pace", &Plan::pace), field("actors", &Plan::actors),
      field("regions", &Plan::regions), field("slots", &Plan::slots), field("mint", &Plan::mint),
      field("emergency", &Plan::emergency), field("safety", &Plan::safety),
      field("treasury", &Plan::treasury), field("cycle_steps", &Plan::cycle_steps),
      field("nodes", &Plan::nodes));
};

Energy share_of(Energy mint, double share) {
  return {static_cast<std::int64_t>(static_cast<double>(mint.thousandths) * share)};
}

/// Which actor runs where: what the prime has when every node has come.
std::vector<PlannedNode> planned_nodes(const RunConfig& config, const Plan& plan) {
  std::vector<PlacementRegion> regions;
  for (const auto& region : plan.regions) {
    regions.push_back({region.name, ""});
    for (const auto& pin : config.cluster.pins)
      if (pin.region == region.name) regions.back().pinned = pin.node;
  }
  std::vector<PlacementNode> hosts;
  for (const auto& node : nodes_with(config, NodeRole::narsets))
    hosts.push_back({node.name, node.narsets_max});
  const auto placement = place(regions, hosts);
  std::vector<PlannedNode> nodes;
  for (const auto& node : config.nodes) {
    nodes.push_back({node.name, node.address, node.port, node.roles, {}});
    auto& actors = nodes.back().actors;
    if (has_role(node, NodeRole::prime))
      for (const auto& actor : plan.actors)
        if (!actor.starts_with("narset.")) actors.push_back(actor);
    for (std::size_t region = 0; region < regions.size(); ++region)
      if (placement[region] && hosts[*placement[region]].name == node.name)
        actors.push_back("narset." + regions[region].name);
  }
  return nodes;
}

Plan plan_of(const RunConfig& config) {
  auto host = describe_host(config.model.host, config.model.size);
  if (!host) throw InvariantViolation("a checked config names an unknown host");
  if (!config.model.regions.empty() &&
      !recut(*host, host_layers(config.model.host, config.model.size), config.model.regions)
           .empty())
    throw InvariantViolation("a checked config cuts its host wrongly");
  Plan plan;
  plan.name = config.name;
  plan.seed = config.seed;
  plan.host = host->name;
  plan.mode = config.mode;
  plan.pace = config.pace.mode;
  if (config.mode != Mode::off) {
    plan.actors = {"journal", "oona", "kasmina", "urza"};
    for (const auto& region : host->regions) plan.actors.push_back("narset." + region.name);
    plan.actors.insert(plan.actors.end(), {"tamiyo", "tolaria"});
  }
  plan.regions = host->regions;
  for (const auto& slot : host->slots)
    plan.slots.push_back({host->regions.at(slot.region.value).name, slot.name,
                          std::string{name_of(slot.kind)}, slot.layout, slot.channels, slot.height,
                          slot.width});
  plan.mint = {config.budget.mint_per_region * static_cast<std::int64_t>(host->regions.size())};
  plan.emergency = share_of(plan.mint, config.budget.emergency_share);
  plan.safety = share_of(plan.mint, config.budget.safety_share);
  plan.treasury = plan.mint - plan.emergency - plan.safety;
  plan.cycle_steps = std::uint64_t{config.time.cycle_windows} * config.time.window_steps;
  plan.nodes = planned_nodes(config, plan);
  return plan;
}

std::string activations_of(const PlannedSlot& slot) {
  const std::string channels = std::to_string(slot.channels), height = std::to_string(slot.height);
  return slot.layout == Layout::sequence
             ? height + " positions x " + channels
             : channels + " x " + height + " x " + std::to_string(slot.width);
}

void print_plan(const Plan& plan) {
  std::cout << plan.name << ", seed " << plan.seed << ", host " << plan.host << ", mode "
            << name_of(plan.mode) << ", pace " << name_of(plan.pace) << "\n\nsupervisor\n";
  for (const auto& actor : plan.actors) std::cout << "  " << actor << '\n';
  if (plan.actors.empty()) std::cout << "  nothing: mode is off\n";
  for (const auto& node : plan.nodes) {
    std::vector<std::string> roles;
    for (const auto role : node.roles) roles.emplace_back(name_of(role));
    std::cout << "\nnode " << node.node << " at " << node.address << ':' << node.port << " ("
              << listed(roles) << ")\n";
    for (const auto& actor : node.actors) std::cout << "  " << actor << '\n';
  }
  std::cout << '\n';
  Table regions{{"region", "parameters", "operations"}};
  for (const auto& region : plan.regions)
    regions.push_back(
        {region.name, std::to_string(region.parameters), std::to_string(region.operations)});
  print_table(std::cout, regions);
  std::cout << '\n';
  Table slots{{"region", "slot", "kind", "activations"}};
  for (const auto& slot : plan.slots)
    slots.push_back({slot.region, slot.slot, slot.kind, activations_of(slot)});
  print_table(std::cout, slots);
  std::cout << "\nbudget per cycle of " << plan.cycle_steps << " steps (thousandths): minted "
            << plan.mint.thousandths << " = treasury " << plan.treasury.thousandths
            << " + emergency " << plan.emergency.thousandths << " + safety "
            << plan.safety.thousandths << '\n';
}

struct BlueprintCost {
  Blueprint blueprint;
  std::string slot;
  std::uint64_t parameters{}, operations{};

  static constexpr auto schema =
      record("BlueprintCost", field("blueprint", &BlueprintCost::blueprint),
             field("slot", &BlueprintCost::slot), field("parameters", &BlueprintCost::parameters),
             field("operations", &BlueprintCost::operations));
};

}  // namespace

std::optional<RunConfig> config_or_mistakes(const ConfigOptions& options,
                                            std::vector<ConfigMistake> others) {
  auto parsed = load_config(options.config, options.overrides);
  auto& mistakes = others;
  mistakes.insert(mistakes.end(), parsed.mistakes.begin(), parsed.mistakes.end());
  if (mistakes.empty()) return std::move(parsed.config);
  if (options.output == OutputFormat::json) {
    const nlohmann::json json{{"valid", false}, {"mistakes", to_json(mistakes, Floats::plain)}};
    std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  for (const auto& mistake : mistakes) std::cerr << sentence_of(mistake) << '\n';
  return std::nullopt;
}

ExitCode command_validate(const ConfigOptions& options) {
  const auto config = config_or_mistakes(options);
  if (!config) return ExitCode::usage;
  if (options.output == OutputFormat::json)
    std::cout << "{\"valid\": true, \"mistakes\": [], \"config\": " << effective_config(*config)
              << "}\n";
  else
    std::cout << options.config.string() << " is valid\n";
  return ExitCode::fine;
}

ExitCode command_schema() {
  std::cout << json_schema();
  return ExitCode::fine;
}

ExitCode command_keys() {
  std::cout << config_reference();
  return ExitCode::fine;
}

ExitCode command_plan(const ConfigOptions& options) {
  const auto config = config_or_mistakes(options);
  if (!config) return ExitCode::usage;
  const auto plan = plan_of(*config);
  if (options.output == OutputFormat::json)
    std::cout << to_json(plan, Floats::plain).dump(2) << '\n';
  else
    print_plan(plan);
  return ExitCode::fine;
}

ExitCode command_blueprints(const BlueprintOptions& options) {
  const auto sizes = host_sizes(options.host);
  if (sizes.empty()) {
    std::cerr << "there is no host " << options.host << ": name one of " << listed(host_names())
              << '\n';
    return ExitCode::usage;
  }
  const auto size = options.size.empty() ? sizes.front() : options.size;
  const auto host = describe_host(options.host, size);
  if (!host) {
    std::cerr << "there is no size " << size << " of host " << options.host << ": name one of "
              << listed(sizes) << '\n';
    return ExitCode::usage;
  }
  std::vector<BlueprintCost> costs;
  for (const auto& blueprint : built_in_blueprints())
    for (const auto& slot : host->slots)
      if (fits(blueprint, slot))
        costs.push_back({blueprint, slot.name, parameters_of(blueprint, slot.channels),
                         operations_of(blueprint, slot.channels, slot.height, slot.width)});
  if (options.output == OutputFormat::json) {
    std::cout << to_json(costs, Floats::plain).dump(2) << '\n';
    return ExitCode::fine;
  }
  Table table{
      {"blueprint", "class", "birth", "kernel", "reduction", "slot", "parameters", "operations"}};
  for (const auto& cost : costs)
    table.push_back({cost.blueprint.name, std::string{name_of(cost.blueprint.blueprint_class)},
                     std::string{name_of(cost.blueprint.birth)},
                     std::to_string(cost.blueprint.kernel),
                     std::to_string(cost.blueprint.reduction), cost.slot,
                     std::to_string(cost.parameters), std::to_string(cost.operations)});
  print_table(std::cout, table);
  return ExitCode::fine;
}

}  // namespace esper
