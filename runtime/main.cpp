// Arguments in, exit code out. What each command does stands in runtime/commands_*.cpp.
#include <cstdlib>
#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>

#include "messages/failpoint.hpp"
#include "messages/result.hpp"
#include "runtime/commands.hpp"
#include "sim/command.hpp"

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
    add_replay();
    add_trace();
    add_status();
    add_override();
    add_top();
    add_report();
    add_blueprints();
    add_certs();
    add_node();
    add_up();
    add_down();
    add_drain();
    add_sim();
    add_chaos();
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
    add_config(command, run_.from, false);
    add_overrides(command, run_.from);
    auto* resume = command.add_option("--resume", run_.resume,
                                      "Go on with the run in this directory, which was killed");
    command.add_option("--out", run_.out, "New or empty directory; else runs/NAME-N");
    command.add_option("--seed", run_.seed, "Instead of the config's seed")
        ->check([](const std::string& text) {  // CLI11 would take -1 for the largest
          return text.starts_with('-') ? text + " is below 0" : std::string{};
        });
    command.add_option("--repeat", run_.repeat, "Run with this many seeds: N, N+1, …")
        ->check(CLI::Range(1, 1'000));
    command.add_flag("--dry-run", run_.dry_run, "Check and print the plan; start nothing");
    for (const char* other : {"config", "--set", "--out", "--seed", "--repeat", "--dry-run"})
      resume->excludes(other);
    command.footer(
        "Example:\n  esper run configs/small.json --seed 7 --set training.epochs=2\n"
        "  esper run --resume runs/small-1");
    command.callback([this] {
      if (run_.resume.empty() && run_.from.config.empty()) throw CLI::RequiredError("config");
      chosen_ = [this] { return command_run(run_); };
    });
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

  void add_replay() {
    auto& command = *app_.add_subcommand("replay", "Make a run's decisions again and compare");
    command.add_option("directories", replay_.directories, "Directories of runs")->required();
    command.add_flag("--every-kind", replay_.every_kind,
                     "Fail when some kind of decision stands in none of them");
    add_output(command, replay_.output);
    command.footer("Example:\n  esper replay runs/small-1");
    command.callback([this] { chosen_ = [this] { return command_replay(replay_); }; });
  }

  void add_trace() {
    auto& command = *app_.add_subcommand("trace", "Where a decision came from and led to");
    command.add_option("directory", trace_.directory, "A run's directory")->required();
    command
        .add_option("id", trace_.id,
                    "command:REGION.EPOCH.NUMBER, reservation:REGION.NUMBER, surgery:CHECKPOINT "
                    "or entry:NUMBER")
        ->required();
    add_output(command, trace_.output);
    command.footer("Example:\n  esper trace runs/small-1 command:early.1.1");
    command.callback([this] { chosen_ = [this] { return command_trace(trace_); }; });
  }

  void add_status() {
    auto& command = *app_.add_subcommand("status", "How a run stands, living or ended");
    command.add_option("directory", status_.directory, "A run's directory")->required();
    add_output(command, status_.output);
    command.footer("Example:\n  esper status runs/small-1");
    command.callback([this] { chosen_ = [this] { return command_status(status_); }; });
  }

  void add_override() {
    auto& command = *app_.add_subcommand("override", "Tell a living run what to do");
    command.add_option("directory", override_.directory, "A living run's directory")->required();
    auto* kind = command.add_option_group("what", "One of these");
    kind->add_option("--posture", override_.posture, "Pin it: explore, exploit, crisis or hold");
    kind->add_option("--grant", override_.grant, "Pin a region's grant a cycle, in thousandths")
        ->type_name("REGION=ENERGY");
    kind->add_option("--freeze", override_.freeze, "Nothing is commanded in the region")
        ->type_name("REGION");
    kind->add_option("--escape", override_.escape, "Its seeds to alpha 0, once")
        ->type_name("REGION");
    kind->require_option(1);
    command.add_option("--from", override_.from, "Window whose turn takes it in; else the next");
    command.add_option("--until", override_.until, "Last window that it holds for");
    command.add_option("--why", override_.why, "The reason, for the journal")->required();
    command.add_option("--wait-ms", override_.wait_ms, "For the turn that takes it in")
        ->check(CLI::Range(1, 120'000));
    add_output(command, override_.output);
    command.footer(
        "Example:\n  esper override runs/small-1 --freeze early --until 40 --why \"a look at it\"");
    command.callback([this] { chosen_ = [this] { return command_override(override_); }; });
  }

  void add_top() {
    auto& command = *app_.add_subcommand("top", "Watch a living run");
    command.add_option("directory", top_.directory, "A living run's directory")->required();
    command.add_option("--every-ms", top_.every_ms, "Between two looks")
        ->check(CLI::Range(100, 60'000));
    command.add_flag("--once", top_.once, "One look, then end");
    command.footer("Example:\n  esper top runs/small-1");
    command.callback([this] { chosen_ = [this] { return command_top(top_); }; });
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

  void add_certs() {
    auto& command = *app_.add_subcommand("certs", "An authority and certificates for nodes");
    command
        .add_option("folder", certs_.folder, "Where they are written; the authority there is used")
        ->required();
    command.add_option("nodes", certs_.nodes, "A certificate for each")->required();
    command.add_option("--cluster", certs_.cluster, "The authority's name, for people");
    command.add_option("--days", certs_.days, "How long they are valid")
        ->check(CLI::Range(1, 3'650));
    add_output(command, certs_.output);
    command.footer("Example:\n  esper certs certificates a b c --cluster demo");
    command.callback([this] { chosen_ = [this] { return command_certs(certs_); }; });
  }

  void add_node() {
    auto& command = *app_.add_subcommand("node", "One node of a run, in the foreground");
    add_config(command, node_.from);
    command.add_option("--name", node_.name, "Which")->required();
    command.add_option("--out", node_.out, "Its directory; else runs/CONFIG-NAME");
    command.add_option("--certificates", node_.certificates,
                       "Their folder; else cluster.certificates");
    command.footer(
        "Example:\n  esper node configs/cluster.json --name b --certificates certificates");
    command.callback([this] { chosen_ = [this] { return command_node(node_); }; });
  }

  void add_up() {
    auto& command = *app_.add_subcommand("up", "Start a run's nodes of this machine");
    add_config(command, up_.from);
    add_overrides(command, up_.from);
    command.add_option("--out", up_.out, "New or empty directory; else runs/NAME-N");
    command.footer("Example:\n  esper up configs/cluster.json");
    command.callback([this] { chosen_ = [this] { return command_up(up_); }; });
  }

  void add_down() {
    auto& command = *app_.add_subcommand("down", "End what esper up started");
    command.add_option("directory", down_.directory, "The run's directory")->required();
    command.add_option("--wait-ms", down_.wait_ms, "Then they are killed")
        ->check(CLI::Range(1, 3'600'000));
    command.footer("Example:\n  esper down runs/cluster-1");
    command.callback([this] { chosen_ = [this] { return command_down(down_); }; });
  }

  void add_drain() {
    auto& command = *app_.add_subcommand("drain", "Move a node's Narsets to the others");
    command.add_option("directory", drain_.directory, "A living run's directory")->required();
    command.add_option("node", drain_.node, "Which")->required();
    command.footer("Example:\n  esper drain runs/cluster-1 b");
    command.callback([this] { chosen_ = [this] { return command_drain(drain_); }; });
  }

  void add_sim() {
    auto& command = *app_.add_subcommand("sim", "Faults on the real actors, in virtual time");
    auto* seed = command.add_option("--seed", sim_.seed, "Of everything that is drawn");
    auto* seeds = command.add_option("--seeds", sim_.seeds, "Many seeds and their coverage");
    seeds->type_name("A..B")->excludes(seed);
    auto* rehearsal =
        command.add_option("--rehearsal", sim_.rehearsal, "A scripted run instead: a JSON file");
    rehearsal->type_name("FILE")->excludes(seed)->excludes(seeds);
    command.add_option("--jobs", sim_.jobs, "Seeds at once; else as many as there are cores")
        ->check(CLI::Range(1, 1'024));
    command.add_flag("--twice", sim_.twice, "Run it again and compare the traces");
    command.add_flag("--trace", sim_.trace, "Print every message, fault and turn");
    command.add_flag("--hashes", sim_.hashes, "With --seeds: print the hash of each trace")
        ->needs(seeds);
    command
        .add_flag("--covered", sim_.covered,
                  "With --seeds: fail where a row of the coverage stays empty")
        ->needs(seeds);
    command.add_flag("!--no-shrink", sim_.shrink, "Leave a failing seed as it is");
    auto* cluster = command.add_flag("--cluster", sim_.cluster,
                                     "Several nodes, and the rules that decide between them");
    cluster->excludes(rehearsal);
    command
        .add_option("--faults", sim_.faults,
                    "With --cluster: of the seed's faults only these, counted from 1; 0: none")
        ->needs(cluster)
        ->excludes(seeds)
        ->delimiter(',')
        ->type_name("N,...");
    command.footer(
        "Example:\n  esper sim --seed 7 --twice\n  esper sim --seeds 1..100\n"
        "  esper sim --cluster --seeds 1..100");
    command.callback([this] { chosen_ = [this] { return command_sim(sim_); }; });
  }

  void add_chaos() {
    auto& command = *app_.add_subcommand("chaos", "Faults on a living run, and a verdict");
    command.add_option("directory", chaos_.directory, "A living run's directory")->required();
    command.add_option("rehearsal", chaos_.rehearsal, "What is injected: a JSON file")->required();
    command
        .add_option("--duration-ms", chaos_.duration_ms,
                    "Then all heals; else a little after the last fault")
        ->check(CLI::Range(1, 86'400'000));
    command.add_option("--blast", chaos_.blast, "At most so many roles and faults at once")
        ->check(CLI::Range(1, 10'000));
    command
        .add_option("--recovery-ms", chaos_.recovery_ms,
                    "To be well again in; else what the config's backoffs need")
        ->check(CLI::Range(1, 86'400'000));
    command.add_flag("--skip-impossible", chaos_.skip_impossible,
                     "Leave out, and name, what cannot befall this run");
    add_output(command, chaos_.output);
    command.footer("Example:\n  esper chaos runs/small-1 configs/rehearsals/tamiyo_loss.json");
    command.callback([this] { chosen_ = [this] { return command_chaos(chaos_); }; });
  }

  CLI::App app_{"Grows a neural network while it trains, within an audited budget.", "esper"};
  RunOptions run_;
  ConfigOptions config_;
  EventOptions events_;
  ReplayOptions replay_;
  TraceOptions trace_;
  StatusOptions status_;
  OverrideOptions override_;
  TopOptions top_;
  BlueprintOptions blueprints_;
  CertsOptions certs_;
  NodeOptions node_;
  UpOptions up_;
  DownOptions down_;
  DrainOptions drain_;
  SimOptions sim_;
  ChaosOptions chaos_;
  bool schema_{}, keys_{};
  std::function<ExitCode()> chosen_;
};

}  // namespace
}  // namespace esper

int main(int count, char** arguments) {
  using esper::ExitCode;
  if (const char* failpoint = std::getenv(esper::failpoint_variable); failpoint != nullptr)
    if (const auto problem = esper::arm_failpoint(failpoint); !problem.empty()) {
      std::cerr << problem << '\n';
      return number_of(ExitCode::usage);
    }
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
