#include "runtime/control/live_run.hpp"

#include <unistd.h>

namespace esper {

LiveRun::LiveRun(const RunConfig& config, std::function<std::vector<std::string>()> breakers,
                 Nodes nodes)
    : breakers_(std::move(breakers)), nodes_(std::move(nodes)) {
  told_.name = config.name;
  told_.seed = config.seed;
  told_.mode = config.mode;
  told_.pace = config.pace.mode;
  told_.process = static_cast<std::uint64_t>(getpid());
}

void LiveRun::appended(const std::vector<JournalEntry>& entries) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : entries) account_.take(entry);
  }
  changed_.notify_all();
}

void LiveRun::replicas_say(const std::string& sentence) {
  const std::lock_guard lock(mutex_);
  told_.replicas = sentence;
}

void LiveRun::trains(const std::string& arm, const TrainingProgress& progress) {
  const std::lock_guard lock(mutex_);
  told_.arm = arm;
  told_.step = progress.step;
  told_.steps = progress.steps;
  told_.loss = progress.loss;
}

void LiveRun::close() {
  overrides_.close();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

LiveStatus LiveRun::status() const {
  LiveStatus status;
  {
    const std::lock_guard lock(mutex_);
    status = told_;
    status.run = account_.status();
  }
  status.breakers = breakers_();
  if (nodes_.standing) status.nodes = nodes_.standing();
  return status;
}

HostDescription LiveRun::host() const {
  const std::lock_guard lock(mutex_);
  return account_.host();
}

bool LiveRun::wait_committed(Window window, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  const auto committed = [&] { return account_.window() >= window; };
  changed_.wait_until(lock, deadline, [&] { return committed() || closed_; });
  return committed();
}

Result<Override, ControlFault> LiveRun::give(Override asked, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto flaw = flaw_of(asked, host(), overrides_.opened() + 1);
  if (!flaw.empty()) return ControlFault{ControlProblem::refused, flaw};
  asked.id = overrides_.submit(asked);
  if (asked.id == 0)
    return ControlFault{ControlProblem::busy,
                        "no turn opens any more, or too many overrides wait for one"};
  const auto window = overrides_.wait_for(asked.id, patience);
  if (!window || !wait_committed(*window, deadline))
    return ControlFault{ControlProblem::timed_out,
                        "override " + std::to_string(asked.id) + " is not in the journal yet"};
  asked.from = *window;
  if (asked.kind == OverrideKind::escape) asked.until = *window;
  return asked;
}

std::string LiveRun::drain(const std::string& node) const {
  return nodes_.drain ? nodes_.drain(node) : "the run has no other nodes";
}

}  // namespace esper
