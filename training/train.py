"""Train a class-conditional diffusion model, or a classifier of noisy pictures, from a recipe.

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
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from tqdm import tqdm

from augment import TellAugmentation, augmented
from classifier import NoisyClassifier, save_classifier
from data import Pictures, read_pictures
from export import export, save_loss_curve
from process import Process
from recipe import DRAWS, HELD, ORDER, Fault, build, read_recipe, what_changed

LOG_EVERY = 50  # steps between rows of log.csv
LOG_COLUMNS = ["step", "images", "loss", "loss_ema", "held_out", "lr", "images_per_s", "elapsed_s"]
HELD_EVERY, HELD_IMAGES = 500, 512  # steps between measurements of the held-out loss, and pictures in one


@lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng((seed, ORDER, epoch)).permutation(count)


@dataclass
class Batch:
    x0: torch.Tensor
    given: torch.Tensor  # labels, or rows of (label, *augmentation)
    time: torch.Tensor  # in (0, 1)
    noise: torch.Tensor

    def share(self, part: slice, device: torch.device) -> "Batch":
        return Batch(*(getattr(self, field.name)[part].to(device) for field in fields(self)))


def draw(recipe: dict, process: Process, pictures: Pictures, rng: np.random.Generator) -> Batch:
    """The random numbers of a step for these pictures."""
    size, section = len(pictures), recipe.get("augment")
    noise = torch.from_numpy(rng.standard_normal(pictures.images.shape, dtype=np.float32))
    # One uniform draw, then equal distances: every batch spans all levels of noise, which quietens its gradient
    # (Kingma et al. 2021, arXiv 2107.00630, appendix I.1).
    objective = recipe["objective"]
    clean = round(objective.get("clean_share", 0.0) * size)
    even = (rng.random() + np.arange(size - clean) / max(1, size - clean)) % 1.0
    time = process.times(torch.from_numpy(np.concatenate([np.zeros(clean), even]))).float()
    dropped = torch.from_numpy(rng.random(size) < objective.get("label_drop", 0.0))
    x0, told = augmented(section, pictures.x0(), pictures.labels, rng)
    if "classifier" in recipe:  # it is to see through the augmentation, not to be told of it
        given = pictures.labels
    else:
        label = torch.where(dropped, recipe["model"]["num_class_embeds"] - 1, pictures.labels)
        given = label if section is None else torch.cat([label.float()[:, None], told], dim=1)
    own = pictures.noise()
    return Batch(x0, given, time, noise if own is None else own)


def draw_batch(recipe: dict, process: Process, step: int, pictures: Pictures) -> Batch:
    """The whole global batch of a step."""
    seed, size = recipe["train"]["seed"], recipe["train"]["batch"]
    places = np.arange(step * size, (step + 1) * size)
    picks = np.array([epoch_order(seed, int(p) // len(pictures), len(pictures))[p % len(pictures)] for p in places])
    return draw(recipe, process, pictures[picks], np.random.default_rng((seed, DRAWS, step)))


@torch.no_grad()
def held_out_loss(network, recipe: dict, process: Process, held: Pictures, device: torch.device) -> float:
    """The plain error on pictures that training never sees, always the same with the same noise."""
    rng = np.random.default_rng((recipe["train"]["seed"], HELD))
    picks = rng.permutation(len(held))[:HELD_IMAGES]
    unchanged = recipe | {"objective": recipe["objective"] | {"label_drop": 0.0}}
    if "augment" in recipe:
        unchanged["augment"] = {"probability": 0.0}
    size, losses = recipe["train"]["batch"], []
    for i in range(0, len(picks), size):
        batch = draw(unchanged, process, held[picks[i:i + size]], rng).share(slice(None), device)
        losses.append(process.errors(network, batch.x0, batch.given, batch.time, batch.noise)[1])
    return torch.cat(losses).mean().item()


@torch.no_grad()
def clean_accuracy(classifier: NoisyClassifier, held: Pictures, device: torch.device) -> float:
    """Share of the held-out pictures, as they are, that the classifier takes for what they are."""
    right = 0
    for picks in torch.arange(len(held)).split(256):
        logits = classifier(held[picks].x0().to(device), torch.zeros(len(picks), device=device))
        right += (logits.argmax(dim=1).cpu() == held[picks].labels).sum().item()
    return right / len(held)


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
    pictures, held = read_pictures(recipe, data)
    checkpoint, log = out / "checkpoint.pt", out / "log.csv"
    out.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists() and not resume:
        raise Fault(f"{checkpoint} belongs to an unfinished run; continue it with --resume, or delete it")

    torch.set_flush_denormal(True)
    network = build(recipe, out.parent / options["init"] if "init" in options else None)
    if "augment" in recipe and "model" in recipe:
        network.class_embedding = TellAugmentation(network.class_embedding)
    network = network.to(memory_format=torch.channels_last)
    process = Process(recipe, accelerator.device)
    optimizer = torch.optim.AdamW(network.parameters(), options["lr"], options["betas"], weight_decay=options["weight_decay"])
    averages = [copy.deepcopy(network).requires_grad_(False).to(accelerator.device) for _ in options["ema_decays"]]
    start, elapsed, smooth = 0, 0.0, None
    if resume:
        state = load_checkpoint(checkpoint, recipe)
        network.load_state_dict(state["model"])
        for average, saved in zip(averages, state["averages"], strict=True):
            average.load_state_dict(saved)
        optimizer.load_state_dict(state["optimizer"])
        start, elapsed, smooth = state["step"], state["elapsed"], state["smooth"]
    network, optimizer = accelerator.prepare(network, optimizer)
    bare = accelerator.unwrap_model(network)
    if compiled:
        bare.compile()

    def save(step: int) -> None:
        save_checkpoint(checkpoint, {"recipe": recipe, "step": step, "elapsed": elapsed, "smooth": smooth,
                                     "averages": [average.state_dict() for average in averages],
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
        batch = draw_batch(recipe, process, step, pictures).share(share, accelerator.device)
        torch.manual_seed(step * world + rank)  # dropout, if the recipe asks for it, is the only one to draw from this
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(options, step, steps)
        weighted, plain = process.errors(network, batch.x0, batch.given, batch.time, batch.noise)
        accelerator.backward(weighted.mean())
        accelerator.clip_grad_norm_(network.parameters(), options["clip"])
        optimizer.step()
        optimizer.zero_grad()
        loss = accelerator.gather(plain).mean().item()
        if not math.isfinite(loss):
            raise Fault(f"the loss is {loss} at step {step}; lower [train] lr or use precision = \"no\"")
        if not main:
            continue
        for average, decay in zip(averages, options["ema_decays"]):
            now = min(decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(average.parameters()), list(bare.parameters()), 1 - now)
        smooth = loss if smooth is None else 0.99 * smooth + 0.01 * loss
        elapsed, done = time.monotonic() - began, step + 1
        bar.update()
        bar.set_postfix(loss=f"{smooth:.4f}", refresh=False)
        if done % LOG_EVERY == 0 or done == steps:
            speed = (done - marked[0]) * options["batch"] / (elapsed - marked[1])
            marked = (done, elapsed)
            measured = held is not None and (done % HELD_EVERY == 0 or done == steps)
            outside = f"{held_out_loss(averages[0], recipe, process, held, accelerator.device):.5f}" if measured else ""
            rows.append([done, done * options["batch"], f"{loss:.5f}", f"{smooth:.5f}", outside,
                         f"{optimizer.param_groups[0]['lr']:.4e}", f"{speed:.1f}", f"{elapsed:.1f}"])
            with log.open("w", newline="") as file:
                csv.writer(file).writerows([LOG_COLUMNS, *rows])
        if time.monotonic() - saved > 60 * options["checkpoint_minutes"]:
            save(done)
            saved = time.monotonic()
    bar.close()
    if main:
        best = 0
        if held is not None and len(averages) > 1:
            losses = [held_out_loss(average, recipe, process, held, accelerator.device) for average in averages]
            best = int(np.argmin(losses))
            print("held-out loss by ema_decay:",
                  ", ".join(f"{decay} {loss:.5f}" for decay, loss in zip(options["ema_decays"], losses)))
        if "classifier" in recipe:
            save_classifier(averages[best], out)
            if held is not None:
                print(f"held-out accuracy without noise: {100 * clean_accuracy(averages[best], held, accelerator.device):.2f} %")
        else:
            export(averages[best], process.scheduler, recipe, out)
        save_loss_curve(log, out / "loss.png")
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
