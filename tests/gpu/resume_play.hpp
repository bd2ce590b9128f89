#pragma once
// A scripted training that can be played from its beginning or from any of its checkpoints.
#include <filesystem>
#include <set>

#include "gpu/checkpoint_file.hpp"
#include "messages/json.hpp"
#include "tests/gpu/scaffold_loop.hpp"

namespace esper {

/// A command in the turn that answers a window.
struct Scripted {
  std::uint64_t turn;
  CommandKind kind;
  std::uint32_t region, slot;
  std::uint64_t seed;
  const char* design = "";
  std::uint32_t epoch = 1;
  std::uint64_t sequence = 0;  ///< 0: the next one
};

struct Play {
  SessionSettings settings;
  HostUnderTest tested;
  std::uint64_t windows = 0;
  std::vector<Scripted> script = {};
  std::map<std::uint64_t, SurgeryOrder> surgeries = {};  ///< by turn
  std::set<std::uint64_t> spoilt = {};                   ///< ticks whose batch is not a number
  std::set<std::uint64_t> silent = {};                   ///< windows that are answered by no turn
  double learning_rate = 1e-2;
  double kd_weight = 0, anchor_weight = 0;  ///< of grafts
  bool measured = false;                    ///< Elesh measures each checkpoint
};

/// A checkpoint at each window.
inline SessionSettings every_window(SessionSettings settings) {
  settings.time.cycle_windows = 1;
  settings.time.checkpoint_cycles = 1;
  settings.checkpoints.keep = 1'000;
  settings.compaction.importance_samples = 32;
  settings.compaction.accuracy_drop_max = 1;
  return settings;
}

/// Without what a clock or a memory gauge said.
inline std::string logical(WindowReport report) {
  report.device = {};
  return canonical(report);
}

class PlayLoop : public TestLoop {
 public:
  PlayLoop(const Play& played, const std::string& folder)
      : TestLoop(in_folder(played.settings, folder), played.tested), play(played) {
    punctual = false;  // this class answers
    for (auto& group : optimizer->param_groups()) group.options().set_lr(play.learning_rate);
  }
  /// Everything as a process started anew might have it, and worse; then as the checkpoint says.
  void resume(const CheckpointContent& content) {
    const torch::NoGradGuard no_graph;
    for (const auto& tensor : tensors_of(host->module()))
      if (tensor.is_floating_point()) tensor.detach().add_(1);
    torch::manual_seed(99);
    order.set_current_seed(77);
    drawn = 1'000'000;
    for (auto& group : optimizer->param_groups()) group.options().set_lr(5);
    session->resume(content);
    read();
  }
  /// To the play's end.
  void play_on() {
    while (session->last_window() < Window{play.windows}) {
      answer();
      const auto kept = images;
      if (play.spoilt.contains(session->tick().value + 1))
        images = torch::full_like(images, std::numeric_limits<double>::quiet_NaN());
      const Window before = session->last_window();
      (void)tick();
      images = kept;
      if (session->last_window() == before) continue;
      session->await_checkpoints();
      read();
    }
  }
  /// Reports and what Elesh measured, by window.
  std::map<std::uint64_t, std::string> told, importance;

 private:
  static SessionSettings in_folder(SessionSettings settings, const std::string& folder) {
    settings.checkpoints_folder = folder;
    return settings;
  }
  void read() {
    WindowReport report;
    while (exchange->next_window(report, std::chrono::milliseconds(0))) {
      exchange->finish_window(report.window);
      reports.push_back(report);
    }
    for (; told_of < reports.size(); ++told_of) {
      const auto& one = reports[told_of];
      told[one.window.value] = logical(one);
      if (!play.measured || !one.checkpoint) continue;
      const auto found = exchange->measure_importance(one.checkpoint->checkpoint);
      importance[one.window.value] = found ? canonical(*found) : "no copy";
    }
  }
  void answer() {
    const Window window = session->last_window();
    if (window.value == 0 || exchange->released() >= window || play.silent.contains(window.value))
      return;
    TurnRelease turn;
    turn.turn = window;
    turn.journal_sequence = 10 * window.value;
    turn.journal_head = "head " + std::to_string(window.value);
    std::uint64_t next = 0;
    for (const Scripted& one : play.script) {
      ++next;
      if (one.turn != window.value) continue;
      AdaptationCommand made = command(one.kind, one.region, one.slot, one.seed, one.design);
      made.id = {{one.region}, {one.epoch}, one.sequence > 0 ? one.sequence : next};
      made.mitigations.knowledge_distillation_weight = play.kd_weight;
      made.mitigations.anchor_weight = play.anchor_weight;
      turn.commands.push_back(std::move(made));
    }
    if (const auto found = play.surgeries.find(window.value); found != play.surgeries.end())
      turn.surgery = found->second;
    if (!exchange->release(turn)) throw std::logic_error("the exchange is full");
  }

  const Play& play;
  std::size_t told_of = 0;
};

/// Weights, buffers, both optimizers' moments, averages and streams of everything that stands.
inline Digest whole_digest(PlayLoop& loop) {
  Digest all = loop.digest();
  for (const auto& live : loop.session->bed().seeds()) {
    all.push_back(live->seed->generator.get_state());
    all.push_back(torch::tensor(live->seed->alpha, torch::kFloat64));
    for (const auto& tensor : live->average.tensors()) all.push_back(tensor.clone());
    for (const auto& buffer : live->seed->buffers()) all.push_back(buffer.clone());
    for (const auto& parameter : live->parameters) {
      all.push_back(parameter.detach().clone());
      if (!live->optimizer) continue;
      const auto found = live->optimizer->state().find(parameter.unsafeGetTensorImpl());
      if (found == live->optimizer->state().end()) continue;
      const auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
      all.push_back(torch::tensor(state.step()));
      all.push_back(state.exp_avg().clone());
      all.push_back(state.exp_avg_sq().clone());
    }
  }
  return all;
}

/// Two checkpoints of one place: names of the tensors that differ, and whether all else is the
/// same.
inline std::vector<std::string> differences(CheckpointContent a, CheckpointContent b) {
  std::vector<std::string> found;
  for (auto* content : {&a, &b})
    for (auto& report : content->manifest.exchange.reports) report.device = {};
  std::map<std::string, at::Tensor> others;
  for (const auto& [name, tensor] : b.tensors) others.emplace(name, tensor);
  for (const auto& [name, tensor] : a.tensors)
    if (const auto other = others.find(name);
        other == others.end() || !same_bits(tensor, other->second))
      found.push_back(name);
  if (a.tensors.size() != b.tensors.size()) found.push_back("(another number of tensors)");
  for_each_field(a.manifest, [&](std::string_view name, const auto& member) {
    for_each_field(b.manifest, [&](std::string_view same, const auto& other) {
      if constexpr (std::is_same_v<decltype(member), decltype(other)>)
        if (name == same && to_json(member, Floats::exact) != to_json(other, Floats::exact))
          found.push_back("manifest." + std::string{name});
    });
  });
  return found;
}

}  // namespace esper
