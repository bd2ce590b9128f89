#pragma once
// A model that left Esper, held against what the trainer itself computes with it.
#include <nlohmann/json.hpp>

#include "gpu/isolation.hpp"
#include "gpu/safetensors_file.hpp"
#include "gpu/trainer.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/process.hpp"

namespace esper {

/// False, and said so: no Python beside LibTorch that has the packages torch and safetensors.
inline bool python_can_load() {
  if (python_with_torch().empty()) {
    cannot_run_here("LibTorch lies in no virtual environment with a Python");
    return false;
  }
  const ScratchFolder folder;
  Process python(python_with_torch(), {"-c", "import torch, safetensors.torch"}, folder);
  if (python.wait() == 0) return true;
  cannot_run_here("scripts/setup --test installs the Python package safetensors: " + python.err());
  return false;
}

/// Inputs, targets and the trainer's logits in evaluation mode, on the gate split's first samples.
inline void write_expected(Trainer& trainer, const RunConfig& config,
                           const std::filesystem::path& file) {
  const std::size_t samples = config.model.host == "byte_transformer" ? 8 : 48;
  const Batch batch = make_training_data(config)->gate(samples);
  const EvaluationScope still({&trainer.model().module()});
  const torch::NoGradGuard no_graph;
  const auto logits = trainer.model().forward(batch.inputs);
  for (Slot& slot : trainer.model().slots()) slot.forget();
  const auto problem =
      put_file(file, lay_out(nlohmann::json::object(), {{"inputs", batch.inputs.contiguous()},
                                                        {"targets", batch.targets.contiguous()},
                                                        {"logits", logits.contiguous()}}));
  REQUIRE(problem == "");
}

/// What tests/export/check_model.py says of the model in `folder`, which it must accept.
inline nlohmann::json checked_in_python(const std::filesystem::path& folder,
                                        const std::filesystem::path& expected) {
  const ScratchFolder scratch;
  Process alone(python_with_torch(), {(folder / "model.py").string()}, scratch);
  const int alone_exit = alone.wait();
  INFO(alone.out() << alone.err());
  CHECK(alone_exit == 0);
  CHECK(alone.out().find(" parameters\n[2, ") != std::string::npos);
  const auto script = source_directory() / "tests/export/check_model.py";
  Process check(python_with_torch(), {script.string(), folder.string(), expected.string()},
                scratch);
  const int exit = check.wait();
  INFO(check.out() << check.err());
  REQUIRE(exit == 0);
  auto found = nlohmann::json::parse(check.out());
  WARN("in plain PyTorch: " << found.dump());
  return found;
}

}  // namespace esper
