// `esper chaos`: a rehearsal on a living run, from its owner's terminal.
#include <iostream>
#include <set>
#include <thread>

#include "messages/json.hpp"
#include "runtime/control/control_client.hpp"
#include "runtime/control/live_run.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/listed.hpp"
#include "runtime/read_run.hpp"
#include "runtime/run_directory.hpp"
#include "sim/chaos_verdict.hpp"
#include "sim/command.hpp"
#include "sim/rehearsal.hpp"

namespace esper {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds patience{10'000}, look_every{200};
/// Windows that close with everybody there, after all has healed.
constexpr std::uint64_t windows_well = 2;
/// For what is slower than any backoff: a window of a large model.
constexpr std::uint64_t recovery_slack_ms = 30'000;
/// A step of a large model on a busy machine, on top of the longest wait for a turn.
constexpr std::uint64_t step_ms_max = 60'000;

struct ToldVerdict {
  std::string rehearsal;
  std::uint64_t windows{};  ///< whose turns were checked
  std::vector<FaultStanding> faults;
  std::vector<SkippedFault> skipped;
  std::vector<sim::Violation> violations;
  std::vector<std::string> unseen;  ///< rows of `expect` that the journal does not show
  std::vector<std::string> notes;
  int exit{};

  static constexpr auto schema =
      record("ChaosVerdict", field("rehearsal", &ToldVerdict::rehearsal),
             field("windows", &ToldVerdict::windows), field("faults", &ToldVerdict::faults),
             field("skipped", &ToldVerdict::skipped), field("violations", &ToldVerdict::violations),
             field("unseen", &ToldVerdict::unseen), field("notes", &ToldVerdict::notes),
             field("exit", &ToldVerdict::exit));
};

ExitCode exit_of(const ControlFault& fault) {
  const bool away =
      fault.problem == ControlProblem::unreachable || fault.problem == ControlProblem::timed_out;
  return away ? ExitCode::unreachable : ExitCode::usage;
}

nlohmann::json request_of(const sim::Rehearsal& rehearsal, const ChaosOptions& options) {
  return {{"command", "chaos"},
          {"rehearsal", rehearsal.name},
          {"faults", to_json(rehearsal.faults, Floats::plain)},
          {"duration_ms", options.duration_ms},
          {"blast", options.blast},
          {"skip_impossible", options.skip_impossible}};
}

/// One rehearsal, from the request to the verdict.
class LiveRehearsal {
 public:
  LiveRehearsal(const ChaosOptions& options, const sim::Rehearsal& rehearsal,
                const RunDirectory& directory, RunConfig config)
      : options_(options),
        rehearsal_(rehearsal),
        directory_(directory),
        config_(std::move(config)),
        stop_(stop_on_signals()) {}

  ExitCode run() {
    const auto before = status();
    const auto begun = ask(request_of(rehearsal_, options_));
    if (!before || !begun) {
      const auto& fault = before ? begun.refusal() : before.refusal();
      std::cerr << fault.sentence << '\n';
      return exit_of(fault);
    }
    take_account(begun.value());
    from_ = before.value().run.window;
    for (const auto& [fault, reason] : account_.skipped)
      std::cerr << "left out: " << told(fault) << ": " << reason << '\n';
    watch_faults();
    if (account_.ended.empty()) cut_short_ = true;
    if (!cut_short_) watch_recovery();
    return conclude();
  }

 private:
  Result<nlohmann::json, ControlFault> ask(const nlohmann::json& request) const {
    return ask_run(directory_.control_socket(), request, patience);
  }

  Result<LiveStatus, ControlFault> status() const {
    const auto answer = ask({{"command", "status"}});
    if (!answer) return answer.refusal();
    LiveStatus status;
    from_json(answer.value(), status);
    return status;
  }

  void take_account(const nlohmann::json& told_now) {
    from_json(told_now, account_);
    for (const auto& standing : account_.faults)
      if (standing.struck_ms > 0 && struck_.insert(standing.number).second)
        std::cerr << "at " << standing.struck_ms << " ms: " << told(standing.fault) << '\n';
  }

  /// Until all has healed, or the run is not there any more.
  void watch_faults() {
    bool asked = false;
    while (account_.ended.empty()) {
      std::this_thread::sleep_for(look_every);
      if (stop_ && !std::exchange(asked, true)) (void)ask({{"command", "heal"}});
      const auto told_now = ask({{"command", "chaos_status"}});
      if (!told_now) return lost(told_now.refusal());
      take_account(told_now.value());
      if (!look()) return;
    }
    std::cerr << "all has healed: " << account_.ended << '\n';
  }

  /// One look at how the run stands: breakers, and whether training goes on. False: it is gone.
  bool look() {
    const auto now = status();
    if (!now) {
      lost(now.refusal());
      return false;
    }
    now_ = now.value();
    std::set<std::string> open(now_.breakers.begin(), now_.breakers.end());
    for (const auto& breaker : open)
      if (!open_.contains(breaker)) opened_.insert(breaker);
    open_ = std::move(open);
    const auto clock = std::chrono::steady_clock::now();
    if (now_.step != step_ || now_.arm != arm_ || now_.arm.empty()) {
      step_ = now_.step;
      arm_ = now_.arm;
      moved_ = clock;
    }
    const milliseconds longest{config_.pace.stall_ms_max + step_ms_max};
    if (clock - moved_ > longest && !std::exchange(stood_still_, true))
      broke("TRAIN-1", "training stands still at step " + std::to_string(step_.value));
    return true;
  }

  void lost(const ControlFault& fault) {
    cut_short_ = true;
    if (directory_.in_use() || std::filesystem::exists(directory_.report()))
      verdict_.notes.push_back(fault.sentence);
    else
      broke("TRAIN-1", "the process of the run died (" + fault.sentence + ")");
  }

