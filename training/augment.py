"""Augmentation that the network is told of (Karras et al. 2022, arXiv 2206.00364, appendix F.2), so that it does not leak
into samples: while sampling it is told of none."""

import math

import numpy as np
import torch

TOLD = 5  # mirrored, shift across and down, cosine of the hue's angle less one, and its sine


def augmented(section: dict | None, x0: torch.Tensor, labels: torch.Tensor, rng: np.random.Generator):
    """The pictures, changed, and what the network is told of it, (N, TOLD)."""
    told = torch.zeros(len(x0), TOLD)
    if section is None:
        return x0, told
    chance, x0 = section["probability"], x0.clone()
    # Every draw is made for every picture, so that one kind of change does not move the next one's numbers.
    hits, parts = rng.random((3, len(x0))) < chance, rng.random((3, len(x0)))
    shift, hue, flip = section.get("shift", 0), section.get("hue", 0.0), set(section.get("flip", []))
    for i in range(len(x0)):
        if hits[0, i] and int(labels[i]) in flip:
            x0[i] = x0[i].flip(-1)
            told[i, 0] = 1
        if hits[1, i] and shift:
            across, down = (int(part * (2 * shift + 1)) - shift for part in parts[:2, i])
            x0[i] = shifted(x0[i], across, down, section.get("fill", 1.0))
            told[i, 1], told[i, 2] = across / shift, down / shift
        if hits[2, i] and hue:
            angle = 2 * math.pi * hue * (2 * parts[2, i] - 1)
            x0[i] = hue_turned(x0[i], angle)
            told[i, 3], told[i, 4] = math.cos(angle) - 1, math.sin(angle)
    return x0, told


def shifted(picture: torch.Tensor, across: int, down: int, fill: float) -> torch.Tensor:
    height, width = picture.shape[1:]
    reach = max(abs(across), abs(down))
    padded = torch.nn.functional.pad(picture, (reach,) * 4, value=fill)
    return padded[:, reach - down:reach - down + height, reach - across:reach - across + width]


def hue_turned(picture: torch.Tensor, angle: float) -> torch.Tensor:
    """Colours turned about the axis of greys, which stay (Rodrigues' rotation formula)."""
    cos, part = math.cos(angle), (1 - math.cos(angle)) / 3
    cross = math.sin(angle) / math.sqrt(3)
    turn = torch.tensor([[cos + part, part - cross, part + cross],
                         [part + cross, cos + part, part - cross],
                         [part - cross, part + cross, cos + part]])
    return torch.einsum("ij,jhw->ihw", turn, picture).clamp(-1, 1)


class TellAugmentation(torch.nn.Module):
    """In the place of a network's class embedding: takes rows of (label, *told) and adds to the label's row a linear map of
    `told`, which is nothing where nothing was changed. Only the label's rows are exported."""

    def __init__(self, embedding: torch.nn.Embedding):
        super().__init__()
        self.weight = embedding.weight
        self.augment = torch.nn.Linear(TOLD, embedding.embedding_dim, bias=False)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.embedding(given[:, 0].long(), self.weight) + self.augment(given[:, 1:])
