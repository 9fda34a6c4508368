"""Train a class-conditional diffusion model from a recipe.

    python training/train.py recipes/fashion-mnist.toml --data DIR --out models/fashion-mnist [--resume]
    accelerate launch --num_processes 8 training/train.py …       the same recipe over many GPUs or machines

Every random number is a function of the recipe's seed and of the step alone, and `batch` is the global batch that the
processes share out. So there is no generator to save, `--resume` continues exactly where the checkpoint stands (bit for
bit on a CPU), and the number of processes changes speed, not the data, the noise or the labels that a step sees.
"""

import argparse
import copy
import csv
import math
import os
import shutil
import signal
import sys
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from tqdm import tqdm

from export import export
from recipe import DRAWS, ORDER, Fault, build, read_data, read_recipe, what_changed

LOG_EVERY = 50  # steps between rows of log.csv


@lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng((seed, ORDER, epoch)).permutation(count)


def draw_batch(recipe: dict, step: int, images: torch.Tensor, labels: torch.Tensor):
    """The whole global batch of a step: x0 in [-1, 1], labels, timesteps and noise."""
    seed, size = recipe["train"]["seed"], recipe["train"]["batch"]
    places = np.arange(step * size, (step + 1) * size)
    picks = np.array([epoch_order(seed, int(p) // len(images), len(images))[p % len(images)] for p in places])
    x0, label = images[picks].float() / 127.5 - 1.0, labels[picks].clone()
    rng = np.random.default_rng((seed, DRAWS, step))
    noise = torch.from_numpy(rng.standard_normal(x0.shape, dtype=np.float32))
    # One uniform draw, then equal distances: every batch spans all levels of noise, which quietens its gradient
    # (Kingma et al. 2021, arXiv 2107.00630, appendix I.1).
    u = (rng.random() + np.arange(size) / size) % 1.0
    t = torch.from_numpy((u * recipe["schedule"]["timesteps"]).astype(np.int64))
    dropped = torch.from_numpy(rng.random(size) < recipe["objective"]["label_drop"])
    label[dropped] = recipe["model"]["num_class_embeds"] - 1
    return x0, label, t, noise


def per_image_loss(model, recipe: dict, alphas_cumprod: torch.Tensor, x0, label, t, noise):
    """Weighted loss to descend, and the plain mean square error, one number an image each."""
    prediction, gamma = recipe["objective"]["prediction"], recipe["objective"].get("min_snr_gamma")
    a2 = alphas_cumprod[t].view(-1, 1, 1, 1)
    alpha, sigma = a2.sqrt(), (1 - a2).sqrt()
    target = {"epsilon": noise, "sample": x0, "v_prediction": alpha * noise - sigma * x0}[prediction]
    answer = model(alpha * x0 + sigma * noise, t, class_labels=label, return_dict=False)[0]
    error = (answer - target).square().mean(dim=(1, 2, 3))
    if gamma is None:
        return error, error.detach()
    snr = (a2 / (1 - a2)).flatten()
    weight = snr.clamp(max=gamma) / {"epsilon": snr, "sample": 1.0, "v_prediction": snr + 1}[prediction]
    return weight * error, error.detach()


def learning_rate(train: dict, step: int, steps: int) -> float:
    warmup = max(1, train["warmup_images"] // train["batch"])
    if step < warmup:
        return train["lr"] * (step + 1) / warmup
    return train["lr"] * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def save_checkpoint(path: Path, state: dict) -> None:
    """Written beside its place and renamed: whoever reads `path` finds the old one or the new one, never half of one."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load_checkpoint(path: Path, recipe: dict) -> dict:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise Fault(f"--resume found no checkpoint at {path}; leave --resume away to start anew") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise Fault(f"{path} is not a readable checkpoint: {error}") from error
    if changed := what_changed(state["recipe"], recipe):
        raise Fault(f"the recipe has changed since {path} was written ({', '.join(changed)}); "
                    "put it back, or start anew without --resume")
    return state


def keep_rows(path: Path, step: int) -> list[list[str]]:
    """The rows of an interrupted log up to the checkpoint; what ran after it is about to run again."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in list(csv.reader(file))[1:] if int(row[0]) <= step]


def train(recipe_path: Path, data: Path, out: Path, resume: bool, compiled: bool) -> None:
    recipe = read_recipe(recipe_path)
    options, steps = recipe["train"], recipe["train"]["images"] // recipe["train"]["batch"]
    accelerator = Accelerator(mixed_precision=options["precision"])
    rank, world, main = accelerator.process_index, accelerator.num_processes, accelerator.is_main_process
    if options["batch"] % world:
        raise Fault(f"batch = {options['batch']} cannot be split evenly over {world} processes")
    share = slice(rank * options["batch"] // world, (rank + 1) * options["batch"] // world)
    images, labels = read_data(recipe, data)
    checkpoint, log = out / "checkpoint.pt", out / "log.csv"
    out.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists() and not resume:
        raise Fault(f"{checkpoint} belongs to an unfinished run; continue it with --resume, or delete it")

    torch.set_flush_denormal(True)
    model, scheduler = build(recipe)
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), options["lr"], options["betas"], weight_decay=options["weight_decay"])
    ema = copy.deepcopy(model).requires_grad_(False).to(accelerator.device)
    start, elapsed, smooth = 0, 0.0, None
    if resume:
        state = load_checkpoint(checkpoint, recipe)
        model.load_state_dict(state["model"]), ema.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
        start, elapsed, smooth = state["step"], state["elapsed"], state["smooth"]
    model, optimizer = accelerator.prepare(model, optimizer)
    bare = accelerator.unwrap_model(model)
    if compiled:
        bare.compile()
    alphas_cumprod = scheduler.alphas_cumprod.to(accelerator.device)

    def save(step: int) -> None:
        save_checkpoint(checkpoint, {"recipe": recipe, "step": step, "elapsed": elapsed, "smooth": smooth, "ema": ema.state_dict(),
                                     "model": bare.state_dict(), "optimizer": optimizer.state_dict()})

    signals = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))

    rows = keep_rows(log, start) if resume else []
    bar = tqdm(total=steps, initial=start, unit="step", disable=not main, mininterval=1.0 if sys.stderr.isatty() else 30.0)
    began, saved, marked = time.monotonic() - elapsed, time.monotonic(), (start, elapsed)
    for step in range(start, steps):
        if signals:
            accelerator.set_trigger()
        if accelerator.check_trigger():  # asked on every process, so that all of them stop together
            if main:
                save(step)
                raise Fault(f"stopped after step {step} of {steps}; {checkpoint} is written, continue with --resume")
            return
        x0, label, t, noise = (part[share].to(accelerator.device) for part in draw_batch(recipe, step, images, labels))
        torch.manual_seed(step * world + rank)  # dropout, if the recipe asks for it, is the only one to draw from this
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(options, step, steps)
        weighted, plain = per_image_loss(model, recipe, alphas_cumprod, x0, label, t, noise)
        accelerator.backward(weighted.mean())
        accelerator.clip_grad_norm_(model.parameters(), options["clip"])
        optimizer.step()
        optimizer.zero_grad()
        loss = accelerator.gather(plain).mean().item()
        if not math.isfinite(loss):
            raise Fault(f"the loss is {loss} at step {step}; lower [train] lr or use precision = \"no\"")
        if not main:
            continue
        decay = min(options["ema_decay"], (1 + step) / (10 + step))
        torch._foreach_lerp_(list(ema.parameters()), list(bare.parameters()), 1 - decay)
        smooth = loss if smooth is None else 0.99 * smooth + 0.01 * loss
        elapsed, done = time.monotonic() - began, step + 1
        bar.update()
        bar.set_postfix(loss=f"{smooth:.4f}", refresh=False)
        if done % LOG_EVERY == 0 or done == steps:
            speed = (done - marked[0]) * options["batch"] / (elapsed - marked[1])
            marked = (done, elapsed)
            rows.append([done, done * options["batch"], f"{loss:.5f}", f"{smooth:.5f}",
                         f"{optimizer.param_groups[0]['lr']:.4e}", f"{speed:.1f}", f"{elapsed:.1f}"])
            with log.open("w", newline="") as file:
                csv.writer(file).writerows([["step", "images", "loss", "loss_ema", "lr", "images_per_s", "elapsed_s"], *rows])
        if time.monotonic() - saved > 60 * options["checkpoint_minutes"]:
            save(done)
            saved = time.monotonic()
    bar.close()
    if main:
        export(ema, scheduler, recipe, out)
        shutil.copyfile(recipe_path, out / "recipe.toml")
        checkpoint.unlink(missing_ok=True)
    accelerator.end_training()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--resume", action="store_true", help="continue from OUT/checkpoint.pt")
    parser.add_argument("--compile", action="store_true", help="torch.compile: a fifth faster after a minute; needs a C++ compiler")
    given = parser.parse_args()
    try:
        train(given.recipe, given.data, given.out, given.resume, given.compile)
    except Fault as fault:
        sys.exit(f"train.py: {fault}")


if __name__ == "__main__":
    main()
