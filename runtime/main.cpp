// Arguments in, exit code out. What each command does stands in runtime/commands_*.cpp.
#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>

#include "messages/result.hpp"
#include "runtime/commands.hpp"

namespace esper {
namespace {

void add_output(CLI::App& command, OutputFormat& output) {
  command
      .add_option_function<std::string>(
          "-o,--output",
          [&output](const std::string& name) { output = *enum_from<OutputFormat>(name); },
          "How data is printed")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
}

void add_config(CLI::App& command, ConfigOptions& options, bool needed = true) {
  auto* config = command.add_option("config", options.config, "Config file");
  if (needed) config->required();
  add_output(command, options.output);
}

void add_overrides(CLI::App& command, ConfigOptions& options) {
  command.add_option("--set", options.overrides, "Override one key: --set training.epochs=2")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

/// The command line with what its options fill.
class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(0, 1);  // none: said below; required, it would hide a mistyped name
    app_.set_version_flag("--version", [] { return version_text(); });
    app_.footer("Example:\n  esper run configs/small.json");
    add_run();
    add_validate();
    add_plan();
    add_ledger();
    add_events();
    add_report();
    add_blueprints();
  }

  int run(int count, char** arguments) {
    try {
      app_.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);  // prints; 0 for --help and --version
      return code == 0 ? 0 : number_of(ExitCode::usage);
    }
    if (!chosen_) {
      std::cerr << "a subcommand is required\n" << app_.help();
      return number_of(ExitCode::usage);
    }
    return number_of(chosen_());
  }

 private:
  void add_run() {
    auto& command = *app_.add_subcommand("run", "Train, grow and report");
    add_config(command, run_.from);
    add_overrides(command, run_.from);
    command.add_option("--out", run_.out, "New or empty directory; else runs/NAME-N");
    command.add_option("--seed", run_.seed, "Instead of the config's seed")
        ->check([](const std::string& text) {  // CLI11 would take -1 for the largest
          return text.starts_with('-') ? text + " is below 0" : std::string{};
        });
    command.add_option("--repeat", run_.repeat, "Run with this many seeds: N, N+1, …")
        ->check(CLI::Range(1, 1'000));
    command.add_flag("--dry-run", run_.dry_run, "Check and print the plan; start nothing");
    command.footer("Example:\n  esper run configs/small.json --seed 7 --set training.epochs=2");
    command.callback([this] { chosen_ = [this] { return command_run(run_); }; });
  }

  void add_validate() {
    auto& command = *app_.add_subcommand("validate", "Find every mistake of a config");
    add_config(command, config_, false);
    add_overrides(command, config_);
    auto* schema =
        command.add_flag("--schema", schema_, "Print the JSON Schema of configs instead");
    command.add_flag("--keys", keys_, "Print every key with type, default and range instead")
        ->excludes(schema);
    command.footer("Example:\n  esper validate configs/small.json -o json");
    command.callback([this] {
      if (!schema_ && !keys_ && config_.config.empty()) throw CLI::RequiredError("config");
      chosen_ = [this] {
        if (schema_) return command_schema();
        return keys_ ? command_keys() : command_validate(config_);
      };
    });
  }

  void add_plan() {
    auto& command = *app_.add_subcommand("plan", "What a run would start, and its budget");
    add_config(command, config_);
    add_overrides(command, config_);
    command.footer("Example:\n  esper plan configs/fashion.json");
    command.callback([this] { chosen_ = [this] { return command_plan(config_); }; });
  }

  void add_ledger() {
    auto& command = *app_.add_subcommand("ledger", "Energy per cycle and region of a run");
    command.add_option("directory", events_.directory, "A run's directory")->required();
    add_output(command, events_.output);
    command.footer("Example:\n  esper ledger runs/small-1");
    command.callback(
        [this] { chosen_ = [this] { return command_ledger(events_.directory, events_.output); }; });
  }

  void add_events() {
    auto& command = *app_.add_subcommand("events", "The journal of a run, one entry a line");
    command.add_option("directory", events_.directory, "A run's directory")->required();
    command.add_option("--kind", events_.kinds, "Only this kind, such as Outcome; repeatable")
        ->allow_extra_args(false);
    command.add_option("--region", events_.region, "Only this region, by name or number");
    command.add_option("--window", events_.window, "Only this window, or a span such as 3-9");
    add_output(command, events_.output);
    command.footer("Example:\n  esper events runs/small-1 --kind GateVerdict --region early");
    command.callback([this] { chosen_ = [this] { return command_events(events_); }; });
  }

  void add_report() {
    auto& command = *app_.add_subcommand("report", "Make a run's report.html again");
    command.add_option("directory", events_.directory, "A run's directory")->required();
    add_output(command, events_.output);
    command.footer("Example:\n  esper report runs/small-1");
    command.callback(
        [this] { chosen_ = [this] { return command_report(events_.directory, events_.output); }; });
  }

  void add_blueprints() {
    auto& command = *app_.add_subcommand("blueprints", "The catalogue, priced in a host's slots");
    command.add_option("--host", blueprints_.host, "The host model");
    command.add_option("--size", blueprints_.size, "The host's size");
    add_output(command, blueprints_.output);
    command.footer("Example:\n  esper blueprints --size base");
    command.callback([this] { chosen_ = [this] { return command_blueprints(blueprints_); }; });
  }

  CLI::App app_{"Grows a neural network while it trains, within an audited budget.", "esper"};
  RunOptions run_;
  ConfigOptions config_;
  EventOptions events_;
  BlueprintOptions blueprints_;
  bool schema_{}, keys_{};
  std::function<ExitCode()> chosen_;
};

}  // namespace
}  // namespace esper

int main(int count, char** arguments) {
  using esper::ExitCode;
  try {
    return esper::CommandLine{}.run(count, arguments);
  } catch (const esper::InvariantViolation& error) {
    std::cerr << "a promise broke: " << error.what() << '\n';
    return number_of(ExitCode::invariant);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return number_of(ExitCode::failed);
  }
}
