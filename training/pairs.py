"""Pairs for reflow: noise, and the picture that a flow matching model's ODE leads it to.

    python training/pairs.py MODEL PAIRS.safetensors --count 20000

Straightens the paths of a flow when it is trained again on them (Liu et al. 2022, arXiv 2209.03003). Pair i starts from torch's
noise with seed i and has label i mod classes; the noise itself is not stored, for the seed says it.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DModel
from safetensors.torch import save_file
from tqdm import tqdm

from data import noise_of_seeds
from recipe import Fault


@torch.no_grad()
def flow_back(model: UNet2DModel, noise: torch.Tensor, label: torch.Tensor, steps: int, timesteps: int) -> torch.Tensor:
    """dx/dt = v(x, t) from t = 1 to 0 in even steps: Adams and Bashforth's rule of order 2, which asks the network once a
    step, started by Heun's."""
    def velocity(x, t):
        with torch.autocast(x.device.type, torch.bfloat16):
            return model(x, torch.full((len(x),), t * timesteps, device=x.device), class_labels=label).sample.float()

    x, back = noise, 1 / steps
    last = velocity(x, 1.0)
    x = x - back * (last + velocity(x - back * last, 1.0 - back)) / 2
    for i in range(steps - 1, 0, -1):
        now = velocity(x, i / steps)
        x, last = x - back * (1.5 * now - 0.5 * last), now
    return x


def make_pairs(folder: Path, out: Path, count: int, steps: int, batch: int) -> None:
    try:
        model = UNet2DModel.from_pretrained(folder, subfolder="unet").eval()
        scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(folder, subfolder="scheduler")
        null = json.loads((folder / "unnoise.json").read_text(encoding="utf-8"))["null_class"]
    except (OSError, ValueError, KeyError) as error:
        raise Fault(f"{folder} is not the folder of a flow matching model: {error}") from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, timesteps = model.to(device, memory_format=torch.channels_last), scheduler.config.num_train_timesteps
    seeds, labels, images = torch.arange(count), torch.arange(count) % null, []
    shape = (model.config.in_channels, model.config.sample_size, model.config.sample_size)
    for start in tqdm(range(0, count, batch), unit="batch", mininterval=1.0 if sys.stderr.isatty() else 30.0):
        part = slice(start, start + batch)
        noise = noise_of_seeds(seeds[part], shape).to(device)
        images.append(flow_back(model, noise, labels[part].to(device), steps, timesteps).half().cpu())
    save_file({"images": torch.cat(images), "labels": labels, "seeds": seeds}, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, help="folder of a flow matching model")
    parser.add_argument("out", type=Path, help="safetensors file to write")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--steps", type=int, default=16, help="steps from noise to picture")
    parser.add_argument("--batch", type=int, default=250)
    given = parser.parse_args()
    try:
        make_pairs(given.model, given.out, given.count, given.steps, given.batch)
    except Fault as fault:
        sys.exit(f"pairs.py: {fault}")


if __name__ == "__main__":
    main()
