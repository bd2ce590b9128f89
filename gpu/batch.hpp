#pragma once
// What a model is given and what is asked of it.
#include <ATen/core/Tensor.h>

namespace esper {

/// inputs [samples, …] and targets [samples, …], as the host's forward and the loss take them.
struct Batch {
  at::Tensor inputs, targets;
};

}  // namespace esper
