#include "runtime/export/python_module.hpp"

#include "messages/json.hpp"
#include "runtime/export/python_hosts.hpp"
#include "runtime/export/python_text.hpp"

namespace esper {
namespace {

/// Between quotes, and whatever it holds no end of a docstring.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/true);
}

std::string listed_seeds(const ModelStructure& structure) {
  if (structure.seeds.empty()) return "No seed became part of it.\n";
  std::string text = "Seeds that became part of it, with their slots and alpha:\n\n";
  for (const SeedStructure& seed : structure.seeds) {
    const bool several = seed.slots.size() > 1;
    text += "    " + seed.blueprint + "  " + seed.slots.front() +
            (several ? " to " + seed.slots.back() : std::string{}) + "  " +
            python_float(seed.alpha) + "\n";
  }
  return text;
}

std::string heading(const ModelStructure& structure, const HostText& host) {
  return "\"\"\"The model that the run " + quoted(structure.run) + " (seed " +
         std::to_string(structure.seed) + ") came to: " + structure.host + "/" + structure.size +
         ".\n\n" + listed_seeds(structure) + "\nInputs: " + host.inputs + ".\nLogits " +
         host.logits + ".\n\nIts state lies beside it in " + model_state_name +
         ". Needs the packages torch and safetensors.\nWritten by esper " + structure.esper +
         ".\n\"\"\"\n";
}

std::string imports(const HostText& host) {
  return std::string{"\n"} + (host.square_root ? "import math\n" : "") +
         R"py(from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

STATE = Path(__file__).with_name(")py" +
         model_state_name + "\")\n";
}

std::string loader(const HostText& host) {
  return "\n\ndef load(path: str | Path = STATE) -> " + host.name + R"py(:
    """The trained model in evaluation mode. Raises where `path` is not this model's state."""
    model = )py" +
         host.name + R"py(()
    model.load_state_dict(load_file(path))
    return model.eval()


def main() -> None:
    """Prints the parameters and runs one forward pass."""
    model = load()
    for name, parameter in model.named_parameters():
        print(f"{name:44} {list(parameter.shape)}")
    print(f"{sum(parameter.numel() for parameter in model.parameters())} parameters")
    inputs = )py" +
         host.example + R"py(
    with torch.no_grad():
        logits = model(inputs)
    print(f"{list(inputs.shape)} -> {list(logits.shape)}")


if __name__ == "__main__":
    main()
)py";
}

}  // namespace

std::string python_module(const ModelStructure& structure) {
  const HostText host = host_text(structure);
  return heading(structure, host) + imports(host) + host.classes + loader(host);
}

}  // namespace esper
