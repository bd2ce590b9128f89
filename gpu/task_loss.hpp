#pragma once
// What every host of ours is trained for: the class of each sample, or of each position of it.
#include <ATen/core/Tensor.h>

namespace esper {

/// Mean cross entropy, nats per target. logits [samples, …, classes], targets [samples, …] int64.
[[nodiscard]] at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets);

/// Targets whose class has the largest logit, [samples, …] bool.
[[nodiscard]] at::Tensor correct(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace esper
