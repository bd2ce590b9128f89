#include "gpu/task_loss.hpp"

#include <torch/types.h>

namespace esper {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  if (logits.dim() == 2) return at::cross_entropy_loss(logits, targets);
  return at::cross_entropy_loss(logits.flatten(0, -2), targets.flatten());
}

at::Tensor correct(const at::Tensor& logits, const at::Tensor& targets) {
  return logits.argmax(-1).eq(targets);
}

}  // namespace esper
