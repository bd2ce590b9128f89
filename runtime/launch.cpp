#include "runtime/launch.hpp"

#include <algorithm>

#include "actors/control_plane.hpp"
#include "actors/decisions/blueprint_catalogue.hpp"
#include "messages/json.hpp"
#include "runtime/config.hpp"

namespace esper {

namespace {

/// Longer than any turn takes; past it the run says that it ended degraded.
constexpr std::chrono::milliseconds last_turn_patience{10'000};

JournalEntry opening(const Journal& journal, std::uint32_t ordinal, Role role,
                     std::string_view kind, std::string payload) {
  return {.sequence = journal.next_sequence() + ordinal,
          .window = {},
          .role = role,
          .region = {},
          .ordinal = ordinal,
          .kind = std::string{kind},
          .cause = 0,
          .payload = std::move(payload),
          .measured = ""};
}

std::string irreproducible(const RunConfig& config, const TrainingEnd& end,
                           const ControlEnd& control) {
  if (end.stalled) return "a turn stalled past pace.stall_ms_max and the run fell to free";
  if (end.late_turns > 0) return std::to_string(end.late_turns) + " turns came late";
  if (control.restarts > 0) return std::to_string(control.restarts) + " actors were restarted";
  if (control.gave_up) return "a role gave up";
  if (end.interrupted) return "the run was interrupted";
  if (config.decisions.use_timing) return "decisions.use_timing is on";
  return "";
}

}  // namespace

void write_opening(Journal& journal, const RunConfig& config, const HostDescription& host,
                   const Catalogue& catalogue) {
  const std::vector<JournalEntry> entries{
      opening(journal, 0, Role::tolaria, "Config", logical_config(config)),
      opening(journal, 1, Role::tolaria, HostDescription::schema.name, canonical(host)),
      opening(journal, 2, Role::urza, Catalogue::schema.name, canonical(catalogue))};
  if (!journal.append(entries))
    throw std::runtime_error("the journal can't be written: " + journal.refusal());
}

std::vector<Blueprint> chosen_blueprints(const CatalogueConfig& config,
                                         const HostDescription& host) {
  std::vector<Blueprint> chosen;
  const auto has_place = [&](const Blueprint& blueprint) {
    return std::ranges::any_of(host.slots, [&](const auto& slot) { return fits(blueprint, slot); });
  };
  for (const auto& blueprint : built_in_blueprints())
    if (has_place(blueprint) &&
        (config.use.empty() || std::ranges::find(config.use, blueprint.name) != config.use.end()))
      chosen.push_back(blueprint);
  chosen.insert(chosen.end(), config.add.begin(), config.add.end());
  return chosen;
}

LaunchResult launch_grown(const RunConfig& config, const LaunchSeams& seams,
                          const std::atomic<bool>& stop,
                          const std::function<void(const TrainingProgress&)>& tell,
                          std::unique_ptr<Training>& kept) {
  kept = seams.factory.make({.config = config,
                             .arm = "grown",
                             .widths = {},
                             .planted = {},
                             .checkpoints = seams.checkpoints});
  const auto catalogue = config.mode == Mode::off
                             ? Catalogue{}
                             : kept->assess(chosen_blueprints(config.blueprints, kept->host()));
  write_opening(seams.journal, config, kept->host(), catalogue);

  LaunchResult result;
  ControlEnd control;
  if (Executor* executor = kept->executor()) {
    ControlPlane plane(config, kept->host(),
                       {*executor, seams.journal, seams.metrics, seams.log, seams.filter});
    result.grown = kept->run(stop, tell);
    const bool finished = plane.finish(result.grown.last_window, last_turn_patience);
    control = plane.stop();
    result.degraded = control.gave_up || result.grown.stalled || !finished;
  } else {
    result.grown = kept->run(stop, tell);
  }
  result.restarts = control.restarts;
  result.decision_hash = seams.journal.decision_hash();
  result.first_irreproducible = irreproducible(config, result.grown, control);
  return result;
}

}  // namespace esper
