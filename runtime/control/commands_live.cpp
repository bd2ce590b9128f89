// Commands that speak with a living run.
#include <iostream>
#include <thread>

#include <unistd.h>

#include "messages/json.hpp"
#include "runtime/commands.hpp"
#include "runtime/config.hpp"
#include "runtime/control/control_client.hpp"
#include "runtime/control/status_view.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/run_directory.hpp"
#include "runtime/told_run.hpp"
#include "runtime/whole_number.hpp"

namespace esper {
namespace {

constexpr std::chrono::milliseconds patience{10'000};

ExitCode exit_of(const ControlFault& fault) {
  const bool away =
      fault.problem == ControlProblem::unreachable || fault.problem == ControlProblem::timed_out;
  return away ? ExitCode::unreachable : ExitCode::usage;
}

Result<LiveStatus, ControlFault> ask_status(const RunDirectory& directory) {
  const auto answer = ask_run(directory.control_socket(), {{"command", "status"}}, patience);
  if (!answer) return answer.refusal();
  LiveStatus status;
  from_json(answer.value(), status);
  return status;
}

/// What the journal alone tells of a run that has ended, or was killed.
LiveStatus status_of(const ReadRun& run, const RunDirectory& directory) {
  LiveStatus status;
  const auto config = load_config(directory.config());
  status.name = config.config.name;
  status.seed = config.config.seed;
  status.mode = config.config.mode;
  status.pace = config.config.pace.mode;
  StatusAccount account;
  for (const auto& entry : run.entries) account.take(entry);
  status.run = account.status();
  return status;
}

void print(const LiveStatus& status, OutputFormat output) {
  if (output == OutputFormat::json)
    std::cout << to_json(status, Floats::plain).dump(2) << '\n';
  else
    print_status(std::cout, status);
}

/// The kind of override with its value, as the protocol has them.
Result<nlohmann::json, ControlFault> request_of(const OverrideOptions& options) {
  nlohmann::json request{{"command", "override"}, {"why", options.why}};
  request["wait_ms"] = options.wait_ms;
  if (options.from) request["from"] = *options.from;
  if (options.until) request["until"] = *options.until;
  if (!options.posture.empty()) {
    request["kind"] = "posture";
    request["posture"] = options.posture;
  } else if (!options.grant.empty()) {
    const auto equals = options.grant.find('=');
    const auto energy = equals == std::string::npos
                            ? std::nullopt
                            : whole_number(std::string_view{options.grant}.substr(equals + 1));
    if (!energy)
      return ControlFault{ControlProblem::malformed,
                          "--grant takes REGION=THOUSANDTHS, not " + options.grant};
    request["kind"] = "grant";
    request["region"] = options.grant.substr(0, equals);
    request["energy"] = *energy;
  } else {
    const bool freezes = !options.freeze.empty();
    request["kind"] = freezes ? "freeze" : "escape";
    request["region"] = freezes ? options.freeze : options.escape;
  }
  return request;
}

}  // namespace

ExitCode command_status(const StatusOptions& options) {
  const auto directory = RunDirectory::open(options.directory);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::usage;
  }
  if (directory.value().in_use()) {
    const auto live = ask_status(directory.value());
    if (live) {
      print(live.value(), options.output);
      return ExitCode::fine;
    }
    // It may have ended, or not have begun to listen, in this moment.
    if (directory.value().in_use()) {
      std::cerr << live.refusal().sentence << '\n';
      return exit_of(live.refusal());
    }
  }
  const auto run = told_run(options.directory);
  return guarded(run, [&] {
    print(status_of(run, directory.value()), options.output);
    return run.exit;
  });
}

ExitCode command_override(const OverrideOptions& options) {
  const auto directory = RunDirectory::open(options.directory);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::usage;
  }
  const auto request = request_of(options);
  const auto answer = request ? ask_run(directory.value().control_socket(), request.value(),
                                        std::chrono::milliseconds{options.wait_ms} + patience)
                              : request;
  if (!answer) {
    std::cerr << answer.refusal().sentence << '\n';
    return exit_of(answer.refusal());
  }
  if (options.output == OutputFormat::json) {
    std::cout << answer.value().dump(2) << '\n';
  } else {
    Override given;
    from_json(answer.value(), given);
    std::cout << "override " << given.id << " (" << name_of(given.kind)
              << ") stands in the journal, in the turn of window " << given.from.value
              << "; it ends after window " << given.until.value << '\n';
  }
  return ExitCode::fine;
}

ExitCode command_top(const TopOptions& options) {
  const auto directory = RunDirectory::open(options.directory);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::usage;
  }
  const auto& stop = stop_on_signals();
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  bool seen = false;
  while (!stop) {
    const auto live = ask_status(directory.value());
    if (!live) {
      if (seen && live.refusal().problem == ControlProblem::unreachable) break;  // it has ended
      std::cerr << live.refusal().sentence << '\n';
      return exit_of(live.refusal());
    }
    seen = true;
    if (terminal) std::cout << "\x1b[H\x1b[2J";
    print_status(std::cout, live.value());
    std::cout.flush();
    if (options.once) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{options.every_ms});
  }
  return stop ? ExitCode::interrupted : ExitCode::fine;
}

}  // namespace esper
