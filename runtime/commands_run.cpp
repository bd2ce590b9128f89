#include <iostream>

#include "messages/json.hpp"
#include "runtime/commands.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/progress.hpp"
#include "runtime/training_run.hpp"

namespace esper {
namespace {

ConfigOptions with_seed(const RunOptions& options, std::uint32_t repetition) {
  auto from = options.from;
  if (options.seed) from.overrides.push_back("seed=" + std::to_string(*options.seed + repetition));
  return from;
}

/// A directory per seed; several seeds share the folder named by --out.
std::filesystem::path out_of(const RunOptions& options, std::uint64_t seed) {
  if (options.out.empty() || options.repeat == 1) return options.out;
  return options.out / ("seed-" + std::to_string(seed));
}

bool is_taken(const std::filesystem::path& out) {
  std::error_code error;
  return !out.empty() && std::filesystem::exists(out, error) &&
         (!std::filesystem::is_directory(out, error) || !std::filesystem::is_empty(out, error));
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
  auto config = config_or_mistakes(with_seed(options, 0));
  if (!config) return ExitCode::usage;
  if (is_taken(options.out)) {
    std::cerr << options.out.string() << " exists and isn't empty; name another directory\n";
    return ExitCode::usage;
  }
  if (options.dry_run) return command_plan(with_seed(options, 0));
  const auto library = load_gpu_library();
  if (!library) {
    std::cerr << library.refusal().sentence << '\n';
    return ExitCode::failed;
  }
  const auto& stop = stop_on_signals();
  const auto first_seed = config->seed;
  Progress progress;
  std::vector<RunReport> reports;
  int exit = number_of(ExitCode::fine);
  for (std::uint32_t i = 0; i < options.repeat && !stop; ++i) {
    config->seed = first_seed + i;
    const auto directory = RunDirectory::create(*config, out_of(options, config->seed));
    if (!directory) {
      std::cerr << directory.refusal().sentence << '\n';
      return ExitCode::usage;
    }
    std::cerr << "seed " << config->seed << " in " << directory.value().path().string() << '\n';
    reports.push_back(
        train_and_report(*config, *library.value(), directory.value(), stop, progress));
    if (!reports.back().error.empty()) std::cerr << reports.back().error << '\n';
    if (exit == number_of(ExitCode::fine)) exit = reports.back().exit;
  }
  print_reports(reports, options.from.output);
  return stop ? ExitCode::interrupted : static_cast<ExitCode>(exit);
}

}  // namespace esper
