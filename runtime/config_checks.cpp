#include "runtime/config_checks.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "runtime/config_reader.hpp"
#include "runtime/postgresql/connection_string.hpp"

namespace esper {
namespace {

/// Collects what does not hold.
class Contradictions {
 public:
  void expect(bool holds, std::string key, std::string problem, std::string remedy) {
    if (!holds) found_.push_back({std::move(key), std::move(problem), std::move(remedy)});
  }
  std::vector<ConfigContradiction> take() { return std::move(found_); }

 private:
  std::vector<ConfigContradiction> found_;
};

/// Sums of shares such as 0.7 + 0.3 come out a rounding error above 1.
constexpr double share_sum_max = 1 + 1e-9;

void check_alpha_stages(const std::vector<double>& stages, Contradictions& all) {
  all.expect(!stages.empty(), "gates.alpha_stages", "has no stage",
             "give at least one, the last being the target");
  for (std::size_t i = 1; i < stages.size(); ++i)
    all.expect(stages[i] > stages[i - 1], "gates.alpha_stages[" + std::to_string(i) + "]",
               number_text(stages[i]) + " does not rise above " + number_text(stages[i - 1]),
               "give the stages in ascending order");
}

void check_gates(const RunConfig& config, Contradictions& all) {
  const auto& gates = config.gates;
  const auto& time = config.time;
  check_alpha_stages(gates.alpha_stages, all);
  all.expect(gates.ramp_hold_ratio < gates.ramp_rollback_ratio, "gates.ramp_hold_ratio",
             "is not below gates.ramp_rollback_ratio: every hold would be a rollback",
             "give less than " + number_text(gates.ramp_rollback_ratio));
  all.expect(gates.signal_min < gates.signal_max, "gates.signal_min",
             "is not below gates.signal_max: no region could be calm",
             "give less than " + number_text(gates.signal_max));
  const auto updates =
      std::uint64_t{gates.trial_windows_max} * time.window_steps / time.shadow_every_steps;
  all.expect(gates.updates_min <= updates, "gates.updates_min",
             "cannot be reached: a trial of gates.trial_windows_max windows has " +
                 std::to_string(updates) + " updates",
             "give at most " + std::to_string(updates) +
                 ", or a longer trial, or smaller time.shadow_every_steps");
  all.expect(gates.shadow_passes_needed <= gates.trial_windows_max, "gates.shadow_passes_needed",
             "is more than gates.trial_windows_max",
             "give at most " + std::to_string(gates.trial_windows_max));
  all.expect(gates.alpha_stages.size() <= gates.ramp_windows_max, "gates.ramp_windows_max",
             "is less than the number of stages: no ramp could end",
             "give at least " + std::to_string(gates.alpha_stages.size()));
  all.expect(gates.stable_windows <= gates.verdict_windows_max, "gates.stable_windows",
             "is more than gates.verdict_windows_max: no seed could pass",
             "give at most " + std::to_string(gates.verdict_windows_max));
}

void check_budget(const RunConfig& config, Contradictions& all) {
  const auto& budget = config.budget;
  const auto sum_below_one = [&](double sum, std::string key, const std::string& other) {
    all.expect(sum <= share_sum_max, std::move(key),
               "and " + other + " sum to " + number_text(sum) + ", more than 1",
               "lower one of them");
  };
  sum_below_one(budget.emergency_share + budget.safety_share, "budget.emergency_share",
                "budget.safety_share");
  sum_below_one(budget.germinate_share + budget.graft_share, "budget.germinate_share",
                "budget.graft_share");
  sum_below_one(budget.weight_norm + budget.weight_parameters + budget.weight_on_graph,
                "budget.weight_norm", "the other two weights");
  sum_below_one(config.training.warmup_share + config.training.decay_share, "training.warmup_share",
                "training.decay_share");
  const auto& gates = config.gates;
  const std::array<std::pair<std::uint32_t, std::string_view>, 3> spans{{
      {gates.trial_windows_max, "gates.trial_windows_max"},
      {gates.ramp_windows_max, "gates.ramp_windows_max"},
      {gates.verdict_windows_max, "gates.verdict_windows_max"},
  }};
  for (const auto& [windows, key] : spans)
    all.expect(
        windows <= budget.reservation_windows, std::string{key},
        "is more than budget.reservation_windows: the seed's energy would expire first",
        "give at most " + std::to_string(budget.reservation_windows) + ", or a longer reservation");
}

void check_samples(const RunConfig& config, Contradictions& all) {
  constexpr std::uint32_t training_images = 60'000;  // of Fashion-MNIST
  const auto& data = config.data;
  const auto remedy = "give at most data.gate_samples, " + std::to_string(data.gate_samples);
  all.expect(config.time.gate_samples <= data.gate_samples, "time.gate_samples",
             "is more than the gate split holds", remedy);
  all.expect(config.time.verdict_samples <= data.gate_samples, "time.verdict_samples",
             "is more than the gate split holds", remedy);
  all.expect(config.compaction.importance_samples <= data.gate_samples,
             "compaction.importance_samples", "is more than the gate split holds", remedy);
  if (config.model.host != "fashion_cnn") return;  // only a text itself says how much it holds
  all.expect(data.gate_samples + data.training_samples <= training_images, "data.training_samples",
             "and data.gate_samples are more than the " + std::to_string(training_images) +
                 " images there are",
             "lower one of them");
  const auto left = data.training_samples != 0
                        ? data.training_samples
                        : training_images - std::min(data.gate_samples, training_images);
  all.expect(config.training.batch <= left, "training.batch",
             "is more than the training samples, " + std::to_string(left),
             "give at most " + std::to_string(left));
}

/// Regions as the config cuts the host; none for a host that is not known.
std::vector<std::string> region_names(const ModelConfig& model) {
  std::vector<std::string> names;
  for (const auto& region : model.regions) names.push_back(region.name);
  if (!names.empty()) return names;
  if (const auto host = describe_host(model.host, model.size))
    for (const auto& region : host->regions) names.push_back(region.name);
  return names;
}

void check_disturbances(const RunConfig& config, Contradictions& all) {
  const auto regions = region_names(config.model);
  const auto& disturbances = config.training.disturbances;
  for (std::size_t i = 0; i < disturbances.size(); ++i) {
    const auto& one = disturbances[i];
    const auto key = "training.disturbances[" + std::to_string(i) + "]";
    const bool of_a_region =
        one.kind == DisturbanceKind::initial_gain || one.kind == DisturbanceKind::weight_damage;
    const std::string kind{name_of(one.kind)};
    if (of_a_region) {
      std::string known;
      for (const auto& name : regions) known += (known.empty() ? "" : ", ") + name;
      all.expect(std::find(regions.begin(), regions.end(), one.region) != regions.end(),
                 key + ".region", "there is no region \"" + one.region + "\" for " + kind,
                 "name one of: " + known);
    } else {
      all.expect(one.steps > 0, key + ".steps", kind + " lasts for no step", "give at least 1");
    }
  }
}

void check_sunset(const Blueprint& added, const std::string& key, Contradictions& all) {
  const bool scaffold = added.blueprint_class == BlueprintClass::scaffold;
  all.expect(scaffold == (added.sunset_exit != SunsetExit::none), key + ".sunset_exit",
             scaffold ? "a scaffold must be able to leave" : "a growth design stays",
             scaffold ? "give fold, wean or either" : "remove it");
  all.expect(scaffold == (added.sunset_windows > 0), key + ".sunset_windows",
             scaffold ? "a scaffold must leave some time" : "a growth design stays",
             scaffold ? "give at least 1" : "remove it");
}

void check_added_blueprints(const CatalogueConfig& blueprints, Contradictions& all) {
  for (std::size_t i = 0; i < blueprints.add.size(); ++i) {
    const auto& added = blueprints.add[i];
    const auto key = "blueprints.add[" + std::to_string(i) + "]";
    const bool convolves = has_kernel(added.kind);
    const bool reduces = has_reduction(added.kind);
    const bool any_width = layout_of(added.kind) == Layout::sequence;
    all.expect(!convolves || any_width || added.kernel == 0 || added.kernel % 2 == 1,
               key + ".kernel", std::to_string(added.kernel) + " is even: the shape would change",
               "give an odd width");
    all.expect(!convolves || added.kernel != 0, key + ".kernel",
               std::string{name_of(added.kind)} + " needs a width", "give an odd width, such as 3");
    all.expect(!reduces || added.reduction != 0, key + ".reduction",
               std::string{name_of(added.kind)} + " needs a reduction", "give one, such as 4");
    all.expect(convolves || added.kernel == 0, key + ".kernel",
               std::string{name_of(added.kind)} + " has no kernel", "remove it");
    all.expect(reduces || added.reduction == 0, key + ".reduction",
               std::string{name_of(added.kind)} + " has no reduction", "remove it");
    all.expect(!added.name.empty(), key + ".name", "is empty", "give a name");
    check_sunset(added, key, all);
    for (std::size_t before = 0; before < i; ++before)
      all.expect(
          blueprints.add[before].name != added.name, key + ".name",
          "\"" + added.name + "\" is taken by blueprints.add[" + std::to_string(before) + "]",
          "give another name");
  }
}

bool is_file_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.front() != '.' && name.size() <= 100 &&
         std::all_of(name.begin(), name.end(), allowed);
}

/// What a config holds stands in each run's directory, for everybody to read.
void check_database(const ClusterConfig& cluster, Contradictions& all) {
  if (cluster.journal != JournalBackend::postgresql && cluster.database.empty()) return;
  const auto problem = connection_string_problem(cluster.database);
  all.expect(problem.empty(), "cluster.database", problem,
             "give one such as host=db user=esper dbname=esper; a password belongs in a file that "
             "PGPASSFILE names");
}

}  // namespace

