#pragma once
// What a simulated run trains: a host in a row of regions, designs with their sheets, a config.
#include "messages/blueprint.hpp"
#include "messages/configuration.hpp"
#include "messages/host.hpp"

namespace esper::sim {

/// Regions in a row with a skip edge every fourth, each with three point slots, one branch slot and
/// one coupled group of its own.
[[nodiscard]] HostDescription simulated_host(std::uint32_t regions);
/// Three designs for growth, one of them risky, and two scaffolds: one folds in branch slots.
[[nodiscard]] Catalogue simulated_catalogue(const HostDescription& host);
/// Windows of ten steps, cycles of six windows. Some choices (pace, pool, policy) follow the seed.
[[nodiscard]] RunConfig simulated_config(std::uint64_t seed);

}  // namespace esper::sim
