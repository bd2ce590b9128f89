#pragma once
// Our library of designs and what each costs, by formula. gpu/blueprint_modules builds them; a
// test holds the two together.
#include <cstdint>
#include <vector>

#include "messages/blueprint.hpp"

namespace esper {

/// The growth designs that stand in the library from the start.
[[nodiscard]] std::vector<Blueprint> built_in_blueprints();

/// Trainable parameters of f on `channels` channels.
[[nodiscard]] std::uint64_t parameters_of(const Blueprint& blueprint, std::uint32_t channels);

/// Multiply-accumulates of f per sample on [channels, height, width].
[[nodiscard]] std::uint64_t operations_of(const Blueprint& blueprint, std::uint32_t channels,
                                          std::uint32_t height, std::uint32_t width);

/// Channels of a design's narrow part: channels / reduction, at least 1.
[[nodiscard]] std::uint32_t reduced_channels(const Blueprint& blueprint, std::uint32_t channels);

}  // namespace esper
