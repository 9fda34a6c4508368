"""Pairs for reflow: noise, and the picture that a model's ODE maps it to.

    python training/pairs.py MODEL PAIRS.safetensors --count 20000

Straightens the paths of a flow when it is trained again on them (Liu et al. 2022, arXiv 2209.03003). The model is of flow matching,
or a diffusion model: the probability-flow ODE of either couples noise and pictures in the same way, for x_t = (1 - t) x0 + t eps is the
diffusion's alpha x0 + sigma eps scaled by 1 / (alpha + sigma) (Kingma & Gao 2023, arXiv 2303.00848, appendix D). A pair
starts from torch's noise of its seed and has label seed mod classes; the noise itself is not stored, for the seed gives it. The default
seeds are not those that `unnoise quality` measures with, so what is measured starts from noise that training has not seen.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, UNet2DModel
from safetensors.torch import save_file
from tqdm import tqdm

from data import noise_of_seeds
from recipe import Fault


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


def diffusion_back(model: UNet2DModel, noise: torch.Tensor, label: torch.Tensor, steps: int, config: dict) -> torch.Tensor:
    """The diffusion's probability-flow ODE by DPM-Solver++(2M), from the last training time to 0."""
    solver = DPMSolverMultistepScheduler.from_config(config, timestep_spacing="trailing")
    solver.set_timesteps(steps)
    x = noise
    for t in solver.timesteps:
        with torch.autocast(x.device.type, torch.bfloat16):
            answer = model(x, t.to(x.device), class_labels=label).sample.float()
        x = solver.step(answer, t, x).prev_sample
    return x


def scheduler_of(folder: Path) -> DDIMScheduler | FlowMatchEulerDiscreteScheduler:
    name = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")).get("_class_name")
    kinds = {kind.__name__: kind for kind in (DDIMScheduler, FlowMatchEulerDiscreteScheduler)}
    if name not in kinds:
        raise ValueError(f"its scheduler is {name}, not {' or '.join(kinds)}")
    return kinds[name].from_pretrained(folder, subfolder="scheduler")


@torch.no_grad()
def make_pairs(folder: Path, out: Path, first: int, count: int, steps: int, batch: int) -> None:
    try:
        model = UNet2DModel.from_pretrained(folder, subfolder="unet").eval()
        scheduler = scheduler_of(folder)
        null = json.loads((folder / "unnoise.json").read_text(encoding="utf-8"))["null_class"]
    except (OSError, ValueError, KeyError) as error:
        raise Fault(f"{folder} is not the folder of a model of ours: {error}") from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device, memory_format=torch.channels_last)
    seeds, images = torch.arange(first, first + count), []
    labels = seeds % null
    shape = (model.config.in_channels, model.config.sample_size, model.config.sample_size)
    for start in tqdm(range(0, count, batch), unit="batch", mininterval=1.0 if sys.stderr.isatty() else 30.0):
        part = slice(start, start + batch)
        noise = noise_of_seeds(seeds[part], shape).to(device)
        label = labels[part].to(device)
        if isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
            x = flow_back(model, noise, label, steps, scheduler.config.num_train_timesteps)
        else:
            x = diffusion_back(model, noise, label, steps, scheduler.config)
        images.append(x.clamp(-1, 1).half().cpu())
    save_file({"images": torch.cat(images), "labels": labels, "seeds": seeds}, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, help="folder of a model with classes, of flow matching or diffusion")
    parser.add_argument("out", type=Path, help="safetensors file to write")
    parser.add_argument("--seed", type=int, default=100000, help="seed of the first pair; the next ones have the numbers after it")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--steps", type=int, default=16, help="steps from noise to picture")
    parser.add_argument("--batch", type=int, default=250)
    given = parser.parse_args()
    try:
        make_pairs(given.model, given.out, given.seed, given.count, given.steps, given.batch)
    except Fault as fault:
        sys.exit(f"pairs.py: {fault}")


if __name__ == "__main__":
    main()
