"""Pictures from captions, in large batches: what the text models are looked at and measured with.

    python training/draw.py MODEL SHEET.png [--steps 20] [--guidance 3] [--seed 0] [--caption "red heart" …] [--data DIR]

Without captions the sheet shows 64 that a seeded draw picks from names of emoji, colours and compositions that training never saw.
A distilled model finds the parts that its card names in the folders beside it.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel

from canvas import Emoji
from networks import pictures_of, text_states
from recipe import Fault, read_recipe
from tokens import Tokens

SCHEDULERS = {"dpmpp-2m": DPMSolverMultistepScheduler, "ddim": DDIMScheduler, "lcm": LCMScheduler}


def scheduler_of(sampler: str, config: dict):
    """One of `SCHEDULERS` for the folder's config, which another class may have written. Latents have no bounds, and DDIM's default is to
    clip at 1."""
    return SCHEDULERS[sampler].from_config({**config, "clip_sample": False})


class Painter:
    """A text model ready to draw."""

    def __init__(self, folder: Path, device: torch.device, bf16: bool = False):
        """With matrix products in bfloat16 on a GPU, and elsewhere where `bf16` says so."""
        try:
            parts = json.loads((folder / "unnoise.json").read_text(encoding="utf-8")).get("parts", {})
            place = lambda part: folder.parent / parts[part] if part in parts else folder
            load = lambda kind, part: kind.from_pretrained(place(part), subfolder=part).float().eval().requires_grad_(False).to(device)
            self.unet = load(UNet2DConditionModel, "unet").to(memory_format=torch.channels_last)
            self.vae, self.text_encoder = load(AutoencoderKL, "vae"), load(CLIPTextModel, "text_encoder")
            self.tokens = Tokens.read(place("tokenizer") / "tokenizer")
            self.config = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError) as error:
            raise Fault(f"{folder} is not the folder of a text model: {error}") from error
        self.device, self.bf16 = device, bf16 or device.type == "cuda"

    @torch.no_grad()
    def __call__(self, captions: list[str], sampler: str, steps: int, guidance: float, seed: int = 0, batch: int = 512) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1]; picture i starts from torch's noise of seed + i."""
        return torch.cat([self.part(captions[i:i + batch], sampler, steps, guidance, seed + i)
                          for i in range(0, len(captions), batch)])

    def part(self, captions: list[str], sampler: str, steps: int, guidance: float, seed: int) -> torch.Tensor:
        side, channels = self.unet.config.sample_size, self.unet.config.in_channels
        x = torch.cat([torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(seed + i))
                       for i in range(len(captions))]).to(self.device)
        scheduler = scheduler_of(sampler, self.config)
        scheduler.set_timesteps(steps)
        generator = torch.Generator(self.device).manual_seed(seed)
        texts = captions if guidance == 1 else captions + [""] * len(captions)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            states = text_states(self.text_encoder, torch.from_numpy(self.tokens(texts)).to(self.device))
            for t in scheduler.timesteps:
                twice = x if guidance == 1 else torch.cat([x, x])
                out = self.unet(twice, t.to(self.device).expand(len(twice)), states, return_dict=False)[0].float()
                if guidance != 1:
                    told, free = out.chunk(2)
                    out = free + guidance * (told - free)
                options = {"generator": generator} if sampler == "lcm" else {}
                x = scheduler.step(out, t, x, **options).prev_sample
            return pictures_of(self.vae, x).clamp(-1, 1)


def drawn_captions(folder: Path, recipe: Path, count: int, seed: int) -> list[str]:
    """Half are names, a quarter recoloured things and a quarter pairs that training never saw; two of three are English."""
    emoji = Emoji(read_recipe(recipe), folder)
    scenes, rng, captions = emoji.scenes(held=True), random.Random(f"sheet-{seed}"), []
    for i in range(count):
        language = int(i % 3 == 2)
        kind = ("name", "coloured", "name", "pairs")[i // 2 % 4]
        captions.append(emoji.entries[scenes.any_base(rng)].name[language] if kind == "name"
                        else scenes.scene(rng, language, kind).caption)
    return captions


def save_sheet(pictures: torch.Tensor, path: Path, across: int) -> None:
    bytes_of = ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    rows = [np.concatenate(list(bytes_of[i:i + across]), axis=1) for i in range(0, len(bytes_of) - len(bytes_of) % across, across)]
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--caption", action="append")
    parser.add_argument("--data", type=Path, help="folder of the emoji, for captions that a seeded draw picks")
    parser.add_argument("--sampler", choices=SCHEDULERS, default="dpmpp-2m")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--across", type=int, default=8, help="pictures in a row of the sheet")
    given = parser.parse_args()
    try:
        if not given.caption and given.data is None:
            raise Fault("captions are needed: --caption, or --data to draw them")
        captions = given.caption or drawn_captions(given.data, given.model / "recipe.toml", 64, given.seed)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        pictures = Painter(given.model, device)(captions, given.sampler, given.steps, given.guidance, given.seed)
        save_sheet(pictures, given.sheet, given.across)
        given.sheet.with_suffix(".txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    except Fault as fault:
        sys.exit(f"draw.py: {fault}")


if __name__ == "__main__":
    main()
