// How a session stands, for a checkpoint or another replica, and how it comes to stand so.
#include <ATen/Parallel.h>

#include "gpu/rebuilding.hpp"
#include "gpu/session.hpp"

namespace esper {

/// Last of all that a boundary does, so that nothing but the report's way out lies behind the cut.
CheckpointContent Session::content() {
  CheckpointContent content = standing();
  content.manifest.place.checkpoint = exchange_.draft().checkpoint->checkpoint;
  return content;
}

CheckpointContent Session::standing() {
  const auto& history = boundary_.history();
  CheckpointContent content = take_content(host_, optimizer_, bed(), data_, history);
  CheckpointManifest& manifest = content.manifest;
  manifest.checkpoints = checkpoint_.memory();
  manifest.place = {.checkpoint = 0,
                    .window = memory_.window,
                    .tick = memory_.tick,
                    .step = history.step,
                    .run_seed = settings_.seed,
                    .journal_sequence = manifest.checkpoints.journal_sequence,
                    .journal_head = manifest.checkpoints.journal_head};
  manifest.config_hash = settings_.config_hash;
  manifest.session = memory_;
  manifest.boundary = boundary_.memory();
  manifest.telemetry = telemetry_.memory();
  manifest.exchange = exchange_.memory(memory_.newest_turn);
  return content;
}

void Session::resume(const CheckpointContent& content) {
  const CheckpointManifest& manifest = content.manifest;
  try {
    const RunIdentity own{.seed = settings_.seed,
                          .config_hash = settings_.config_hash,
                          .threads = static_cast<std::uint32_t>(at::get_num_threads())};
    refuse_other_run(manifest, own, host_.description());
    rebuild(content, host_, optimizer_, bed(), data_, settings_, boundary_.history());
    telemetry_.look_again(host_);
    telemetry_.remember(manifest.telemetry);
    exchange_.remember(manifest.exchange);
  } catch (const std::runtime_error& problem) {
    throw std::runtime_error(content.file + " " + problem.what());
  }
  memory_ = manifest.session;
  boundary_.memory() = manifest.boundary;
  const auto& reports = manifest.exchange.reports;
  checkpoint_.remember(manifest.checkpoints, reports.back().checkpoint.value());
  for (const WindowReport& report : reports) {
    exchange_.draft() = report;
    exchange_.publish();
  }
  if (replicas_ != nullptr) keep_step();
}

void Session::stand_as(const CheckpointContent& content, bool at_boundary) {
  const CheckpointManifest& manifest = content.manifest;
  clear(host_, optimizer_, bed(), manifest.groups);
  rebuild(content, host_, optimizer_, bed(), data_, settings_, boundary_.history());
  for (Slot& slot : host_.slots()) slot.set_observing(true);
  telemetry_.look_again(host_);
  telemetry_.remember(manifest.telemetry);
  exchange_.remember(manifest.exchange);
  const Window told{memory_.window.value - (exchange_.withdraw() ? 1 : 0)};
  // What nobody has answered yet, and did not go out here already. The last is under way, and the
  // newest behind it is told when all have it.
  for (const WindowReport& report : manifest.exchange.reports) {
    const bool under_way = &report == &manifest.exchange.reports.back();
    if (report.window <= told && !under_way) continue;
    if (!under_way) exchange_.settle();
    exchange_.draft() = report;
    if (!under_way) exchange_.hold();
  }
  memory_ = manifest.session;
  boundary_.memory() = manifest.boundary;
  checkpoint_.stand(manifest.checkpoints);
  pending_count_ = 0;
  parameters_.clear();
  in_step_ = false;
  boundary_open_ = at_boundary;
  keep_step();
}

}  // namespace esper
