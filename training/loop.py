"""The training loop that every kind of recipe shares: optimizer, averages, checkpoints, log, and the step as one CUDA graph.

Every random number is a function of the recipe's seed and of the step alone, and `batch` is the global batch that the
processes share out. So there is no generator to save, `--resume` continues exactly where the checkpoint stands (bit for
bit on a CPU), and the number of processes changes speed, not the data, the noise or the labels that a step sees.
"""

import copy
import csv
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from tqdm import tqdm

from recipe import Fault, what_changed

LOG_EVERY = 50  # steps between rows of log.csv
LOG_COLUMNS = ["step", "images", "loss", "loss_ema", "held_out", "lr", "images_per_s", "elapsed_s"]
HELD_EVERY = 500  # steps between measurements of the held-out loss
WARM = 3  # steps before a CUDA graph is recorded, in which kernels are chosen and compiled


class Task(Protocol):
    """What a kind of recipe brings to the loop."""
    network: torch.nn.Module
    inputs_of: object  # step -> dict of this process's tensors on the device, of the same shapes in every step

    def losses(self, network, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss to descend and the plain error, one number an image each."""

    def held_out(self, average: torch.nn.Module) -> float | None:
        """The plain error on what training never sees, or None where nothing is held out."""

    def finish(self, average: torch.nn.Module, out: Path) -> None:
        """Writes the model's folder."""


class Recorded:
    """A function of a dict of tensors, recorded as one CUDA graph after its first calls and replayed from then on, which spares
    thousands of launches a step. What it returns is overwritten by the next call."""

    def __init__(self, function):
        self.function, self.calls, self.graph, self.stream = function, 0, None, torch.cuda.Stream()

    def __call__(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        self.calls += 1
        if self.calls <= WARM:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                result = self.function(inputs)
            torch.cuda.current_stream().wait_stream(self.stream)
            return result
        if self.graph is None:
            self.inputs = {name: value.clone() for name, value in inputs.items()}
            self.graph = torch.cuda.CUDAGraph()
            # Other threads of this process pin the next batches meanwhile.
            with torch.cuda.graph(self.graph, stream=self.stream, capture_error_mode="thread_local"):
                self.result = self.function(self.inputs)
        for name, value in inputs.items():
            self.inputs[name].copy_(value)
        self.graph.replay()
        return self.result


def learning_rate(train: dict, step: int, progress: float) -> float:
    """A linear warm-up, then a half cosine down to zero where `progress` is 1."""
    warmup = max(1, train["warmup_images"] // train["batch"])
    if step < warmup:
        return train["lr"] * (step + 1) / warmup
    start = warmup * train["batch"] / train["images"]
    return train["lr"] * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - start) / max(1e-9, 1 - start))))


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


