#pragma once
// Range and one-sentence description of every config key. Types and defaults stand in the field
// lists of messages/configuration.hpp.
#include <array>
#include <limits>
#include <optional>
#include <string_view>

namespace esper {

/// `minimum` and `maximum` hold for numbers and for each element of a list of numbers; of texts and
/// lists of texts they bound nothing. Elements of a list of objects have keys as "list[].key".
struct KeyRule {
  std::string_view key;
  std::string_view description;
  double minimum{-std::numeric_limits<double>::infinity()};
  double maximum{std::numeric_limits<double>::infinity()};
  bool minimum_excluded{};
  bool required{};
};

namespace detail {

constexpr double unbounded = std::numeric_limits<double>::infinity();
constexpr double largest_count = 4'294'967'295.0;          // of 32 bits
constexpr double largest_exact = 9'007'199'254'740'992.0;  // 2^53: whole in JSON readers too

constexpr KeyRule plain(std::string_view key, std::string_view description) {
  return {key, description};
}
constexpr KeyRule needed(std::string_view key, std::string_view description) {
  return {.key = key, .description = description, .required = true};
}
constexpr KeyRule within(std::string_view key, double minimum, double maximum,
                         std::string_view description) {
  return {key, description, minimum, maximum};
}
constexpr KeyRule above(std::string_view key, double minimum, double maximum,
                        std::string_view description) {
  return {key, description, minimum, maximum, true};
}
constexpr KeyRule share(std::string_view key, std::string_view description) {
  return {key, description, 0, 1};
}

}  // namespace detail

inline constexpr auto key_rules = [] {
  using detail::above, detail::needed, detail::plain, detail::share, detail::within;
  using detail::largest_count, detail::largest_exact, detail::unbounded;
  return std::to_array<KeyRule>({
      {.key = "version",
       .description = "Version of the config format: 1.",
       .minimum = 1,
       .maximum = 1,
       .required = true},
      needed("name", "Name of the run; its directory is runs/NAME-N. Letters, digits, . _ -."),
      within("seed", 0, unbounded, "The one integer that a lockstep run is reproduced from."),
      plain("mode", "off: bare training; observe: decide and journal only; act: everything."),

      plain("pace", "Whether training waits for the control side."),
      plain("pace.mode", "lockstep: reproducible; free: training never waits."),
      within("pace.stall_ms_max", 1, largest_count,
             "Longest wait for a late turn in lockstep, in milliseconds; then the run goes free."),

      plain("model", "What is trained."),
      plain("model.host",
            "fashion_cnn: images to classes; byte_transformer: bytes to the next byte."),
      plain("model.size",
            "Of fashion_cnn tiny, base, deep or melt; of byte_transformer lm-64 or lm-128; "
            "left out: the first."),
      plain("model.regions", "Another cut of the host into regions; empty: the host's own."),
      needed("model.regions[].name", "The region's name, unique."),
      needed("model.regions[].parameters", "Prefixes of parameter names, for example conv1."),

      plain("data", "What it is trained on."),
      plain("data.path",
            "Of fashion_cnn the folder with the four files of Fashion-MNIST; of byte_transformer a "
            "text, gzipped or plain, left out: /usr/share/dictd/gcide.dict.dz."),
      within("data.gate_samples", 1, 59'000,
             "Samples (images, or sequences of 128 bytes) cut from training that only gates read."),
      within("data.training_samples", 0, 59'999, "Samples trained on; 0: all that are left."),
      within("data.test_samples", 0, 10'000, "Samples of the test split; 0: all."),
      plain("data.augment",
            "Shift training images by at most one pixel, sequences by less than their length."),

      plain("training", "The training loop."),
      within("training.epochs", 1, 100'000, "Passes over the training samples."),
      within("training.steps_max", 0, largest_count, "Steps at most; 0: by epochs alone."),
      within("training.batch", 2, 59'999, "Samples per step; batch norm needs two."),
      above("training.learning_rate", 0, 10, "Peak learning rate of AdamW."),
      within("training.weight_decay", 0, 10, "Weight decay of AdamW."),
      share("training.warmup_share", "Share of the steps in which the rate rises."),
      share("training.decay_share", "Share of the steps, at the end, in which the rate falls."),
      within("training.clip_norm", 0, unbounded, "Global norm of the host's gradient; 0: none."),
      within("training.dropout", 0, 0.99, "Share of activations dropped before the last layer."),
      within("training.threads", 1, 1'024, "LibTorch's threads; part of a run's identity."),

      plain("training.disturbances",
            "What befalls the training, in every arm alike; tests of rescue."),
      needed("training.disturbances[].kind", "What happens."),
      plain("training.disturbances[].region", "Where; of initial_gain and weight_damage."),
      within("training.disturbances[].at_step", 0, largest_exact, "When, in steps from 0."),
      within("training.disturbances[].steps", 0, largest_count,
             "For how long; of learning_rate_spike and label_noise."),
      within("training.disturbances[].amount", 0, 1e6,
             "Factor, share of labels, or noise over the weights' own deviation."),

      plain("time", "Logical time: windows, cycles and what is measured in them."),
      within("time.window_steps", 2, 1'000'000, "Steps per telemetry window."),
      within("time.cycle_windows", 1, 1'000'000, "Windows per budget cycle."),
      within("time.checkpoint_cycles", 0, 1'000'000, "Cycles per checkpoint; 0: there are none."),
      within("time.shadow_every_steps", 1, 1'000'000,
             "A seed on trial learns every so many steps."),
      within("time.gate_samples", 1, 59'000, "Samples of a G2 or G3 pass."),
      within("time.verdict_samples", 1, 59'000, "Samples of a G5 pass."),

      plain("budget", "Energy, in whole thousandths of a unit."),
      within("budget.mint_per_region", 0, 1'000'000, "Minted per region and cycle, thousandths."),
      share("budget.emergency_share", "Share of the mint that goes to the emergency pool."),
      share("budget.safety_share", "Share of the mint kept for a price's rise before grafting."),
      share("budget.opportunity_share", "Share of the treasury kept for proposals."),
      plain("budget.emergency_sizing",
            "fixed: that share; adaptive: it follows the regions' recent volatility."),
      within("budget.emergency_cycles_max", 0, 1'000, "Cycles' shares that the pool keeps."),
      within("budget.price_min", 0, 1'000'000, "The least that an adaptation costs, thousandths."),
      within("budget.reservation_windows", 1, 1'000'000,
             "Windows after its last outcome in which a reservation expires."),
      share("budget.weight_norm", "Weight of the seed's relative norm in the price."),
      share("budget.weight_parameters", "Weight of the parameters added in the price."),
      share("budget.weight_on_graph", "Added to the price of a seed that trains on the graph."),
      share("budget.germinate_share", "Share of the price charged at germination."),
      share("budget.graft_share", "Share of the price charged at grafting; the rest stabilises."),

      share("budget.compaction_share",
            "Share of the mint that pruning may cost while growth rests."),
      within("budget.throttle", 0, 1'000, "What a unit of spend and forecast takes off pruning."),
      share("budget.zone_share",
            "Share of the full pruning allowance left while a zone is active."),

      plain("allocation", "How the treasury is divided among the regions."),
      plain("allocation.policy", "uniform: equal shares in whole seeds; bandit: by expected gain."),
      within("allocation.exploration", 0, 1'000, "Width of the bandit's upper confidence bound."),
      share("allocation.regression_target", "Regressions per funded seed that are accepted."),
      within("allocation.risk_price_rate", 0, 1'000, "Step of the learned price on risk."),

      plain("gates", "Thresholds of the gates G0, G2, G3 and G5 and of the calm bands."),
      share("gates.learning_rate_ratio_min", "G0: share of the peak rate below which none starts."),
      within("gates.calm_windows", 0, 1'000'000, "G0: stable windows before a germination."),
      within("gates.updates_min", 1, largest_count, "G2: seed updates before the first verdict."),
      within("gates.trial_windows_max", 1, 1'000'000, "G2: windows on trial, then culled."),
      within("gates.shadow_gain_min", 0, 1'000, "G2: loss a seed must save, nats, exclusive."),
      within("gates.shadow_loss_cull", 0, 1'000, "G2: a loss larger than this culls, nats."),
      within("gates.shadow_passes_needed", 1, 1'000'000, "G2: windows in a row that must pass."),
      above("gates.ramp_hold_ratio", 0, 1'000, "G3: loss over the one before that holds the ramp."),
      above("gates.ramp_rollback_ratio", 0, 1'000, "G3: loss over the one before that undoes it."),
      within("gates.stage_loss_max", 0, 1'000, "G3: nats that a stage may lose."),
      within("gates.ramp_windows_max", 1, 1'000'000, "G3: windows of a ramp, then culled."),
      within("gates.stable_windows", 1, 1'000'000, "G5: stable windows in a row."),
      within("gates.rent_per_thousand_parameters", 0, 1'000,
             "G5: nats that a thousand parameters must save."),
      within("gates.verdict_windows_max", 1, 1'000'000, "G5: windows to a verdict, then culled."),
      within("gates.embargo_windows", 0, 1'000'000,
             "Windows that a slot stays empty after a cull."),
      above("gates.jitter_max", 0, 1'000, "Calm band: relative step of the output's RMS."),
      above("gates.drift_max", 0, 1'000, "Calm band: relative rise of the mean loss."),
      within("gates.diversity_min", 0, 1'000, "Calm band: effective rank over its calm median."),
      above("gates.signal_min", 0, 1'000'000, "Calm band: least signal ratio."),
      above("gates.signal_max", 0, 1'000'000, "Calm band: largest signal ratio."),
      above("gates.gradient_spike_max", 1, 1e9, "Calm band: largest gradient over the median."),
      above("gates.relative_norm_max", 0, 1'000, "G2: largest norm of a seed over its input's."),
      above("gates.alpha_stages", 0, 1, "Stages of a ramp, ascending; the last is the target."),
      within("gates.clip_norm", 0, unbounded, "Norm of a seed's gradient; 0: none."),

      plain("seeds", "The seeds' own optimizer."),
      above("seeds.learning_rate", 0, 10, "Learning rate of the seeds' AdamW."),
      within("seeds.weight_decay", 0, 10, "Weight decay of the seeds' AdamW."),

      plain("scaffolds", "Temporary modules for a region in crisis."),
      plain("scaffolds.enabled", "Whether regions may ask for one."),
      within("scaffolds.radius", 0, 1'000, "Hops around it in which there is no surgery."),
      within("scaffolds.clean_checkpoints", 1, 1'000'000,
             "Clean checkpoints after it left, before surgery is allowed again."),
      within("scaffolds.isolation_updates", 1, largest_count,
             "Updates before it goes on the graph."),
      within("scaffolds.stable_windows", 1, 1'000'000, "Windows of success in a row."),
      within("scaffolds.parity_max", 0, 1'000,
             "Rise of the gate split's loss over the last calm checkpoint's that is still parity."),
      within("scaffolds.wean_contribution_max", 0, 1'000,
             "Nats: what contributes no more is weaned, not folded."),
      above("scaffolds.fold_change_max", 0, 1,
            "Relative change of the output that folding may make."),
      within("scaffolds.kd_weight", 0, 1'000, "Weight of the distillation while weaning."),
      within("scaffolds.anchor_weight", 0, 1'000, "Weight of the pull to where weights stood."),
      within("scaffolds.wean_windows_max", 1, 1'000'000,
             "Windows of weaning; then it leaves however the host fares."),
      within("scaffolds.dwell_windows", 1, 1'000'000,
             "Clean windows at alpha 0 before it is gone."),
      within("scaffolds.thrash_scaffolds", 1, 1'000'000,
             "Scaffolds in a row in one region that open its breaker."),
      within("scaffolds.thrash_windows", 1, 1'000'000,
             "Windows that the breaker stays open, at first."),

      plain("compaction", "Structured pruning at checkpoints."),
      plain("compaction.enabled", "Whether anything is measured and cut."),
      within("compaction.importance_samples", 1, 59'000,
             "Samples of the gate split that importance is measured on."),
      above("compaction.keep_share_min", 0, 1,
            "Share of a layer's channels that one round leaves."),
      within("compaction.width_multiple", 1, 1'024,
             "Widths are cut down to multiples of it, in entries of each tensor."),
      share("compaction.importance_lost_max",
            "Share of a layer's importance that one round takes."),
      share("compaction.accuracy_drop_max",
            "Accuracy on the gate split that a cut may cost at once; else it is rolled back."),
      share("compaction.operations_share_min",
            "Share of the host's operations at launch that all rounds together leave."),
      within(
          "compaction.recovery_loss_max", 0, 1'000,
          "Loss on the gate split over the best checkpoint's, nats, above which nothing is cut."),
      share("compaction.learning_rate_ratio_min",
            "Share of the peak rate below which nothing is cut."),
      within(
          "compaction.layer_similarity_min", -1, 1,
          "A whole layer may leave whose input and output are more alike, as a cosine; 1: none."),
      share("compaction.layer_importance_max",
            "And whose importance is less, over the mean of its kind."),

      plain("checkpoints", "Checkpoints on disk."),
      within("checkpoints.keep", 0, 1'000'000, "The newest so many are kept; 0: none are written."),

      plain("limits", "Hard bounds, whatever the energy; 0: none."),
      within("limits.parameters_max", 0, largest_exact, "Parameters of the grown model."),
      within("limits.operations_per_sample_max", 0, largest_exact,
             "Multiply-accumulates per sample of the grown model."),
      within("limits.memory_bytes_max", 0, largest_exact, "Bytes that seeds may hold."),
      within("limits.seeds_max", 0, 1'000'000, "Seeds at once that are not fossilised."),
      within("limits.overhead_ratio_max", 0, 1'000,
             "Operations of shadow and gate passes over those of training."),

      plain("reflex", "What the step boundary does by itself."),
      above("reflex.sigmas", 0, 1'000, "Deviations of the loss that make every seed escape."),
      within("reflex.history_steps", 2, 1'000'000,
             "Accepted steps that the deviation is taken of."),
      within("reflex.executor_silent_windows", 1, 1'000'000,
             "Windows without a sign of the executor, then its seeds escape."),

      plain("decisions", "Inputs of decisions."),
      plain("decisions.use_timing", "Let measured time decide too; no such run is reproducible."),

      plain("control", "The control side: no decision depends on it."),
      within("control.threads", 1, 256, "Threads of the actors."),
      within("control.restarts_max", 0, 1'000'000, "Restarts of a role within the period."),
      within("control.period_ms", 1, largest_count, "Period of restarts_max, milliseconds."),
      within("control.backoff_ms_first", 1, 3'600'000,
             "First wait before a restart, milliseconds."),
      within("control.backoff_ms_max", 1, 3'600'000,
             "Longest wait before a restart, milliseconds."),
      within("control.retry_ms", 1, 3'600'000,
             "An open turn's inputs go again after, milliseconds."),
      within("control.credit", 1, 1'000'000, "Messages under way per lane."),
      within("control.backlog_max", 1, 1'000'000, "Commands that wait for credit per lane."),
      within("control.delay_ms_max", 0, 60'000, "Seeded delay in every handler, for tests, ms."),

      plain("blueprints", "The catalogue that seeds are built from."),
      plain("blueprints.use", "Names of built-in blueprints; empty: all."),
      plain("blueprints.add", "More blueprints."),
      needed("blueprints.add[].name", "Unique in the catalogue."),
      needed("blueprints.add[].kind", "The function that it builds."),
      plain("blueprints.add[].class", "growth: stays; scaffold: leaves again."),
      within("blueprints.add[].kernel", 0, 15,
             "Odd width of the convolution; 0: the kind has none."),
      within("blueprints.add[].reduction", 0, 1'024, "Channels per reduced channel; 0: has none."),
      within("blueprints.add[].dropout", 0, 0.99, "Share of its output dropped while training."),
      above("blueprints.add[].learning_rate_scale", 0, 1'000, "Times the seeds' learning rate."),
      plain("blueprints.add[].birth", "random: ordinary; zero: its output is 0 at birth."),
      plain("blueprints.add[].sunset_exit", "How a scaffold leaves; either: the evidence decides."),
      within("blueprints.add[].sunset_windows", 0, 1'000'000,
             "Windows without success after which a scaffold leaves."),

      plain("baselines", "What the grown model is compared with."),
      plain("baselines.host", "Train the host alone, too."),
      plain("baselines.widened", "Train the host widened to the grown model's parameters, too."),
      plain("baselines.scratch",
            "Where something was cut: train the final shape from scratch, too."),
      plain("baselines.uncut", "Where pruning is on: run the whole system without it, too."),

      plain("nodes", "The processes of a run on several nodes; empty: one does everything."),
      needed("nodes[].name", "Unique; its certificate is of this name. Of a-z, 0-9 and -."),
      plain("nodes[].address", "Where the other nodes find it: a name or an IP address."),
      {.key = "nodes[].port",
       .description = "Its only open port, TCP, behind mutual TLS.",
       .minimum = 1,
       .maximum = 65'535,
       .required = true},
      needed(
          "nodes[].roles",
          "prime: Tamiyo, the journal and all that there is one of; standby: takes over from it; "
          "trainer: a replica of the model; narsets: regions are placed here."),
      plain("nodes[].device", "Of its trainer; this version trains on the CPU alone."),
      within("nodes[].narsets_max", 0, 1'000'000, "Narsets placed here at most; 0: any number."),

      plain("cluster", "What the nodes have in common."),
      plain("cluster.certificates",
            "Folder with authority.pem and each node's NODE.pem and NODE-key.pem; empty: made for "
            "the run, where all nodes are of one machine."),
      within("cluster.store_port", 0, 65'535,
             "Where trainers find each other: the prime keeps its table at this port, the standby "
             "and the others at the ports after it, in the order of the config."),
      within("cluster.frame_bytes_max", 65'536, 1'073'741'824,
             "A peer that announces a longer message is cut, bytes."),
      plain("cluster.quorum",
            "majority: the side of a cut with more than half of the nodes and a trainer goes on; "
            "none: every side does, for networks that can't split."),
      plain("cluster.pins", "Regions that stay on a node; the others go where hashing puts them."),
      needed("cluster.pins[].region", "The region that stays."),
      needed("cluster.pins[].node", "The node that it stays on."),
      plain("cluster.timeouts", "Milliseconds, each longer than the one before."),
      within("cluster.timeouts.heartbeat_ms", 10, 3'600'000, "Between two signs of life."),
      within("cluster.timeouts.suspicion_ms", 20, 3'600'000,
             "Silence after which nothing new is asked of a node."),
      within("cluster.timeouts.confirmation_ms", 30, 3'600'000,
             "Silence after which a node is lost and its regions move."),
      within("cluster.timeouts.connection_ms", 40, 3'600'000,
             "Silence after which a connection is cut."),
      within("cluster.timeouts.request_ms", 50, 3'600'000, "Longest wait for an answer."),
      within("cluster.timeouts.collective_ms", 60, 3'600'000,
             "Longest wait for the other trainers in one step."),
      within("cluster.timeouts.ready_ms", 100, 86'400'000, "Until every node must be there."),
      plain("cluster.journal", "Where decisions are recorded; a standby needs postgresql."),
      plain("cluster.database",
            "Of postgresql: a connection string of libpq without a password, such as "
            "host=db user=esper dbname=esper."),
  });
}();

/// Null for a key that has no rule: a test shows that there is none.
[[nodiscard]] constexpr const KeyRule* rule_of(std::string_view key) {
  for (const auto& rule : key_rules)
    if (rule.key == key) return &rule;
  return nullptr;
}

}  // namespace esper
