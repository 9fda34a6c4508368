"""Turn trained weights into the folder that the page and the command line read.

    python training/export.py CHECKPOINT OUT        look at a run that is still going

A denoiser's folder is diffusers' own layout (the pipelines that it names open it) with float16 weights, plus `unnoise.json` (names,
classes, licence). `unnoise sample --model OUT` draws from it.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import matplotlib
import torch
from diffusers import DDIMPipeline, DiffusionPipeline, ScoreSdeVePipeline, UNet2DModel
from PIL import Image

from classifier import save_classifier
from process import build_scheduler
from recipe import Fault, build


AUGMENT = "class_embedding.augment.weight"  # known while training only


class FlowMatchingPipeline(DiffusionPipeline):
    """Names the parts of a flow matching model; diffusers has no pipeline for a bare one, so its users sample by hand."""

    def __init__(self, unet, scheduler):
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)


def save_loss_curve(log: Path, path: Path) -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = [int(row["images"]) for row in rows]
    figure, axes = pyplot.subplots(figsize=(6, 3), dpi=100, layout="constrained")
    axes.plot(images, [float(row["loss"]) for row in rows], color="0.75", linewidth=0.8, label="one batch")
    axes.plot(images, [float(row["loss_ema"]) for row in rows], color="0.1", linewidth=1.2, label="smoothed")
    held = [(int(row["images"]), float(row["held_out"])) for row in rows if row["held_out"]]
    if held:
        axes.plot(*zip(*held), color="0.1", linewidth=0, marker="o", markersize=3, label="held out, averaged weights")
    axes.set(xlabel="training images seen", ylabel="mean square error", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path)
    Image.open(path).convert("L").quantize(16).save(path, optimize=True)


def export(model: UNet2DModel, scheduler, recipe: dict, out: Path) -> None:
    page = recipe["page"]
    half = build(recipe)
    # All but the map of the augmentation, which no sampler tells the network about.
    half.load_state_dict({name: value for name, value in model.state_dict().items() if name != AUGMENT})
    pipeline = {"flow": FlowMatchingPipeline, "ve": ScoreSdeVePipeline}.get(recipe["schedule"]["kind"], DDIMPipeline)
    half.half()
    if half.config.time_embedding_type == "fourier":
        half.time_proj.float().load_state_dict(model.time_proj.state_dict())  # phases of many turns do not survive rounding
    pipeline(half, scheduler).save_pretrained(out)
    facts = {"name": page["name"], "description": page["description"], "classes": page["classes"],
             "null_class": recipe["model"]["num_class_embeds"] - 1, "licence": page["licence"], "range": [-1, 1],
             "clip_denoised": page["clip_denoised"]}
    facts |= {key: page[key] for key in ("background", "defaults", "classifier") if key in page}
    (out / "unnoise.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        state = torch.load(given.checkpoint, map_location="cpu", weights_only=True)
        recipe, weights = state["recipe"], state["averages"][0]
        model = build(recipe)
        model.load_state_dict({name: value for name, value in weights.items() if name != AUGMENT})
    except (OSError, RuntimeError, KeyError, Fault) as error:
        sys.exit(f"export.py: {given.checkpoint} is not a checkpoint of train.py: {error}")
    given.out.mkdir(parents=True, exist_ok=True)
    if "classifier" in recipe:
        save_classifier(model, given.out)
    else:
        export(model, build_scheduler(recipe), recipe, given.out)
    print(f"step {state['step']}: {given.out}")


if __name__ == "__main__":
    main()