  void broke(std::string invariant, std::string what) {
    verdict_.violations.push_back({std::move(invariant), account_.elapsed_ms, std::move(what)});
  }

  /// Everybody takes part again, and no breaker is open.
  [[nodiscard]] std::string unwell(Window healed) const {
    std::vector<std::string> what = now_.breakers;
    for (auto& name : what) name = "the breaker " + name + " is open";
    for (const auto& region : now_.run.regions)
      if (!region.absent.empty()) what.push_back(region.region + " is absent: " + region.absent);
    if (now_.run.window < Window{healed.value + windows_well})
      what.push_back("the journal stands at window " + std::to_string(now_.run.window.value));
    return listed(what);
  }

  [[nodiscard]] milliseconds recovery() const {
    const auto& control = config_.control;
    if (options_.recovery_ms > 0) return milliseconds{options_.recovery_ms};
    return milliseconds{std::uint64_t{control.period_ms} +
                        2 * std::uint64_t{control.backoff_ms_max} + recovery_slack_ms};
  }

  void watch_recovery() {
    const auto deadline = std::chrono::steady_clock::now() + recovery();
    if (!look()) return;
    const Window healed = now_.run.window;
    while (!stop_) {
      if (adapted()) {
        verdict_.notes.emplace_back(
            "the part of the run that adapts ended before it was seen to be well again");
        return;
      }
      const auto what = unwell(healed);
      if (what.empty()) return;
      if (std::chrono::steady_clock::now() > deadline)
        return broke("LIVENESS",
                     std::to_string(recovery().count()) + " ms after all had healed: " + what);
      std::this_thread::sleep_for(look_every);
      if (!look()) return;
    }
  }

  ExitCode conclude() {
    verdict_.rehearsal = rehearsal_.name;
    verdict_.faults = account_.faults;
    verdict_.skipped = account_.skipped;
    const auto run = read_run(directory_.path());
    for (const auto& trouble : run.troubles) broke("AUDIT-1", trouble);
    auto judged = sim::judged(run.entries, config_, from_);
    verdict_.windows = judged.turns;
    verdict_.violations.insert(verdict_.violations.end(), judged.violations.begin(),
                               judged.violations.end());
    for (const auto& breaker : opened_) judged.coverage.count("breaker/" + breaker);
    for (const auto& row : rehearsal_.expect)
      if (judged.coverage.rows().at(row) == 0) verdict_.unseen.push_back(row);
    const auto exit = exit_now();
    verdict_.exit = number_of(exit);
    if (options_.output == OutputFormat::json)
      std::cout << to_json(verdict_, Floats::plain).dump(2) << '\n';
    else
      print();
    return exit;
  }

  /// Baselines are trained already: no controller is there any more.
  [[nodiscard]] bool adapted() const { return !now_.arm.empty() && now_.arm != "grown"; }

  [[nodiscard]] std::uint64_t missed() const {
    std::uint64_t count = 0;
    for (const auto& standing : verdict_.faults) count += standing.struck_ms == 0 ? 1 : 0;
    return count;
  }

  [[nodiscard]] ExitCode exit_now() const {
    if (!verdict_.violations.empty()) return ExitCode::invariant;
    if (stop_) return ExitCode::interrupted;
    if (missed() > 0) return cut_short_ || adapted() ? ExitCode::unreachable : ExitCode::failed;
    return account_.ended.empty() ? ExitCode::unreachable : ExitCode::fine;
  }

  void print() const {
    for (const auto& standing : verdict_.faults)
      if (standing.struck_ms == 0)
        std::cout << "never struck: " << told(standing.fault)
                  << (standing.note.empty() ? "" : ": " + standing.note) << '\n';
    for (const auto& row : verdict_.unseen)
      std::cout << "not seen: " << row << " (a simulation would fail for it)\n";
    for (const auto& note : verdict_.notes) std::cout << note << '\n';
    for (const auto& violation : verdict_.violations)
      std::cout << violation.invariant << ": " << violation.what << '\n';
    std::cout << rehearsal_.name << ": "
              << (verdict_.violations.empty() ? "every promise held" : "A PROMISE BROKE") << "; "
              << verdict_.faults.size() - missed() << " of " << verdict_.faults.size()
              << " faults struck, " << verdict_.skipped.size() << " were left out, "
              << verdict_.windows << " turns checked\n";
  }

  const ChaosOptions& options_;
  const sim::Rehearsal& rehearsal_;
  const RunDirectory& directory_;
  RunConfig config_;
  const std::atomic<bool>& stop_;
  ChaosAccount account_;
  std::set<std::uint64_t> struck_;       ///< numbers that were told
  std::set<std::string> open_, opened_;  ///< breakers: now; at any time
  LiveStatus now_;
  Window from_;
  Step step_;
  std::string arm_;
  std::chrono::steady_clock::time_point moved_{std::chrono::steady_clock::now()};
  bool stood_still_{}, cut_short_{};
  ToldVerdict verdict_;
};

}  // namespace

ExitCode command_chaos(const ChaosOptions& options) {
  const auto read = sim::load_rehearsal(options.rehearsal);
  for (const auto& mistake : read.mistakes) std::cerr << sentence_of(mistake) << '\n';
  if (!read.mistakes.empty()) return ExitCode::usage;
  const auto directory = RunDirectory::open(options.directory);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::unreachable;
  }
  const auto config = load_config(directory.value().config());
  for (const auto& mistake : config.mistakes) std::cerr << sentence_of(mistake) << '\n';
  if (!config.mistakes.empty()) return ExitCode::usage;
  return LiveRehearsal(options, read.rehearsal, directory.value(), config.config).run();
}

}  // namespace esper
