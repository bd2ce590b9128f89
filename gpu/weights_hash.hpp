#pragma once
// One digest of a model, to compare runs by.
#include <string>
#include <vector>

#include <torch/nn/module.h>

namespace esper {

/// SHA-256, in hexadecimal, over names and bytes of all parameters and buffers in name order; then
/// over those of `others`, in the order given.
[[nodiscard]] std::string weights_hash(const torch::nn::Module& module,
                                       const std::vector<torch::nn::Module*>& others = {});

}  // namespace esper
