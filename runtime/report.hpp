#pragma once
// report.json and the tables on the terminal: what a run gained, at what cost, and why.
#include <iosfwd>
#include <optional>

#include "messages/cluster.hpp"
#include "messages/configuration.hpp"
#include "runtime/account.hpp"
#include "runtime/journal_book.hpp"
#include "runtime/promotion.hpp"
#include "runtime/scorecard.hpp"

namespace esper {

/// The grown arm against another; positive is better.
struct Gain {
  std::string against;
  double test_accuracy{};  ///< grown minus the other, share
  double test_loss{};      ///< the other minus grown, nats per sample

  static constexpr auto schema =
      record("Gain", field("against", &Gain::against), field("test_accuracy", &Gain::test_accuracy),
             field("test_loss", &Gain::test_loss));
};

/// Grown over the other arm; 1 is the same, 0 where the other has none.
struct Cost {
  std::string against;
  double parameters{}, operations{}, training_operations{};
  double latency_batch{}, latency_single{}, wall{};

  static constexpr auto schema =
      record("Cost", field("against", &Cost::against), field("parameters", &Cost::parameters),
             field("operations", &Cost::operations),
             field("training_operations", &Cost::training_operations),
             field("latency_batch", &Cost::latency_batch),
             field("latency_single", &Cost::latency_single), field("wall", &Cost::wall));
};

/// The grown model in files of the run's directory.
struct ModelFiles {
  std::string state, module;          ///< file names
  std::vector<std::string> seeds;     ///< "early.a normalisation": what fossilised
  std::vector<std::string> left_out;  ///< on the graph at the end, but not fossilised

  static constexpr auto schema =
      record("ModelFiles", field("state", &ModelFiles::state), field("module", &ModelFiles::module),
             field("seeds", &ModelFiles::seeds), field("left_out", &ModelFiles::left_out));
};

struct RunReport {
  std::string version;
  std::uint64_t seed{};
  Pace pace{};
  bool reproducible{};
  std::string journal_hash;  ///< over the logical parts: the decisions
  std::string weights_hash;  ///< of the grown model
  int exit{};
  std::string first_irreproducible;
  std::string error;  ///< why the run ended early; "" when it didn't
  std::string name;   ///< the config's
  Mode mode{};
  std::uint32_t window_steps{}, cycle_windows{};
  std::vector<std::string> missing;  ///< what it can't tell, a sentence each
  std::vector<TrainedModel> arms;
  std::vector<Gain> gain;
  std::vector<Cost> cost;
  RunAccount account;
  std::optional<TrainedModel> uncut;  ///< the grown model's shape before surgery: its latency alone
  std::vector<Counted> breakers;      ///< that stood open, by role
  std::optional<JournalSeal> seal;
  std::vector<ArmCurve> curves;  ///< training loss, in the order of `arms`
  std::vector<Scorecard> scorecards;
  Promotion promotion;
  std::optional<ModelFiles> model;  ///< nothing: the run ended before there was one
  std::vector<NodeStanding> nodes;  ///< of a run on several: which Narset ran where, at its end

  static constexpr auto schema = record(
      "RunReport", field("version", &RunReport::version), field("seed", &RunReport::seed),
      field("pace", &RunReport::pace), field("reproducible", &RunReport::reproducible),
      field("journal_hash", &RunReport::journal_hash),
      field("weights_hash", &RunReport::weights_hash), field("exit", &RunReport::exit),
      field("first_irreproducible", &RunReport::first_irreproducible),
      field("error", &RunReport::error), field("name", &RunReport::name),
      field("mode", &RunReport::mode), field("window_steps", &RunReport::window_steps),
      field("cycle_windows", &RunReport::cycle_windows), field("missing", &RunReport::missing),
      field("arms", &RunReport::arms), field("gain", &RunReport::gain),
      field("cost", &RunReport::cost), field("account", &RunReport::account),
      field("uncut", &RunReport::uncut), field("breakers", &RunReport::breakers),
      field("seal", &RunReport::seal), field("curves", &RunReport::curves),
      field("scorecards", &RunReport::scorecards), field("promotion", &RunReport::promotion),
      field("model", &RunReport::model), field("nodes", &RunReport::nodes));
};

/// Shadow, gate and seed passes counted in.
[[nodiscard]] std::uint64_t total_operations(const OperationCount& count);

/// Fills gain and cost from the arms: "grown" against each other one.
void compare_arms(RunReport& report);

/// A curve of a model that was trained without controllers: window w ends at step w * window_steps.
[[nodiscard]] ArmCurve curve_of(const std::string& arm, const std::vector<double>& window_losses,
                                std::uint32_t window_steps);

/// Fills what follows from arms, account and curves together: the grown model's curve as the
/// journal has it, gain and cost, scorecards, promotion numbers.
void conclude(RunReport& report);

/// Top keys in the field list's order; the account's keys stand at the top, too.
[[nodiscard]] std::string report_json(const RunReport& report);

/// What becomes of the difference between two arms over several seeds.
struct Comparison {
  std::string against;
  double gain_mean{};    ///< of test accuracy, share
  double seed_spread{};  ///< sample standard deviation of the other arm's accuracy over seeds
  std::string verdict;   ///< gain, loss, none, or "one seed" when there is no spread to judge by

  static constexpr auto schema = record("Comparison", field("against", &Comparison::against),
                                        field("gain_mean", &Comparison::gain_mean),
                                        field("seed_spread", &Comparison::seed_spread),
                                        field("verdict", &Comparison::verdict));
};

/// A mean gain that isn't larger than what another seed moves is called none. Pure.
[[nodiscard]] std::vector<Comparison> compare_seeds(const std::vector<RunReport>& reports);

void print_summary(std::ostream& out, const RunReport& report);
void print_comparison(std::ostream& out, const std::vector<RunReport>& reports);
/// Troubles, scaffolds, checkpoints and surgery, as far as there were any.
void print_temporary(std::ostream& out, const RunAccount& account);
/// Size and latency of the grown model before surgery beside those after it.
void print_compaction(std::ostream& out, const RunReport& report);
/// Spend, forecast and the pruning allowance, cycle by cycle.
void print_economy(std::ostream& out, const RunAccount& account);
void print_ledger(std::ostream& out, const RunAccount& account);

/// Columns as wide as their widest cell; the first row is the head. Numbers stand to the right.
using Table = std::vector<std::vector<std::string>>;
void print_table(std::ostream& out, const Table& rows);

}  // namespace esper
