"""Whether diffusers reads the model folders as this project does.

    python training/check_export.py MODELS ANSWERS        what tests/suite/export.rs runs

ANSWERS holds NAME.safetensors for folders MODELS/NAME: x (B, C, H, W), t (B,) as the network is told it, class (B,) where it
takes classes, and out (B, C, H, W), what this project says. Every part that a folder's model_index.json names is loaded by its
class, and so is the pipeline, unless it is one that diffusers does not have.
"""

import json
import sys
from pathlib import Path

import diffusers
import torch
from safetensors.torch import load_file

TOLERANCE = 2e-5  # of the largest value of a picture: float32, with Fourier phases of up to a thousand radians


@torch.no_grad()
def check(folder: Path, answers: dict[str, torch.Tensor]) -> None:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    parts = {name: getattr(diffusers, of[1]).from_pretrained(folder, subfolder=name) for name, of in index.items()
             if not name.startswith("_")}
    if hasattr(diffusers, index["_class_name"]):
        diffusers.DiffusionPipeline.from_pretrained(folder)
    said = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))["_class_name"]
    if said != type(parts["scheduler"]).__name__:
        sys.exit(f"{folder}: model_index.json names another scheduler than {said}")
    label = answers["class"].long() if "class" in answers else None
    out = parts["unet"].eval()(answers["x"], answers["t"], class_labels=label).sample
    for row, (ours, theirs) in enumerate(zip(answers["out"], out)):
        off = ((ours - theirs).abs().max() / theirs.abs().max()).item()
        what = f"{folder.name}: t {answers['t'][row]:g}" + (f", class {label[row]}" if label is not None else "")
        print(f"{what}: off by {off:.1e} of the largest value", flush=True)
        if not off <= TOLERANCE:
            sys.exit(f"{what}: off by {off}, more than {TOLERANCE}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: check_export.py MODELS ANSWERS")
    for file in sorted(Path(sys.argv[2]).glob("*.safetensors")):
        check(Path(sys.argv[1]) / file.stem, load_file(file))
