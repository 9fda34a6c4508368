"""Recipes with classes: a denoiser that is told the class of a picture, and a classifier of noisy pictures."""

import copy
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from augment import TellAugmentation, augmented
from classifier import NoisyClassifier, save_classifier
from data import Pictures, read_pictures
from export import export
from process import Process
from recipe import DRAWS, HELD, ORDER, build

HELD_IMAGES = 512  # pictures in one measurement of the held-out loss


@lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng((seed, ORDER, epoch)).permutation(count)


def picks_of(seed: int, step: int, size: int, count: int) -> np.ndarray:
    """The places, in data of that count, of a step's batch: every epoch is a new order of all."""
    places = np.arange(step * size, (step + 1) * size)
    epochs, within = places // count, places % count
    return np.concatenate([epoch_order(seed, int(epoch), count)[within[epochs == epoch]] for epoch in np.unique(epochs)])


def normal(shape, rng: np.random.Generator, device: torch.device) -> torch.Tensor:
    """Noise drawn where it is used, from a seed that the step's generator gives."""
    return torch.randn(shape, generator=torch.Generator(device).manual_seed(int(rng.integers(2**63))), device=device)


def even_times(count: int, rng: np.random.Generator) -> np.ndarray:
    """One uniform draw, then equal distances: every batch spans all levels of noise, which quietens its gradient
    (Kingma et al. 2021, arXiv 2107.00630, appendix I.1)."""
    return (rng.random() + np.arange(count) / max(1, count)) % 1.0


def draw(recipe: dict, process: Process, pictures: Pictures, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """The inputs of a step for these pictures: x0, given (labels, or rows of label and augmentation), time and noise."""
    size, device, section, objective = len(pictures), pictures.images.device, recipe.get("augment"), recipe["objective"]
    noise = normal(pictures.images.shape, rng, device) if pictures.noises is None else pictures.noises
    clean = round(objective.get("clean_share", 0.0) * size)
    time = process.times(torch.from_numpy(np.concatenate([np.zeros(clean), even_times(size - clean, rng)]))).float()
    dropped = torch.from_numpy(rng.random(size) < objective.get("label_drop", 0.0)).to(device)
    x0, told = augmented(section, pictures.x0(), pictures.labels, rng)
    if "classifier" in recipe:  # it is to see through the augmentation, not to be told of it
        given = pictures.labels
    else:
        label = torch.where(dropped, recipe["model"]["num_class_embeds"] - 1, pictures.labels)
        given = label if section is None else torch.cat([label.float()[:, None], told.to(device)], dim=1)
    return {"x0": x0, "given": given, "time": time.to(device), "noise": noise}


def draw_batch(recipe: dict, process: Process, step: int, pictures: Pictures) -> dict[str, torch.Tensor]:
    """The whole global batch of a step."""
    seed, size = recipe["train"]["seed"], recipe["train"]["batch"]
    picks = torch.from_numpy(picks_of(seed, step, size, len(pictures))).to(pictures.images.device)
    return draw(recipe, process, pictures[picks], np.random.default_rng((seed, DRAWS, step)))


class Guidance:
    """What classifier-free guidance adds to the answer of the weights that training starts from (Meng et al. 2023, arXiv 2210.03142,
    equation 4), at levels between those of `guidance_interval` (Kynkäänniemi et al. 2024, arXiv 2404.07724) or at all. It is nothing
    where there is no label, so the network stays good for further guidance."""

    def __init__(self, network: torch.nn.Module, recipe: dict, device: torch.device):
        self.network = copy.deepcopy(network).requires_grad_(False).eval().to(device)
        self.excess, self.none = recipe["objective"]["guidance"] - 1, recipe["model"]["num_class_embeds"] - 1
        self.low, self.high = recipe["objective"].get("guidance_interval", (0.0, math.inf))

    @torch.no_grad()
    def __call__(self, x: torch.Tensor, told: torch.Tensor, label: torch.Tensor, nsr: torch.Tensor) -> torch.Tensor:
        """Of the shape of x (N, C, H, W); nsr (N) is sigma / alpha."""
        answer = lambda labels: self.network(x, told, class_labels=labels, return_dict=False)[0]
        acts = (self.low <= nsr) & (nsr <= self.high)
        return self.excess * acts.view(-1, 1, 1, 1) * (answer(label) - answer(torch.full_like(label, self.none)))


class ClassTask:
    def __init__(self, recipe: dict, data: Path, out: Path, device: torch.device, share: slice):
        self.recipe, self.device, self.share = recipe, device, share
        self.pictures, self.held = (part and part.to(device) for part in read_pictures(recipe, data))
        self.network = build(recipe, out.parent / recipe["train"]["init"] if "init" in recipe["train"] else None)
        if "augment" in recipe and "model" in recipe:
            self.network.class_embedding = TellAugmentation(self.network.class_embedding)
        self.process = Process(recipe, device)
        self.teacher = Guidance(self.network, recipe, device) if "guidance" in recipe.get("objective", {}) else None

    def inputs_of(self, step: int) -> dict[str, torch.Tensor]:
        return {name: value[self.share] for name, value in draw_batch(self.recipe, self.process, step, self.pictures).items()}

    def losses(self, network, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        return self.process.errors(network, inputs["x0"], inputs["given"], inputs["time"], inputs["noise"],
                                   self.teacher)

    @torch.no_grad()
    def held_out(self, average: torch.nn.Module) -> float | None:
        """The plain error on pictures that training never sees, always the same with the same noise."""
        if self.held is None:
            return None
        rng = np.random.default_rng((self.recipe["train"]["seed"], HELD))
        picks = torch.from_numpy(rng.permutation(len(self.held))[:HELD_IMAGES])
        unchanged = self.recipe | {"objective": self.recipe["objective"] | {"label_drop": 0.0}}
        if "augment" in self.recipe:
            unchanged["augment"] = {"probability": 0.0}
        return torch.cat([self.losses(average, draw(unchanged, self.process, self.held[part.to(self.device)], rng))[1]
                          for part in picks.split(self.recipe["train"]["batch"])]).mean().item()

    @torch.no_grad()
    def clean_accuracy(self, classifier: NoisyClassifier) -> float:
        """Share of the held-out pictures, as they are, that the classifier takes for what they are."""
        right = sum((classifier(self.held[picks].x0(), torch.zeros(len(picks), device=self.device)).argmax(dim=1)
                     == self.held[picks].labels).sum().item() for picks in torch.arange(len(self.held), device=self.device).split(256))
        return right / len(self.held)

    def finish(self, average: torch.nn.Module, out: Path) -> None:
        if "classifier" not in self.recipe:
            export(average, self.process.scheduler, self.recipe, out)
            return
        save_classifier(average, out)
        if self.held is not None:
            print(f"held-out accuracy without noise: {100 * self.clean_accuracy(average):.2f} %")
