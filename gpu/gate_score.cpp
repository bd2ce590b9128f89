#include "gpu/gate_score.hpp"

#include <algorithm>

namespace esper {

GateScore gate_score(HostModel& host, const SessionData& data, const Batch& batch) {
  const std::int64_t count = batch.inputs.size(0);
  const std::int64_t at_once = data.batch_samples > 0 ? data.batch_samples : count;
  GateScore sum;
  for (std::int64_t begin = 0; begin < count; begin += at_once) {
    const std::int64_t end = std::min(begin + at_once, count);
    const auto targets = batch.targets.slice(0, begin, end);
    const auto logits = host.forward(batch.inputs.slice(0, begin, end));
    const auto samples = static_cast<double>(end - begin);
    sum.loss += data.loss(logits, targets).item<double>() * samples;
    if (data.score) sum.accuracy += data.score(logits, targets) * samples;
  }
  const auto all = static_cast<double>(count);
  return {sum.loss / all, sum.accuracy / all};
}

}  // namespace esper
