#include <iostream>
#include <limits>

#include "messages/json.hpp"
#include "runtime/commands.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/progress.hpp"
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

ExitCode command_run(const RunOptions& options) {
  const auto& stop = stop_on_signals();
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
  Progress progress;
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
    reports.push_back(
        train_and_report(*config, *library.value(), directory.value(), stop, progress));
    if (!reports.back().error.empty()) std::cerr << reports.back().error << '\n';
    if (exit == ExitCode::fine) exit = static_cast<ExitCode>(reports.back().exit);
  }
  if (!reports.empty()) print_reports(reports, options.from.output);
  return stop ? ExitCode::interrupted : exit;
}

}  // namespace esper
