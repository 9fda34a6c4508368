"""Scenes as the batches of a step: workers make scenes and captions, the device draws them."""

import random
from pathlib import Path

import numpy as np
import torch

from captions import read_entries
from recipe import DRAWS
from scenes import Scenes, packed
from sprites import Sprites, natural_colours, read_rgba
from tokens import Tokens, train_tokenizer

EVERY = 50  # one base emoji of so many, with its variants, is kept from the autoencoder
CAPTIONS = 120_000  # that the tokenizer's merges are learnt from


class Emoji:
    """The pictures, their words and the scenes that a recipe's [scenes] makes of them."""

    def __init__(self, recipe: dict, folder: Path, without_held: bool = False):
        self.recipe, data = recipe, recipe["data"]
        self.entries, self.rgba = read_entries(data, folder), read_rgba(data, folder)
        self.natural = natural_colours(self.rgba)
        bases = [entry.code.split("-")[0] for entry in self.entries if entry.base]
        held = {code for number, code in enumerate(dict.fromkeys(bases)) if number % EVERY == EVERY - 1}
        self.kept_back = frozenset(i for i, entry in enumerate(self.entries) if entry.code.split("-")[0] in held)
        self.without = self.kept_back if without_held else frozenset()

    def scenes(self, held: bool = False) -> Scenes:
        return Scenes(self.entries, self.natural, self.recipe["scenes"], self.without, held)

    def sprites(self, device: torch.device) -> Sprites:
        return Sprites(self.rgba, self.natural, device)

    def tokens(self) -> Tokens:
        """Merges learnt from captions as training draws them, a function of the seed."""
        rng, scenes, section = random.Random(f"tokenizer-{self.recipe['train']['seed']}"), self.scenes(), self.recipe["tokenizer"]
        learnt = train_tokenizer([scenes.scene(rng).caption for _ in range(CAPTIONS)], section["size"])
        return Tokens(*learnt, section["length"])


class SceneBatches(torch.utils.data.Dataset):
    """Item `step` is the packed global batch of that step."""

    def __init__(self, scenes: Scenes, tokens: Tokens | None, seed: int, size: int, share: slice, drop: float = 0.0,
                 wrong: bool = False):
        self.scenes, self.tokens, self.seed, self.size, self.share = scenes, tokens, seed, size, share
        self.drop, self.wrong = drop, wrong

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        rng = random.Random(f"{self.seed}-{DRAWS}-{step}")
        scenes = [self.scenes.scene(rng) for _ in range(self.size)][self.share]
        what, where = packed(scenes)
        batch = {"what": what, "where": where}
        if self.tokens is not None:
            dropped = np.random.default_rng((self.seed, DRAWS, step)).random(self.size)[self.share] < self.drop
            batch["ids"] = self.tokens(["" if gone else scene.caption for scene, gone in zip(scenes, dropped)])
        if self.wrong:
            batch["wrong"] = self.tokens([self.scenes.wrong(scene, rng) for scene in scenes])
        return {name: torch.from_numpy(value) for name, value in batch.items()}


class Stream:
    """Batches in the order of the steps, made ahead by worker processes where there are any to spare."""

    def __init__(self, dataset: torch.utils.data.Dataset, workers: int, device: torch.device):
        self.dataset, self.workers, self.device, self.next = dataset, workers, device, None

    def __call__(self, step: int) -> dict[str, torch.Tensor]:
        if not self.workers:
            return {name: value.to(self.device) for name, value in self.dataset[step].items()}
        if step != self.next:
            # A list stands for the endless order: the loop stops asking when it is done.
            order = range(step, step + 10_000_000)
            self.batches = iter(torch.utils.data.DataLoader(
                self.dataset, batch_size=None, sampler=order, num_workers=self.workers, prefetch_factor=8,
                pin_memory=self.device.type == "cuda"))
        self.next = step + 1
        return {name: value.to(self.device, non_blocking=True) for name, value in next(self.batches).items()}