std::vector<ConfigContradiction> contradictions(const RunConfig& config) {
  Contradictions all;
  all.expect(is_file_name(config.name), "name", "\"" + config.name + "\" can't name a directory",
             "use letters, digits, '.', '_' and '-', not a leading '.'");
  check_gates(config, all);
  check_budget(config, all);
  check_samples(config, all);
  check_disturbances(config, all);
  check_added_blueprints(config.blueprints, all);
  check_database(config.cluster, all);
  all.expect(config.control.backoff_ms_first <= config.control.backoff_ms_max,
             "control.backoff_ms_first", "is more than control.backoff_ms_max",
             "give at most " + std::to_string(config.control.backoff_ms_max));
  return all.take();
}

std::vector<ConfigContradiction> missing_data(const RunConfig& config) {
  constexpr std::array<std::string_view, 4> files{
      "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
      "t10k-labels-idx1-ubyte.gz"};
  const auto& path = config.data.path;
  Contradictions all;
  std::error_code ignored;
  if (config.model.host == "byte_transformer") {
    all.expect(std::filesystem::is_regular_file(path, ignored), "data.path",
               "there is no file " + path,
               "install Debian's dict-gcide, or name another text, gzipped or plain");
    return all.take();
  }
  const std::string remedy = "install Debian's dataset-fashion-mnist, or name the folder it is in";
  if (!std::filesystem::is_directory(path, ignored)) {
    all.expect(false, "data.path", "there is no folder " + path, remedy);
    return all.take();
  }
  for (const auto file : files)
    all.expect(std::filesystem::is_regular_file(std::filesystem::path{path} / file, ignored),
               "data.path", path + " lacks " + std::string{file}, remedy);
  return all.take();
}

}  // namespace esper
