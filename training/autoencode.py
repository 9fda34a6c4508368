"""Recipes with [autoencoder]: pictures to latents and back."""

import json
import random
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from canvas import Emoji, SceneBatches, Stream
from classes import normal
from networks import Autoencoding, read_autoencoder
from recipe import DRAWS, Fault
from scenes import packed


def gradients(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return pictures[..., 1:] - pictures[..., :-1], pictures[..., 1:, :] - pictures[..., :-1, :]


def start_from(network: Autoencoding, folder: Path) -> None:
    """The weights of a finished autoencoder in the place of random ones. They were stored in float16."""
    try:
        network.vae.load_state_dict(read_autoencoder(folder).state_dict())
    except RuntimeError as error:
        raise Fault(f"[train] init: {folder} does not hold an autoencoder of the shape that the recipe describes: {error}") from error


class AutoencoderTask:
    def __init__(self, recipe: dict, data: Path, out: Path, device: torch.device, share: slice):
        self.recipe, self.device = recipe, device
        self.network = Autoencoding(recipe)
        train = recipe["train"]
        if "init" in train:
            start_from(self.network, out.parent / train["init"])
        self.emoji = Emoji(recipe, data, without_held=True)
        self.sprites = self.emoji.sprites(device)
        self.share, self.size = share, train["batch"]
        self.stream = Stream(SceneBatches(self.emoji.scenes(), None, train["seed"], train["batch"], share), train["workers"], device)

    def inputs_of(self, step: int) -> dict[str, torch.Tensor]:
        seed, packed_scenes = self.recipe["train"]["seed"], self.stream(step)
        pictures = self.sprites.draw(packed_scenes["what"], packed_scenes["where"])
        rng = np.random.default_rng((seed, DRAWS, step))
        pictures = shuffled_colours(pictures, self.recipe["objective"]["shuffle"], rng, self.share, self.size)
        side = self.network.vae.config.sample_size // 2 ** (len(self.network.vae.config.block_out_channels) - 1)
        noise = normal((self.size, self.network.vae.config.latent_channels, side, side), rng, self.device)[self.share]
        return {"pictures": pictures.contiguous(memory_format=torch.channels_last), "noise": noise}

    def losses(self, network, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        objective, pictures = self.recipe["objective"], inputs["pictures"]
        out, mean, logvar = network(pictures, inputs["noise"])
        error = out - pictures
        mse = error.square().mean(dim=(1, 2, 3))
        edges = sum((of - to).abs().mean(dim=(1, 2, 3)) for of, to in zip(gradients(out), gradients(pictures)))
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean(dim=(1, 2, 3))
        return (objective["l1"] * error.abs().mean(dim=(1, 2, 3)) + objective["mse"] * mse + objective["gradients"] * edges
                + objective["kl"] * kl), mse

    @torch.no_grad()
    def held_out(self, average: Autoencoding) -> float | None:
        """Mean square error on the kept-back emoji, from the mean of their latents."""
        pictures = self.kept_back()
        return self.reconstructed(average, pictures).sub_(pictures).square().mean().item()

    def kept_back(self) -> torch.Tensor:
        what = torch.full((len(self.emoji.kept_back), 1, 2), 0, device=self.device)
        what[:, 0, 0] = torch.tensor(sorted(self.emoji.kept_back))
        return self.sprites.draw(what, torch.tensor([0.5, 0.5, 1.0, 1.0], device=self.device).expand(len(what), 1, 4))

    @torch.no_grad()
    def reconstructed(self, average: Autoencoding, pictures: torch.Tensor) -> torch.Tensor:
        side = pictures.shape[2] // 2 ** (len(average.vae.config.block_out_channels) - 1)
        zero = torch.zeros(1, average.vae.config.latent_channels, side, side, device=self.device)
        return torch.cat([average(part, zero)[0].clamp(-1, 1) for part in pictures.split(256)])

    @torch.no_grad()
    def finish(self, average: Autoencoding, out: Path) -> None:
        """The `vae` folder, with the factor that gives latents of scenes a deviation of 1, and figures on the kept-back emoji."""
        rng, scenes = random.Random("scaling"), self.emoji.scenes()
        what, where = (torch.from_numpy(part).to(self.device) for part in packed([scenes.scene(rng) for _ in range(1024)]))
        zero = torch.zeros(1, 1, 1, 1, device=self.device)
        means = torch.cat([average(part, zero)[1] for part in self.sprites.draw(what, where).split(128)])
        average.vae.register_to_config(scaling_factor=1 / means.std().item())
        pictures = self.kept_back()
        again = self.reconstructed(average, pictures)
        mse = ((again - pictures) / 2).square().mean(dim=(1, 2, 3))
        figures = {"kept_back": len(pictures), "psnr": (-10 * mse.log10()).mean().item(),
                   "ssim": ssim((again + 1) / 2, (pictures + 1) / 2).mean().item(),
                   "latent_mean": means.mean(dim=(0, 2, 3)).tolist(), "latent_std": means.std(dim=(0, 2, 3)).tolist()}
        (out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        print(f"kept-back emoji ({len(pictures)}): PSNR {figures['psnr']:.2f} dB, SSIM {figures['ssim']:.4f}")
        average.vae.half().save_pretrained(out / "vae")


def shuffled_colours(pictures: torch.Tensor, share: float, rng: np.random.Generator, part: slice, size: int) -> torch.Tensor:
    """Red, green and blue exchanged in a share of the pictures, and half of all mirrored: more shades from the same drawings."""
    order = np.where(rng.random(size)[:, None] < share, rng.permuted(np.tile(np.arange(3), (size, 1)), axis=1), np.arange(3))[part]
    flip = torch.from_numpy(rng.random(size)[part] < 0.5).to(pictures.device)[:, None, None, None]
    pictures = torch.where(flip, pictures.flip(-1), pictures)
    return pictures.gather(1, torch.from_numpy(order).to(pictures.device)[:, :, None, None].expand_as(pictures))


def ssim(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Structural similarity of pictures in [0, 1], each channel by itself (Wang et al. 2004), with their Gaussian window of
    11 pixels and deviation 1.5."""
    places = torch.arange(11, device=one.device) - 5.0
    line = torch.exp(-places.square() / (2 * 1.5**2))
    window = torch.outer(line, line) / line.sum() ** 2
    blur = lambda x: functional.conv2d(x.flatten(0, 1)[:, None], window[None, None])
    mean_one, mean_other = blur(one), blur(other)
    var_one, var_other = blur(one * one) - mean_one**2, blur(other * other) - mean_other**2
    covariance = blur(one * other) - mean_one * mean_other
    c1, c2 = 0.01**2, 0.03**2
    found = ((2 * mean_one * mean_other + c1) * (2 * covariance + c2)
             / ((mean_one**2 + mean_other**2 + c1) * (var_one + var_other + c2)))
    return found.flatten(1).mean(dim=1).view(len(one), -1).mean(dim=1)
