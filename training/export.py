"""Turn trained weights into the folder that the page reads, with pictures to judge them by.

    python training/export.py CHECKPOINT OUT        look at a run that is still going

The folder is diffusers' own layout (DDIMPipeline.from_pretrained opens it) with float16 weights, plus `unnoise.json`
(names, classes, licence), sheets of samples, and the loss curve when OUT or the checkpoint's folder holds a log.
"""

import argparse
import copy
import csv
import json
import sys
from pathlib import Path

import matplotlib
import torch
from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel
from PIL import Image

from recipe import Fault, build

COLUMNS, GAP, ZOOM = 8, 2, 2  # a sheet's pictures per class, pixels between them, enlargement
SHEETS = {"samples-50": (50, 1.0), "samples-50-guidance-2": (50, 2.0), "samples-10": (10, 1.0)}  # name: (steps, scale)


@torch.no_grad()
def sample(model: UNet2DModel, scheduler: DDIMScheduler, label: torch.Tensor, steps: int, scale: float, clip: bool) -> torch.Tensor:
    """DDIM, eta 0 (Song et al. 2020, arXiv 2010.02502). Picture i starts from torch's generator seeded with i.

    The x0 estimate is clipped before the step sees it, so that the step's noise agrees with it; diffusers' own
    `clip_sample` clips x0 but keeps the old noise, and pictures break up under guidance.
    """
    shape = (1, model.config.in_channels, model.config.sample_size, model.config.sample_size)
    x = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(i)) for i in range(len(label))])
    none = torch.full_like(label, model.config.num_class_embeds - 1)
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        eps = estimate = model(x, t, class_labels=label).sample
        if scale != 1.0:
            free = model(x, t, class_labels=none).sample
            estimate = free + scale * (eps - free)
        a2 = scheduler.alphas_cumprod[t]
        alpha, sigma = a2.sqrt(), (1 - a2).sqrt()
        match scheduler.config.prediction_type:
            case "epsilon": x0 = (x - sigma * estimate) / alpha
            case "sample": x0 = estimate
            case "v_prediction": x0 = alpha * x - sigma * estimate
        if clip:
            x0 = x0.clamp(-1, 1)
        answer = {"epsilon": (x - alpha * x0) / sigma, "sample": x0, "v_prediction": (alpha * x - x0) / sigma}
        x = scheduler.step(answer[scheduler.config.prediction_type], t, x).prev_sample
    return x.clamp(-1, 1)


def save_sheet(pictures: torch.Tensor, path: Path) -> None:
    """Rows of COLUMNS pictures, (N, 1 or 3, H, W) in [-1, 1]."""
    count, channels, height, width = pictures.shape
    sheet = torch.full((channels, count // COLUMNS * (height + GAP) - GAP, COLUMNS * (width + GAP) - GAP), 255, dtype=torch.uint8)
    for i, picture in enumerate(((pictures + 1) * 127.5).round().to(torch.uint8)):
        y, x = i // COLUMNS * (height + GAP), i % COLUMNS * (width + GAP)
        sheet[:, y:y + height, x:x + width] = picture
    image = Image.fromarray(sheet.permute(1, 2, 0).squeeze(-1).numpy())
    image.resize((image.width * ZOOM, image.height * ZOOM), Image.Resampling.NEAREST).save(path, optimize=True)


def save_loss_curve(log: Path, path: Path) -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = [int(row["images"]) for row in rows]
    figure, axes = pyplot.subplots(figsize=(6, 3), dpi=100, layout="constrained")
    axes.plot(images, [float(row["loss"]) for row in rows], color="0.75", linewidth=0.8, label="one batch")
    axes.plot(images, [float(row["loss_ema"]) for row in rows], color="0.1", linewidth=1.2, label="smoothed")
    axes.set(xlabel="training images seen", ylabel="mean square error", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path)
    Image.open(path).convert("L").quantize(16).save(path, optimize=True)


def export(model: UNet2DModel, scheduler: DDIMScheduler, recipe: dict, out: Path) -> None:
    page, nothing = recipe["page"], recipe["model"]["num_class_embeds"] - 1
    half = copy.deepcopy(model).cpu().to(memory_format=torch.contiguous_format).half()
    DDIMPipeline(half, scheduler).save_pretrained(out)
    facts = {"name": page["name"], "description": page["description"], "classes": page["classes"], "null_class": nothing,
             "licence": page["licence"], "range": [-1, 1], "clip_denoised": page["clip_denoised"]}
    (out / "unnoise.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    judged = half.float().eval()  # the rounded weights, because those are what people will run
    label = torch.arange(nothing).repeat_interleave(COLUMNS)
    for name, (steps, scale) in SHEETS.items():
        save_sheet(sample(judged, scheduler, label, steps, scale, page["clip_denoised"]), out / f"{name}.png")
    if (out / "log.csv").exists():
        save_loss_curve(out / "log.csv", out / "loss.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        state = torch.load(given.checkpoint, map_location="cpu", weights_only=True)
        model, scheduler = build(state["recipe"])
        model.load_state_dict(state["ema"])
    except (OSError, RuntimeError, KeyError, Fault) as error:
        sys.exit(f"export.py: {given.checkpoint} is not a checkpoint of train.py: {error}")
    given.out.mkdir(parents=True, exist_ok=True)
    export(model, scheduler, state["recipe"], given.out)
    print(f"step {state['step']}: {given.out}")


if __name__ == "__main__":
    main()
