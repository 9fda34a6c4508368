"""The emoji as one tensor on the device, in their own and in other colours, and scenes drawn from them."""

import zipfile
from pathlib import Path

import numpy as np
import torch

from captions import COLOURS
from recipe import Fault

# Hue in turns, saturation and value that a thing of each colour has on the average.
TARGETS = torch.tensor([(0.00, 0.85, 0.86), (0.078, 0.90, 0.96), (0.142, 0.85, 0.97), (0.36, 0.75, 0.62), (0.60, 0.80, 0.85),
                        (0.765, 0.65, 0.70), (0.93, 0.42, 0.97), (0.065, 0.65, 0.47), (0.0, 0.08, 0.20), (0.0, 0.03, 0.60)])
BAND = 0.14  # how far, in turns, a pixel's hue may lie from the main one to be recoloured with it
ENOUGH = 0.45  # share of the opaque picture that the main hue must cover for the thing to have one colour


def read_rgba(data: dict, folder: Path) -> torch.Tensor:
    try:
        with np.load(folder / data["images"]) as arrays:
            return torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2).contiguous()
    except FileNotFoundError as error:
        raise Fault(f"{error.filename} is missing: --data must name the folder that holds it") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Fault(f"{folder} does not hold packed pictures: {error}") from error


def to_hsv(rgb: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) in [0, 1]; the hue in turns."""
    value, which = rgb.max(dim=1)
    chroma = value - rgb.amin(dim=1)
    r, g, b = rgb.unbind(dim=1)
    safe = chroma.clamp(min=1e-6)
    hue = torch.where(which == 0, (g - b) / safe, torch.where(which == 1, 2 + (b - r) / safe, 4 + (r - g) / safe)) / 6
    return torch.stack([hue % 1.0, chroma / value.clamp(min=1e-6), value], dim=1)


def to_rgb(hsv: torch.Tensor) -> torch.Tensor:
    hue, saturation, value = hsv.unbind(dim=1)
    def channel(n: int) -> torch.Tensor:
        k = (n + 6 * hue) % 6
        return value - value * saturation * torch.minimum(k, 4 - k).clamp(0, 1)
    return torch.stack([channel(5), channel(3), channel(1)], dim=1)


def main_colours(rgba: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 3) mean hue, saturation and value of the main hue's band, and (N,) the share of the picture that it covers."""
    bins, means, shares = 24, [], []
    for part in rgba.split(256):
        hsv = to_hsv(part[:, :3].float() / 255).flatten(2)
        opaque = part[:, 3].flatten(1).float() / 255
        weight = opaque * (hsv[:, 1] > 0.2) * (hsv[:, 2] > 0.15)
        places = (hsv[:, 0] * bins).long().clamp(max=bins - 1)
        histogram = torch.zeros(len(part), bins).scatter_add_(1, places, weight)
        smooth = histogram + histogram.roll(1, 1) + histogram.roll(-1, 1)
        centre = (smooth.argmax(dim=1).float()[:, None] + 0.5) / bins
        off = (hsv[:, 0] - centre + 0.5) % 1.0 - 0.5
        inside = weight * (off.abs() < BAND)
        total = inside.sum(dim=1).clamp(min=1e-6)
        mean = lambda of: (of * inside).sum(dim=1) / total
        means.append(torch.stack([(centre[:, 0] + mean(off)) % 1.0, mean(hsv[:, 1]), mean(hsv[:, 2])], dim=1))
        shares.append(inside.sum(dim=1) / opaque.sum(dim=1).clamp(min=1e-6))
    return torch.cat(means), torch.cat(shares)


def natural_colours(rgba: torch.Tensor) -> list[int | None]:
    """The colour's number where a picture has one main colour, else None."""
    means, shares = main_colours(rgba)
    off = (means[:, None, 0] - TARGETS[None, :8, 0] + 0.5) % 1.0 - 0.5
    distance = (3 * off).square() + (0.5 * (means[:, None, 1:] - TARGETS[None, :8, 1:])).square().sum(dim=2)
    return [int(colour) if share >= ENOUGH else None for colour, share in zip(distance.argmin(dim=1), shares)]


def recoloured(rgba: torch.Tensor, main: torch.Tensor, colour: int) -> torch.Tensor:
    """The pixels near the main hue moved to that colour: shades stay, and so do parts of other hues, like an apple's leaf."""
    hsv, target = to_hsv(rgba[:, :3].float() / 255), TARGETS[colour]
    hue, saturation, value = hsv.unbind(dim=1)
    main = main[:, :, None, None]
    off = (hue - main[:, 0] + 0.5) % 1.0 - 0.5
    inside = (off.abs() < BAND) & (saturation > 0.12)
    new = torch.stack([(target[0] + 0.25 * off) % 1.0,
                       (saturation * (target[1] / main[:, 1].clamp(min=0.1))).clamp(0, 1),
                       (value * (target[2] / main[:, 2].clamp(min=0.1))).clamp(0, 1)], dim=1)
    rgb = to_rgb(torch.where(inside[:, None], new, hsv))
    return torch.cat([(rgb * 255).round().to(torch.uint8), rgba[:, 3:]], dim=1)


class Sprites:
    """Draws packed scenes. The last sprite is empty."""

    def __init__(self, rgba: torch.Tensor, natural: list[int | None], device: torch.device):
        means, _ = main_colours(rgba)
        picks = torch.tensor([i for i, colour in enumerate(natural) if colour is not None], dtype=torch.long)
        table = torch.zeros(len(rgba) + 1, len(COLOURS) + 1, dtype=torch.long)
        table[:-1] = torch.arange(len(rgba))[:, None]
        bank = [rgba]
        for colour in range(len(COLOURS)):
            table[picks, colour + 1] = sum(map(len, bank)) + torch.arange(len(picks))
            bank.append(torch.cat([torch.empty_like(rgba[:0]),
                                   *(recoloured(rgba[part], means[part], colour) for part in picks.split(256))]))
        table[-1] = sum(map(len, bank))
        whole = torch.cat([*bank, torch.zeros_like(rgba[:1])])
        alpha = whole[:, 3:].to(torch.int32)
        whole[:, :3] = ((whole[:, :3].to(torch.int32) * alpha + 127) // 255).to(torch.uint8)  # premultiplied, for resampling
        self.large = whole.to(device)
        self.small = torch.cat([torch.nn.functional.avg_pool2d(part.float(), 2).round().to(torch.uint8)
                                for part in self.large.split(1024)])
        self.table = table.to(device)

    def draw(self, what: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] on white, from `packed` scenes on the device."""
        index = self.table[what[..., 0].long(), what[..., 1].long().clamp(min=0)]  # -1 picks the last row, which is empty
        canvas = torch.ones(len(what), 3, *self.large.shape[2:], device=what.device)
        for slot in range(what.shape[1]):
            bank = self.large if slot == 0 else self.small
            x, y, size, mirror = where[:, slot].unbind(dim=1)
            zero = torch.zeros_like(x)
            # From the canvas, in [-1, 1], to the sprite.
            theta = torch.stack([torch.stack([mirror / size, zero, -mirror * (2 * x - 1) / size], dim=1),
                                 torch.stack([zero, 1 / size, -(2 * y - 1) / size], dim=1)], dim=1)
            grid = torch.nn.functional.affine_grid(theta, [len(what), 1, *canvas.shape[2:]], align_corners=False)
            over = torch.nn.functional.grid_sample(bank[index[:, slot]].float() / 255, grid, align_corners=False)
            canvas = over[:, :3] + canvas * (1 - over[:, 3:])
        return 2 * canvas - 1
