#include <fstream>
#include <iostream>
#include <limits>

#include "messages/json.hpp"
#include "runtime/cluster/local_nodes.hpp"
#include "runtime/commands.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/progress.hpp"
#include "runtime/resume.hpp"
#include "runtime/training_run.hpp"

namespace esper {
namespace {

/// A directory per seed; several seeds share the folder named by --out.
std::filesystem::path out_of(const RunOptions& options, std::uint64_t seed) {
  if (options.out.empty() || options.repeat == 1) return options.out;
  return options.out / ("seed-" + std::to_string(seed));
}

/// What stands against the command line itself.
std::vector<ConfigMistake> mistakes_of(const RunOptions& options) {
  std::vector<ConfigMistake> found;
  if (const auto fault = RunDirectory::check(options.out))
    found.push_back(
        {options.out.empty() ? "working directory" : "--out " + options.out.string(), 0, 0, "",
         fault->sentence, "",
         options.out.empty() ? "name a directory with --out" : "name a new or an empty directory"});
  constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
  if (options.seed && *options.seed > largest - (options.repeat - 1))
    found.push_back({"--repeat " + std::to_string(options.repeat), 0, 0, "",
                     "seeds go on past " + std::to_string(largest), "", "give a smaller --seed"});
  return found;
}

void print_reports(const std::vector<RunReport>& reports, OutputFormat output) {
  if (output == OutputFormat::text) {
    for (const auto& report : reports) {
      if (reports.size() > 1) std::cout << "\n== seed " << report.seed << "\n\n";
      print_summary(std::cout, report);
    }
    if (reports.size() > 1) {
      std::cout << '\n';
      print_comparison(std::cout, reports);
    }
    return;
  }
  if (reports.size() == 1) {
    std::cout << report_json(reports.front());
    return;
  }
  auto runs = nlohmann::ordered_json::array();
  for (const auto& report : reports)
    runs.push_back(nlohmann::ordered_json::parse(report_json(report)));
  const nlohmann::ordered_json all{{"runs", std::move(runs)},
                                   {"comparison", to_json(compare_seeds(reports), Floats::plain)}};
  std::cout << all.dump(2) << '\n';
}

}  // namespace

namespace {

/// Those of a config with nodes that are of this machine, while the run lives; else nothing.
std::unique_ptr<LocalNodes> other_nodes(const RunConfig& config, const RunDirectory& directory) {
  return config.nodes.empty() ? nullptr : std::make_unique<LocalNodes>(config, directory);
}

/// Goes on with a run that was killed, interrupted, or failed.
ExitCode resume_run(const RunOptions& options, const std::atomic<bool>& stop) {
  const auto directory = RunDirectory::resume(options.resume);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::usage;
  }
  const auto config = load_config(directory.value().config());
  for (const auto& mistake : config.mistakes) std::cerr << sentence_of(mistake) << '\n';
  if (!config.mistakes.empty()) return ExitCode::usage;
  if (const auto why = begin_again(directory.value()); !why.empty()) {
    std::cerr << why << '\n';
    return ExitCode::usage;
  }
  const auto library = load_gpu_library();
  if (!library) {
    std::cerr << library.refusal().sentence << '\n';
    return ExitCode::failed;
  }
  const auto nodes = other_nodes(config.config, directory.value());
  ProgressLine progress;
  const auto report = train_and_report(config.config, *library.value(), directory.value(), stop,
                                       progress, {.resume = true});
  if (!report.error.empty()) std::cerr << report.error << '\n';
  print_reports({report}, options.from.output);
  return stop ? ExitCode::interrupted : static_cast<ExitCode>(report.exit);
}

}  // namespace

ExitCode command_run(const RunOptions& options) {
  const auto& stop = stop_on_signals();
  if (!options.resume.empty()) return resume_run(options, stop);
  auto from = options.from;
  if (options.seed) from.overrides.push_back("seed=" + std::to_string(*options.seed));
  auto config = config_or_mistakes(from, mistakes_of(options));
  if (!config) return ExitCode::usage;
  if (options.dry_run) return command_plan(from);
  const auto library = load_gpu_library();
  if (!library) {
    std::cerr << library.refusal().sentence << '\n';
    return ExitCode::failed;
  }
  ProgressLine progress;
  std::vector<RunReport> reports;
  auto exit = ExitCode::fine;
  for (std::uint32_t i = 0; i < options.repeat && !stop; ++i, ++config->seed) {
    const auto directory = RunDirectory::create(*config, out_of(options, config->seed));
    if (!directory) {  // it could be made a moment ago
      std::cerr << directory.refusal().sentence << '\n';
      exit = ExitCode::usage;
      break;
    }
    std::cerr << "seed " << config->seed << " in " << directory.value().path().string() << '\n';
    const auto nodes = other_nodes(*config, directory.value());
    reports.push_back(
        train_and_report(*config, *library.value(), directory.value(), stop, progress));
    if (!reports.back().error.empty()) std::cerr << reports.back().error << '\n';
    if (exit == ExitCode::fine) exit = static_cast<ExitCode>(reports.back().exit);
  }
  if (!reports.empty()) print_reports(reports, options.from.output);
  return stop ? ExitCode::interrupted : exit;
}

}  // namespace esper