class Loop:
    def __init__(self, recipe: dict, task: Task, accelerator: Accelerator, out: Path, compiled: bool, minutes: float | None):
        self.recipe, self.options, self.task, self.out = recipe, recipe["train"], task, out
        self.accelerator, self.device, self.main = accelerator, accelerator.device, accelerator.is_main_process
        self.steps, self.minutes = self.options["images"] // self.options["batch"], minutes
        self.born = time.monotonic()
        network = task.network.to(memory_format=torch.channels_last)
        self.graphs = self.device.type == "cuda" and accelerator.num_processes == 1
        fast = {"fused": True, "capturable": True} if self.device.type == "cuda" else {}
        network.to(self.device)
        self.averages = [copy.deepcopy(network).requires_grad_(False).eval() for _ in self.options["ema_decays"]]
        rate = torch.tensor(self.options["lr"], device=self.device) if fast else self.options["lr"]
        self.optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], rate, tuple(self.options["betas"]),
                                           weight_decay=self.options["weight_decay"], **fast)
        self.start, self.elapsed, self.smooth, self.progress = 0, 0.0, None, 0.0
        self.bare = network
        self.checkpoint, self.log = out / "checkpoint.pt", out / "log.csv"
        self.compiled = compiled

    def restore(self) -> None:
        state = load_checkpoint(self.checkpoint, self.recipe)
        self.bare.load_state_dict(state["model"])
        for average, saved in zip(self.averages, state["averages"], strict=True):
            average.load_state_dict(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        if self.device.type == "cuda":
            for group in self.optimizer.param_groups:
                group["lr"] = torch.tensor(float(group["lr"]), device=self.device)
        self.start, self.elapsed, self.smooth, self.progress = (state[key] for key in ("step", "elapsed", "smooth", "progress"))

    def save(self, step: int) -> None:
        save_checkpoint(self.checkpoint, {
            "recipe": self.recipe, "step": step, "elapsed": self.elapsed, "smooth": self.smooth, "progress": self.progress,
            "averages": [average.state_dict() for average in self.averages],
            "model": self.bare.state_dict(), "optimizer": self.optimizer.state_dict()})

    def step(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Forward, backward, the optimizer's step and the averages'; the mean plain error."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options["precision"] == "bf16", cache_enabled=False):
            weighted, plain = self.task.losses(self.network, inputs)
        weighted.mean().backward()
        torch.nn.utils.clip_grad_norm_(self.bare.parameters(), self.options["clip"])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.main:
            for average, keep in zip(self.averages, inputs["keep"]):
                torch._foreach_mul_(list(average.parameters()), keep)
                torch._foreach_add_(list(average.parameters()), torch._foreach_mul(list(self.bare.parameters()), 1 - keep))
        return plain.detach().mean()

    def prepared(self, step: int) -> dict[str, torch.Tensor]:
        """The inputs of a step, with the optimizer's rate set."""
        rate = learning_rate(self.options, step, max(self.progress, step / self.steps))
        for group in self.optimizer.param_groups:
            group["lr"].fill_(rate) if torch.is_tensor(group["lr"]) else group.update(lr=rate)
        torch.manual_seed(step * self.accelerator.num_processes + self.accelerator.process_index)  # drawn from by dropout alone
        keep = torch.tensor([min(decay, (1 + step) / (10 + step)) for decay in self.options["ema_decays"]])
        return self.task.inputs_of(step) | {"keep": keep.to(self.device, non_blocking=True)}

    def flush(self, losses: list[torch.Tensor], done: int) -> float | None:
        """Takes the losses since the last call into the smoothed one; the last of them."""
        values = self.accelerator.gather(torch.stack(losses)).view(-1, len(losses)).mean(dim=0).tolist() if losses else []
        losses.clear()
        for loss in values:
            if not math.isfinite(loss):
                raise Fault(f"the loss is {loss} before step {done}; lower [train] lr or use precision = \"no\"")
            self.smooth = loss if self.smooth is None else 0.99 * self.smooth + 0.01 * loss
        return values[-1] if values else None

    def agreed(self, signalled: bool, due: bool, progress: float) -> tuple[bool, bool, float]:
        """Whether a signal came to any process, and what the main one's clock says of checkpoint and progress, so that all of them take
        the same turn: a collective that not all of them enter never ends."""
        if self.accelerator.num_processes == 1:
            return signalled, due, progress
        said = torch.tensor([signalled, self.main and due, self.main * progress], dtype=torch.float32, device=self.device)
        signalled, due, progress = self.accelerator.reduce(said).tolist()
        return signalled > 0, due > 0, progress

    def run(self) -> None:
        self.network = self.accelerator.prepare(self.bare) if self.accelerator.num_processes > 1 else self.bare
        if self.compiled:
            self.bare.compile()
        step_function = Recorded(self.step) if self.graphs else self.step
        signals: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: signals.append(number))
        rows = keep_rows(self.log, self.start) if self.start else []
        bar = tqdm(total=self.steps, initial=self.start, unit="step", disable=not self.main,
                   mininterval=1.0 if sys.stderr.isatty() else 30.0)
        began, saved, marked, losses = time.monotonic() - self.elapsed, time.monotonic(), (self.start, self.elapsed), []
        first, opening = self.progress, time.monotonic()
        for step in range(self.start, self.steps):
            progress = self.progress
            if self.minutes is not None:
                room = max(1e-9, self.born + 60 * self.minutes - opening)
                progress = first + (1 - first) * min(1.0, (time.monotonic() - opening) / room)
            due = time.monotonic() - saved > 60 * self.options["checkpoint_minutes"]
            stop, due, self.progress = self.agreed(bool(signals), due, progress)
            if stop or due:
                self.flush(losses, step)
                if self.main:
                    self.save(step)
                saved = time.monotonic()
            if stop and self.main:
                raise Fault(f"stopped after step {step} of {self.steps}; {self.checkpoint} is written, continue with --resume")
            if stop:
                return
            losses.append(step_function(self.prepared(step)).clone())
            done = step + 1
            self.elapsed = time.monotonic() - began
            last = done == self.steps or self.progress >= 1
            bar.update()
            if done % LOG_EVERY == 0 or last:
                loss = self.flush(losses, done)
                self.elapsed = time.monotonic() - began
                if self.main:
                    bar.set_postfix(loss=f"{self.smooth:.4f}", refresh=False)
                    speed = (done - marked[0]) * self.options["batch"] / (self.elapsed - marked[1])
                    marked = (done, self.elapsed)
                    outside = self.task.held_out(self.averages[0]) if done % HELD_EVERY == 0 or last else None
                    rows.append([done, done * self.options["batch"], f"{loss:.5f}", f"{self.smooth:.5f}",
                                 "" if outside is None else f"{outside:.5f}",
                                 f"{float(self.optimizer.param_groups[0]['lr']):.4e}", f"{speed:.1f}", f"{self.elapsed:.1f}"])
                    with self.log.open("w", newline="") as file:
                        csv.writer(file).writerows([LOG_COLUMNS, *rows])
            if last:
                if self.main:
                    self.save(done)
                break
        bar.close()

    def best(self) -> torch.nn.Module:
        """The average of least held-out error, or the first."""
        if len(self.averages) == 1:
            return self.averages[0]
        errors = [self.task.held_out(average) for average in self.averages]
        if errors[0] is None:
            return self.averages[0]
        print("held-out loss by ema_decay:",
              ", ".join(f"{decay} {error:.5f}" for decay, error in zip(self.options["ema_decays"], errors)))
        return self.averages[errors.index(min(errors))]
