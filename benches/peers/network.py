"""The network of a model folder in torch, as a yardstick.

    python network.py export DIR FILE     writes it as ONNX, of any number of images
    python network.py time DIR            prints the milliseconds of an evaluation, by threads and by number of images, as JSON

Needs torch and diffusers, and onnx with onnxscript to export.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch
from diffusers import UNet2DModel

IMAGES = (1, 4, 16)


class Network(torch.nn.Module):
    """The network with its output as a tensor and a class for each image."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.unet = UNet2DModel.from_pretrained(folder / "unet").eval()

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.unet(sample, timestep, labels, return_dict=False)[0]

    def inputs(self, images: int) -> tuple[torch.Tensor, ...]:
        config = self.unet.config
        size = config.sample_size
        noise = torch.randn(images, config.in_channels, size, size, generator=torch.Generator().manual_seed(0))
        return noise, torch.full((images,), 500), torch.zeros(images, dtype=torch.long)


def export(network: Network, file: Path) -> None:
    """The number of images is written as 1 in places where it is traced as a constant, so it is traced with two."""
    batch = torch.export.Dim("images", min=1, max=64)
    torch.onnx.export(network, network.inputs(2), str(file), input_names=["sample", "timestep", "labels"], output_names=["output"],
                      dynamic_shapes=({0: batch}, {0: batch}, {0: batch}), dynamo=True, external_data=False)


def measure(network: Network, rounds: int = 5) -> dict[int, dict[int, float]]:
    """The best of some rounds each, which take turns."""
    best: dict[int, dict[int, float]] = {}
    for _ in range(rounds):
        for threads in sorted({1, os.cpu_count() or 1}):
            torch.set_num_threads(threads)
            for images in IMAGES:
                inputs = network.inputs(images)
                start = time.perf_counter()
                network(*inputs)
                took = 1e3 * (time.perf_counter() - start)
                times = best.setdefault(threads, {})
                times[images] = min(took, times.get(images, took))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("task", choices=["export", "time"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    given = parser.parse_args()
    network = Network(given.folder)
    with torch.no_grad():
        if given.task == "time":
            print(json.dumps(measure(network)))
        elif given.file is None:
            parser.error("export needs the file to write")
        else:
            export(network, given.file)


if __name__ == "__main__":
    main()
