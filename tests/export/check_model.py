"""Checks a model that left a run: python check_model.py FOLDER EXPECTED

FOLDER holds model.py and model.safetensors; EXPECTED is a file of safetensors with `inputs`,
`targets` and the trainer's own `logits`. Prints what it finds, as one line of JSON; exits with 1
and a sentence where the model is another one or does not train on.
"""

import importlib.util
import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file

DIFFERENCE_MAX = 1e-5
STEPS = 20


def module_of(file: Path):
    """The module of a file, under no name that a package could have."""
    spec = importlib.util.spec_from_file_location("exported_model", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loss_of(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


def main(folder: Path, expected_file: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    expected = load_file(expected_file)
    model = module_of(folder / "model.py").load(folder / "model.safetensors")

    state = load_file(folder / "model.safetensors")
    if set(state) != set(model.state_dict()):
        sys.exit("the state has other names than the module")
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        structure = json.loads(file.metadata()["structure"])

    with torch.no_grad():
        logits = model(expected["inputs"])
    difference = ((logits - expected["logits"]).abs().max() / expected["logits"].abs().max()).item()
    if not difference <= DIFFERENCE_MAX:
        sys.exit(f"the largest relative difference of the logits is {difference}")

    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model(expected["inputs"]), expected["targets"])
        loss.backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is None or not torch.isfinite(parameter.grad).all():
                sys.exit(f"{name} gets no gradient, or none that is finite")
        losses.append(loss.item())
        optimizer.step()
    if not (all(map(math.isfinite, losses)) and losses[-1] < losses[0]):
        sys.exit(f"the loss does not fall: {losses}")

    print(
        json.dumps(
            {
                "difference": difference,
                "parameters": sum(parameter.numel() for parameter in model.parameters()),
                "seeds": [seed["kind"] for seed in structure["seeds"]],
                "widths": structure["widths"],
                "losses": [losses[0], losses[-1]],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
