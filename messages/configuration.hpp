#pragma once
// Every config key, its type and its default. The parser, `configs/schema.json` and the effective
// config all come from these field lists; ranges and descriptions stand in runtime/config_rules.
#include "messages/blueprint.hpp"
#include "messages/cluster_config.hpp"
#include "messages/training.hpp"
#include "messages/training_config.hpp"

namespace esper {

struct PaceConfig {
  Pace mode{Pace::lockstep};
  std::uint32_t stall_ms_max{30'000};  ///< lockstep: then the run falls to free

  static constexpr auto schema = record("pace", field("mode", &PaceConfig::mode),
                                        field("stall_ms_max", &PaceConfig::stall_ms_max));
};

struct RegionConfig {
  std::string name;
  std::vector<std::string> parameters;  ///< prefixes of parameter names, e.g. "conv1."

  static constexpr auto schema = record("region", field("name", &RegionConfig::name),
                                        field("parameters", &RegionConfig::parameters));
};

struct ModelConfig {
  std::string host{"fashion_cnn"};
  std::string size{"tiny"};           ///< the host's first one where a config names none
  std::vector<RegionConfig> regions;  ///< empty: the host's own cut

  static constexpr auto schema =
      record("model", field("host", &ModelConfig::host), field("size", &ModelConfig::size),
             field("regions", &ModelConfig::regions));
};

struct TimeConfig {
  std::uint32_t window_steps{25};
  std::uint32_t cycle_windows{6};
  std::uint32_t checkpoint_cycles{2};
  std::uint32_t shadow_every_steps{2};   ///< shadow passes while a seed is on trial
  std::uint32_t gate_samples{1'024};     ///< of a G2 or G3 pass
  std::uint32_t verdict_samples{2'048};  ///< of a G5 pass

  static constexpr auto schema =
      record("time", field("window_steps", &TimeConfig::window_steps),
             field("cycle_windows", &TimeConfig::cycle_windows),
             field("checkpoint_cycles", &TimeConfig::checkpoint_cycles),
             field("shadow_every_steps", &TimeConfig::shadow_every_steps),
             field("gate_samples", &TimeConfig::gate_samples),
             field("verdict_samples", &TimeConfig::verdict_samples));
};

/// `adaptive`: the pool's share of a mint follows the regions' recent volatility.
enum class PoolSizing : std::uint8_t { fixed, adaptive };
ESPER_ENUM_NAMES(PoolSizing, "fixed", "adaptive");

struct BudgetConfig {
  std::int64_t mint_per_region{50};  ///< thousandths a cycle
  double emergency_share{0.1};
  PoolSizing emergency_sizing{PoolSizing::fixed};
  double safety_share{0.1};
  double opportunity_share{0.3};  ///< of the treasury, kept for proposals
  std::uint32_t emergency_cycles_max{3};
  std::int64_t price_min{10};  ///< thousandths
  std::uint32_t reservation_windows{20};
  double weight_norm{0.5}, weight_parameters{0.3}, weight_on_graph{0.2};
  double germinate_share{0.2}, graft_share{0.6};  ///< the rest is charged at stabilise
  double compaction_share{0.4};  ///< of the mint: the pruning allowance without any spending
  double throttle{0.6};          ///< beta: what each unit of spend and forecast takes off it
  double zone_share{0.3};        ///< of the full allowance, at most, while any zone is active

  static constexpr auto schema = record(
      "budget", field("mint_per_region", &BudgetConfig::mint_per_region),
      field("emergency_share", &BudgetConfig::emergency_share),
      field("emergency_sizing", &BudgetConfig::emergency_sizing),
      field("safety_share", &BudgetConfig::safety_share),
      field("opportunity_share", &BudgetConfig::opportunity_share),
      field("emergency_cycles_max", &BudgetConfig::emergency_cycles_max),
      field("price_min", &BudgetConfig::price_min),
      field("reservation_windows", &BudgetConfig::reservation_windows),
      field("weight_norm", &BudgetConfig::weight_norm),
      field("weight_parameters", &BudgetConfig::weight_parameters),
      field("weight_on_graph", &BudgetConfig::weight_on_graph),
      field("germinate_share", &BudgetConfig::germinate_share),
      field("graft_share", &BudgetConfig::graft_share),
      field("compaction_share", &BudgetConfig::compaction_share),
      field("throttle", &BudgetConfig::throttle), field("zone_share", &BudgetConfig::zone_share));
};

enum class AllocationPolicy : std::uint8_t { uniform, bandit };
ESPER_ENUM_NAMES(AllocationPolicy, "uniform", "bandit");

struct AllocationConfig {
  AllocationPolicy policy{AllocationPolicy::bandit};
  double exploration{0.5};         ///< width of the upper confidence bound
  double regression_target{0.05};  ///< regressions per funded seed
  double risk_price_rate{0.5};     ///< step of the dual variable

  static constexpr auto schema =
      record("allocation", field("policy", &AllocationConfig::policy),
             field("exploration", &AllocationConfig::exploration),
             field("regression_target", &AllocationConfig::regression_target),
             field("risk_price_rate", &AllocationConfig::risk_price_rate));
};

struct GateConfig {
  double learning_rate_ratio_min{0.99};   ///< G0: below it nothing germinates
  std::uint32_t calm_windows{2};          ///< G0: stable windows before a germination
  std::uint32_t updates_min{100};         ///< G2: seed updates before the first verdict
  std::uint32_t trial_windows_max{14};    ///< G2: then cull
  double shadow_gain_min{0.0};            ///< G2: nats, exclusive
  double shadow_loss_cull{0.1};           ///< G2: a gain below minus this culls at once
  std::uint32_t shadow_passes_needed{2};  ///< G2: windows in a row
  double ramp_hold_ratio{1.02};           ///< G3: loss over the one before the ramp
  double ramp_rollback_ratio{1.05};
  double stage_loss_max{0.05};                 ///< G3: nats that a stage's counterfactual may lose
  std::uint32_t ramp_windows_max{12};          ///< G3: then cull
  std::uint32_t stable_windows{2};             ///< G5: K
  double rent_per_thousand_parameters{0.001};  ///< G5: nats
  std::uint32_t verdict_windows_max{8};        ///< G5: then cull
  std::uint32_t embargo_windows{4};            ///< after a cull
  double jitter_max{0.05}, drift_max{0.05}, diversity_min{0.6};
  double signal_min{0.1}, signal_max{10};
  double gradient_spike_max{50};  ///< maximum over median
  double relative_norm_max{4};    ///< G2: |s|/|h|
  std::vector<double> alpha_stages{0.25, 0.5, 0.75, 1.0};
  double clip_norm{1};  ///< of a seed's gradient

  static constexpr auto schema = record(
      "gates", field("learning_rate_ratio_min", &GateConfig::learning_rate_ratio_min),
      field("calm_windows", &GateConfig::calm_windows),
      field("updates_min", &GateConfig::updates_min),
      field("trial_windows_max", &GateConfig::trial_windows_max),
      field("shadow_gain_min", &GateConfig::shadow_gain_min),
      field("shadow_loss_cull", &GateConfig::shadow_loss_cull),
      field("shadow_passes_needed", &GateConfig::shadow_passes_needed),
      field("ramp_hold_ratio", &GateConfig::ramp_hold_ratio),
      field("ramp_rollback_ratio", &GateConfig::ramp_rollback_ratio),
      field("stage_loss_max", &GateConfig::stage_loss_max),
      field("ramp_windows_max", &GateConfig::ramp_windows_max),
      field("stable_windows", &GateConfig::stable_windows),
      field("rent_per_thousand_parameters", &GateConfig::rent_per_thousand_parameters),
      field("verdict_windows_max", &GateConfig::verdict_windows_max),
      field("embargo_windows", &GateConfig::embargo_windows),
      field("jitter_max", &GateConfig::jitter_max), field("drift_max", &GateConfig::drift_max),
      field("diversity_min", &GateConfig::diversity_min),
      field("signal_min", &GateConfig::signal_min), field("signal_max", &GateConfig::signal_max),
      field("gradient_spike_max", &GateConfig::gradient_spike_max),
      field("relative_norm_max", &GateConfig::relative_norm_max),
      field("alpha_stages", &GateConfig::alpha_stages), field("clip_norm", &GateConfig::clip_norm));
};

struct SeedConfig {
  double learning_rate{3e-3};  ///< of the seed optimizer (AdamW)
  double weight_decay{1e-2};

  static constexpr auto schema = record("seeds", field("learning_rate", &SeedConfig::learning_rate),
                                        field("weight_decay", &SeedConfig::weight_decay));
};

/// Temporary modules for a region in crisis.
struct ScaffoldConfig {
  bool enabled{true};
  std::uint32_t radius{1};              ///< of the zone, in hops
  std::uint32_t clean_checkpoints{1};   ///< after its sunset, before the zone is lifted
  std::uint32_t isolation_updates{10};  ///< before it goes on the graph
  std::uint32_t stable_windows{2};      ///< K: of success, in a row
  double parity_max{0.01};  ///< rise of the gate split's loss over the last calm checkpoint's
  double wean_contribution_max{0.01};  ///< nats: what contributes less is weaned, not folded
  double fold_change_max{1e-5};        ///< relative change of the output by folding
  double kd_weight{0.5};               ///< of the distillation while weaning
  double anchor_weight{1e-4};          ///< of the L1 pull while weaning
  std::uint32_t wean_windows_max{12};  ///< then it leaves however the host fares
  std::uint32_t dwell_windows{2};      ///< clean, at alpha 0, before the slot is free
  std::uint32_t thrash_scaffolds{5};   ///< in a row in one region, without a clean checkpoint
  std::uint32_t thrash_windows{48};    ///< that the breaker then stays open, at first

  static constexpr auto schema =
      record("scaffolds", field("enabled", &ScaffoldConfig::enabled),
             field("radius", &ScaffoldConfig::radius),
             field("clean_checkpoints", &ScaffoldConfig::clean_checkpoints),
             field("isolation_updates", &ScaffoldConfig::isolation_updates),
             field("stable_windows", &ScaffoldConfig::stable_windows),
             field("parity_max", &ScaffoldConfig::parity_max),
             field("wean_contribution_max", &ScaffoldConfig::wean_contribution_max),
             field("fold_change_max", &ScaffoldConfig::fold_change_max),
             field("kd_weight", &ScaffoldConfig::kd_weight),
             field("anchor_weight", &ScaffoldConfig::anchor_weight),
             field("wean_windows_max", &ScaffoldConfig::wean_windows_max),
             field("dwell_windows", &ScaffoldConfig::dwell_windows),
             field("thrash_scaffolds", &ScaffoldConfig::thrash_scaffolds),
             field("thrash_windows", &ScaffoldConfig::thrash_windows));
};

/// Structured pruning at checkpoint boundaries.
struct CompactionConfig {
  bool enabled{true};
  std::uint32_t importance_samples{2'048};  ///< of the gate split
  double keep_share_min{0.5};               ///< of a layer's channels, in one round
  std::uint32_t width_multiple{8};          ///< widths are rounded to what hardware likes
  double importance_lost_max{0.1};          ///< share of a layer's importance, in one round
  double accuracy_drop_max{0.2};            ///< on the gate split, at once; else rolled back
  double operations_share_min{0.4};         ///< of the host's at launch, over all rounds
  double recovery_loss_max{0.05};           ///< nats over the best checkpoint's; else no next round
  double learning_rate_ratio_min{0.25};     ///< of the peak; below it too little is left to recover
  double layer_similarity_min{0.98};        ///< exclusive: a whole layer may go when its input and
                                            ///< output are more alike; 1: none ever
  double layer_importance_max{0.2};  ///< exclusive, and it matters less, over the mean of its
                                     ///< kind

  static constexpr auto schema =
      record("compaction", field("enabled", &CompactionConfig::enabled),
             field("importance_samples", &CompactionConfig::importance_samples),
             field("keep_share_min", &CompactionConfig::keep_share_min),
             field("width_multiple", &CompactionConfig::width_multiple),
             field("importance_lost_max", &CompactionConfig::importance_lost_max),
             field("accuracy_drop_max", &CompactionConfig::accuracy_drop_max),
             field("operations_share_min", &CompactionConfig::operations_share_min),
             field("recovery_loss_max", &CompactionConfig::recovery_loss_max),
             field("learning_rate_ratio_min", &CompactionConfig::learning_rate_ratio_min),
             field("layer_similarity_min", &CompactionConfig::layer_similarity_min),
             field("layer_importance_max", &CompactionConfig::layer_importance_max));
};

struct CheckpointConfig {
  std::uint32_t keep{3};  ///< newest ones on disk; 0: none are written

  static constexpr auto schema = record("checkpoints", field("keep", &CheckpointConfig::keep));
};

/// Hard bounds whatever the energy. 0: no bound.
struct LimitConfig {
  std::uint64_t parameters_max{0};
  std::uint64_t operations_per_sample_max{0};
  std::uint64_t memory_bytes_max{0};
  std::uint32_t seeds_max{3};      ///< unfossilised at once
  double overhead_ratio_max{1.0};  ///< shadow and gate over training operations

  static constexpr auto schema =
      record("limits", field("parameters_max", &LimitConfig::parameters_max),
             field("operations_per_sample_max", &LimitConfig::operations_per_sample_max),
             field("memory_bytes_max", &LimitConfig::memory_bytes_max),
             field("seeds_max", &LimitConfig::seeds_max),
             field("overhead_ratio_max", &LimitConfig::overhead_ratio_max));
};

struct ReflexConfig {
  double sigmas{8};
  std::uint32_t history_steps{100};
  std::uint32_t executor_silent_windows{4};

  static constexpr auto schema =
      record("reflex", field("sigmas", &ReflexConfig::sigmas),
             field("history_steps", &ReflexConfig::history_steps),
             field("executor_silent_windows", &ReflexConfig::executor_silent_windows));
};

struct DecisionConfig {
  bool use_timing{false};

  static constexpr auto schema =
      record("decisions", field("use_timing", &DecisionConfig::use_timing));
};

struct ControlConfig {
  std::uint32_t threads{2};       ///< CAF workers
  std::uint32_t restarts_max{5};  ///< within the period; then the breaker opens
  std::uint32_t period_ms{60'000};
  std::uint32_t backoff_ms_first{20};
  std::uint32_t backoff_ms_max{5'000};
  std::uint32_t retry_ms{1'000};     ///< an open turn's inputs are sent again
  std::uint32_t credit{64};          ///< messages under way per lane
  std::uint32_t backlog_max{1'024};  ///< commands waiting for credit per lane
  std::uint32_t delay_ms_max{0};     ///< seeded delay in every handler, for tests

  static constexpr auto schema =
      record("control", field("threads", &ControlConfig::threads),
             field("restarts_max", &ControlConfig::restarts_max),
             field("period_ms", &ControlConfig::period_ms),
             field("backoff_ms_first", &ControlConfig::backoff_ms_first),
             field("backoff_ms_max", &ControlConfig::backoff_ms_max),
             field("retry_ms", &ControlConfig::retry_ms), field("credit", &ControlConfig::credit),
             field("backlog_max", &ControlConfig::backlog_max),
             field("delay_ms_max", &ControlConfig::delay_ms_max));
};

struct CatalogueConfig {
  std::vector<std::string> use;  ///< names of built-in blueprints; empty: all
  std::vector<Blueprint> add;

  static constexpr auto schema = record("blueprints", field("use", &CatalogueConfig::use),
                                        field("add", &CatalogueConfig::add));
};

struct BaselineConfig {
  bool host{true};
  bool widened{true};
  bool scratch{true};  ///< only where something was cut
  bool uncut{false};   ///< only where pruning is on

  static constexpr auto schema = record(
      "baselines", field("host", &BaselineConfig::host), field("widened", &BaselineConfig::widened),
      field("scratch", &BaselineConfig::scratch), field("uncut", &BaselineConfig::uncut));
};

struct RunConfig {
  std::uint32_t version{1};
  std::string name;
  std::uint64_t seed{1};
  Mode mode{Mode::act};
  PaceConfig pace;
  ModelConfig model;
  DataConfig data;
  TrainingConfig training;
  TimeConfig time;
  BudgetConfig budget;
  AllocationConfig allocation;
  GateConfig gates;
  SeedConfig seeds;
  ScaffoldConfig scaffolds;
  CompactionConfig compaction;
  CheckpointConfig checkpoints;
  LimitConfig limits;
  ReflexConfig reflex;
  DecisionConfig decisions;
  ControlConfig control;
  CatalogueConfig blueprints;
  BaselineConfig baselines;
  std::vector<NodeConfig> nodes;  ///< empty: one process is all there is
  ClusterConfig cluster;

  static constexpr auto schema = record(
      "config", field("version", &RunConfig::version), field("name", &RunConfig::name),
      field("seed", &RunConfig::seed), field("mode", &RunConfig::mode),
      field("pace", &RunConfig::pace), field("model", &RunConfig::model),
      field("data", &RunConfig::data), field("training", &RunConfig::training),
      field("time", &RunConfig::time), field("budget", &RunConfig::budget),
      field("allocation", &RunConfig::allocation), field("gates", &RunConfig::gates),
      field("seeds", &RunConfig::seeds), field("scaffolds", &RunConfig::scaffolds),
      field("compaction", &RunConfig::compaction), field("checkpoints", &RunConfig::checkpoints),
      field("limits", &RunConfig::limits), field("reflex", &RunConfig::reflex),
      field("decisions", &RunConfig::decisions), field("control", &RunConfig::control),
      field("blueprints", &RunConfig::blueprints), field("baselines", &RunConfig::baselines),
      field("nodes", &RunConfig::nodes), field("cluster", &RunConfig::cluster));
};

}  // namespace esper
