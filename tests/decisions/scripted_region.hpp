#pragma once
// A region that does as it is told, one window late, and a bank that checks every movement: the
// smallest world in which tactics can be run. No tensor, no thread.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "actors/decisions/alpha_ramp.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "tests/decisions/scripted_world.hpp"

namespace esper {

/// One seed as the executor has it.
struct ScriptedSeed {
  SeedId seed;
  SlotId slot;
  std::string blueprint;
  Stage stage{};
  AlphaRamp ramp;
  std::uint64_t updates{};
  Mitigations mitigations;
};

class ScriptedRegion {
 public:
  explicit ScriptedRegion(TacticsSettings chosen = scripted_settings())
      : settings(std::move(chosen)) {}

  TacticsSettings settings;
  std::int64_t lease_energy{500};       ///< granted each cycle
  std::uint32_t cycles_granted{1'000};  ///< then no lease is renewed
  bool executes{true};                  ///< false: commands vanish
  std::uint32_t late{};                 ///< windows by which this turn's commands are late
  bool approves{};                      ///< every proposal, in full
  std::int64_t safety{};                ///< thousandths that answer top-ups
  std::int64_t pool{};                  ///< thousandths that pay for scaffolds
  double loss{1};                       ///< of the gate split without any seed, nats
  bool checkpoints{};                   ///< every sixth window is one
  /// Loss the seed saves at full alpha, nats; negative harms.
  std::function<double(const ScriptedSeed&)> gain = [](const ScriptedSeed&) { return 0.05; };
  /// Alters telemetry before it is told.
  std::function<void(RegionTelemetry&)> spoil = [](RegionTelemetry&) {};
  /// Says why a command is refused.
  std::function<CommandRefusal(const AdaptationCommand&)> refuse = [](const AdaptationCommand&) {
    return CommandRefusal::none;
  };

  /// What a real strategist answered to the last turn; empty: the bank below answers.
  std::optional<Answers> strategist;

  std::vector<ScriptedSeed> seeds;
  std::vector<RegionTurn> turns;
  std::vector<RegionPart> parts;
  std::vector<std::string> wrongs;  ///< what no tactics may do; must stay empty
  std::int64_t spent{};
  std::map<std::uint64_t, std::int64_t> reserved;

  /// Closes the next window: steps, then the commands of the turn before, then gate passes.
  RegionTurn next() {
    RegionTurn turn;
    turn.window = {turns.size() + 1};
    RegionTelemetry& seen = turn.telemetry;
    seen.window = turn.window;
    seen.steps_covered = settings.time.window_steps;
    seen.loss_mean = 1;
    seen.loss_sigma = 0.1;
    seen.diversity = seen.signal_rms = seen.signal_gradient = 1;
    seen.gradient_norm_median = 1;
    seen.gradient_norm_max = 2;
    seen.learning_rate_ratio = 1;
    for (ScriptedSeed& seed : seeds) {
      for (std::uint32_t step = 0; step < settings.time.window_steps; ++step) take_step(seed.ramp);
      seed.updates += settings.time.window_steps / 2;
    }
    while (!due_.empty() && due_.front().boundary <= turn.window) {
      for (const AdaptationCommand& command : due_.front().commands)
        turn.outcomes.push_back(carry_out(command, turn.window));
      due_.erase(due_.begin());
    }
    for (const ScriptedSeed& seed : seeds)
      if (on_graph(seed.stage) || seed.stage == Stage::train_isolated ||
          seed.stage == Stage::sunset)
        seen.seeds.push_back(telemetry_of(seed));
    if (checkpoints && turn.window.value % 6 == 0)
      turn.checkpoint = CheckpointReady{turn.window.value / 6, turn.window, 0, loss, 0, false};
    spoil(seen);
    turn.answers = answer(turn.window);
    turns.push_back(turn);
    return turn;
  }

  /// Books and releases what tactics decided.
  void take(const RegionPart& part) {
    parts.push_back(part);
    for (const Movement& movement : part.report.movements) book(movement);
    if (part.report.held.thousandths > lease_) wrong("holds more than its lease");
    for (const AdaptationCommand& command : part.commands) check(command);
    const Window after_last = due_.empty() ? Window{} : due_.back().boundary;  // turns keep order
    if (executes)
      due_.push_back({std::max(after_last, Window{turns.size() + 1 + late}), part.commands});
    proposals_ = part.proposals;
    requests_ = part.scaffold_requests;
  }

  /// A turn without a decision: nothing is released, nothing is proposed.
  void take_absence() {
    proposals_.clear();
    requests_.clear();
  }

  /// Runs `windows` turns with `tactics` deciding.
  void run(Tactics& tactics, std::uint32_t windows, Epoch epoch = {1}) {
    for (std::uint32_t i = 0; i < windows; ++i) take(decide(tactics, next(), epoch));
  }

  [[nodiscard]] std::vector<SeedStatus> read_back() const {
    std::vector<SeedStatus> statuses;
    for (const ScriptedSeed& seed : seeds)
      statuses.push_back({seed.seed,
                          {0},
                          seed.slot,
                          seed.blueprint,
                          seed.stage,
                          seed.ramp.alpha,
                          seed.ramp.stages_begun,
                          200,
                          seed.mitigations});
    return statuses;
  }

  /// Commands under way are those of a dead incarnation: each is refused at its boundary.
  void fence(Epoch epoch) { fenced_ = epoch; }

  /// Emergency energy of the region's that was neither drawn nor given back.
  [[nodiscard]] std::int64_t escrow() const { return escrow_; }
  [[nodiscard]] std::int64_t granted() const { return granted_; }
  [[nodiscard]] std::int64_t drawn() const { return drawn_; }
  [[nodiscard]] std::int64_t returned() const { return returned_; }
  /// Told with the next turn's answers.
  std::optional<Counsel> counsel;
  bool reclaims{};

  [[nodiscard]] std::size_t count(CommandKind kind) const {
    std::size_t count = 0;
    for (const RegionPart& part : parts)
      for (const AdaptationCommand& command : part.commands) count += command.kind == kind;
    return count;
  }
  [[nodiscard]] std::vector<GateVerdict> verdicts(const std::string& gate) const {
    std::vector<GateVerdict> found;
    for (const RegionPart& part : parts)
      for (const GateVerdict& verdict : part.gates)
        if (verdict.gate == gate) found.push_back(verdict);
    return found;
  }

 private:
  void wrong(const std::string& what) {
    wrongs.push_back(std::to_string(turns.size()) + ": " + what);
  }

  ScriptedSeed* find(SeedId seed) {
    for (ScriptedSeed& one : seeds)
      if (one.seed == seed) return &one;
    return nullptr;
  }

  void check(const AdaptationCommand& command) {
    if (command.id.sequence <= sequence_ && command.id.epoch <= epoch_) wrong("command id reused");
    if (command.id.epoch > epoch_) under_way_.clear();  // what the dead had commanded is fenced
    epoch_ = command.id.epoch;
    sequence_ = command.id.sequence;
    if (Window{turns.size() + 1} > until_) wrong("command past its authority");
    if (command.reservation && !reserved.contains(*command.reservation)) wrong("unpaid command");
    if (command.kind == CommandKind::escape) return;
    if (executes && !under_way_.insert(command.seed).second)
      wrong("two commands under way for one seed");
    const ScriptedSeed* seed = find(command.seed);
    if (command.kind == CommandKind::germinate) {
      if (command.slot.value > 1) wrong("another region's slot");
      for (const ScriptedSeed& other : seeds)
        if (other.slot == command.slot && other.stage != Stage::dormant)
          wrong("two seeds in one slot");
    } else if (executes && (seed == nullptr || !after(seed->stage, command.kind))) {
      wrong("illegal " + std::string{name_of(command.kind)});
    }
  }

  Outcome carry_out(const AdaptationCommand& command, Window window) {
    Outcome outcome;
    outcome.command = command.id;
    outcome.kind = command.kind;
    outcome.slot = command.slot;
    outcome.seed = command.seed;
    outcome.reservation = command.reservation;
    outcome.step = {window.value * settings.time.window_steps};
    under_way_.erase(command.seed);
    outcome.refusal = command.id.epoch < fenced_         ? CommandRefusal::old_epoch
                      : window > command.authority_until ? CommandRefusal::lease_expired
                                                         : refuse(command);
    if (outcome.refusal != CommandRefusal::none) return outcome;
    if (command.kind == CommandKind::escape) {
      for (ScriptedSeed& seed : seeds) escape(seed.ramp);
      return outcome;
    }
    if (command.kind == CommandKind::fold) outcome.output_change = 1e-7;
    if (command.kind == CommandKind::germinate) {
      std::erase_if(seeds, [&](const ScriptedSeed& seed) { return seed.slot == command.slot; });
      seeds.push_back({command.seed,
                       command.slot,
                       command.blueprint,
                       Stage::dormant,
                       {},
                       0,
                       command.mitigations});
    }
    ScriptedSeed* const found = find(command.seed);
    if (found == nullptr) {
      outcome.refusal = CommandRefusal::unknown_seed;
      return outcome;
    }
    ScriptedSeed& seed = *found;
    const auto stage = after(seed.stage, command.kind);
    if (!stage || (command.kind == CommandKind::sunset && seed.ramp.alpha > 0)) {
      outcome.refusal = CommandRefusal::illegal_stage;
      return outcome;
    }
    seed.stage = stage.value();
    if (command.kind == CommandKind::graft)
      seed.ramp = alpha_ramp(command.mitigations.alpha_stages, settings.time.window_steps);
    if (command.kind == CommandKind::graft || command.kind == CommandKind::advance)
      advance(seed.ramp);
    if (command.kind == CommandKind::hold) hold(seed.ramp);
    if (command.kind == CommandKind::wean) {
      descend(seed.ramp);
      seed.mitigations = command.mitigations;
    }
    if (command.kind == CommandKind::fold) {
      // What it gave, the host now gives without it.
      loss -= seed.ramp.alpha * gain(seed);
      escape(seed.ramp);
    }
    outcome.stage = seed.stage;
    outcome.alpha = seed.ramp.alpha;
    outcome.enforced = seed.mitigations;
    outcome.parameters = 200;
    return outcome;
  }

  [[nodiscard]] SeedTelemetry telemetry_of(const ScriptedSeed& seed) const {
    SeedTelemetry seen;
    seen.seed = seed.seed;
    seen.slot = seed.slot;
    seen.stage = seed.stage;
    seen.alpha = seed.ramp.alpha;
    seen.updates = seed.updates;
    seen.relative_norm = 0.5;
    seen.gradient_norm = 1;
    seen.gate.measured =
        seed.updates >= settings.gates.updates_min || seed.stage != Stage::train_isolated;
    const double alpha = seed.stage == Stage::train_isolated ? 1 : seed.ramp.alpha;
    seen.gate.loss_without = loss;
    seen.gate.loss_with = seen.gate.loss_joint = loss - alpha * gain(seed);
    seen.gate.finite = true;
    seen.gate.samples = 1'024;
    return seen;
  }

  /// The bank's turn before this one: what it answers was decided from the report before.
  Answers answer(Window window) {
    if (strategist) return mirror(*strategist, window);
    Answers answers;
    const std::uint64_t length = settings.time.cycle_windows;
    if ((window.value - 1) % length == 0 && (window.value - 1) / length < cycles_granted) {
      lease_ = lease_energy;
      until_ = window + length + 1;
      answers.allocation = Allocation{{0}, {(window.value - 1) / length + 1}, {lease_}, until_};
    }
    if (window > until_) lease_ = 0;
    for (const OpportunityProposal& proposal : proposals_) {
      Verdict verdict;
      verdict.proposal = proposal.id;
      verdict.kind = approves ? VerdictKind::approved : VerdictKind::denied;
      verdict.until = proposal.valid_until;
      verdict.conditions = proposal.mitigations;
      if (approves) {
        verdict.amount = proposal.ask;
        lease_ += proposal.ask.thousandths;
      }
      answers.verdicts.push_back(verdict);
    }
    for (const Movement& movement : top_ups_) {
      const std::int64_t given =
          movement.energy.thousandths <= safety ? movement.energy.thousandths : 0;
      safety -= given;
      reserved[movement.reservation] += given;
      answers.top_ups.push_back({{0}, movement.reservation, {given}});
    }
    top_ups_.clear();
    grant(answers, window);
    return answers;
  }

  /// The pool pays while it can; nothing of an earlier grant may still be out.
  void grant(Answers& answers, Window window) {
    if (std::exchange(reclaims, false)) {
      pool += std::exchange(escrow_, 0);
      answers.emergency_reclaimed = true;
    }
    for (const ScaffoldRequest& request : requests_) {
      ScaffoldVerdict verdict{{0}, request.blueprint, request.slot, {}, {}, window + 4};
      verdict.answer =
          request.ask.thousandths > pool ? ScaffoldAnswer::pool_empty : ScaffoldAnswer::granted;
      if (verdict.answer == ScaffoldAnswer::granted) {
        if (escrow_ > 0) wrong("asks while its last scaffold is not paid off");
        verdict.amount = request.ask;
        pool -= request.ask.thousandths;
        escrow_ += request.ask.thousandths;
        granted_ += request.ask.thousandths;
      }
      answers.scaffolds.push_back(verdict);
    }
    requests_.clear();
    answers.counsel = std::exchange(counsel, std::nullopt);
  }

  Answers mirror(const Answers& answers, Window window) {
    if (window > until_) lease_ = 0;
    if (answers.allocation) {
      lease_ = answers.allocation->energy.thousandths;
      until_ = answers.allocation->until;
    }
    for (const Verdict& verdict : answers.verdicts) lease_ += verdict.amount.thousandths;
    for (const TopUp& top_up : answers.top_ups)
      reserved[top_up.reservation] += top_up.energy.thousandths;
    for (const std::uint64_t expired : answers.expired) reserved.erase(expired);
    if (answers.emergency_reclaimed) escrow_ = 0;
    for (const ScaffoldVerdict& verdict : answers.scaffolds) {
      escrow_ += verdict.amount.thousandths;
      granted_ += verdict.amount.thousandths;
    }
    return answers;
  }

  void book(const Movement& movement) {
    const std::int64_t energy = movement.energy.thousandths;
    if (energy < 0) wrong("negative energy");
    if (movement.kind == MovementKind::draw || movement.kind == MovementKind::give_back) {
      if (energy > escrow_) wrong("moved more emergency energy than was granted");
      if (!emergency_commands_.insert(movement.command).second) wrong("a command id charged twice");
      if (movement.kind == MovementKind::give_back && energy != escrow_)
        wrong("kept some of what it gave back");
      escrow_ -= energy;
      (movement.kind == MovementKind::draw ? drawn_ : returned_) += energy;
      return;
    }
    if (movement.kind == MovementKind::reserve) {
      if (movement.reservation <= last_reservation_) wrong("reservation number reused");
      last_reservation_ = movement.reservation;
      if (energy > lease_) wrong("reserved past its lease");
      lease_ -= energy;
      reserved[movement.reservation] = energy;
      return;
    }
    const auto found = reserved.find(movement.reservation);
    if (found == reserved.end()) return wrong("moved a reservation that is not open");
    if (movement.kind == MovementKind::top_up) return top_ups_.push_back(movement);
    const std::int64_t cost = movement.kind == MovementKind::settle ? energy : 0;
    if (cost > found->second) wrong("settled more than was reserved");
    spent += cost;
    lease_ += found->second - cost;
    reserved.erase(found);
  }

  struct Due {
    Window boundary;
    std::vector<AdaptationCommand> commands;
  };
  std::vector<Due> due_;
  std::set<SeedId> under_way_;
  std::vector<OpportunityProposal> proposals_;
  std::vector<Movement> top_ups_;
  std::vector<ScaffoldRequest> requests_;
  std::set<CommandId> emergency_commands_;
  std::int64_t escrow_{}, granted_{}, drawn_{}, returned_{};
  std::int64_t lease_{};
  Window until_;
  Epoch epoch_, fenced_;
  std::uint64_t sequence_{};
  std::uint64_t last_reservation_{};
};

}  // namespace esper
