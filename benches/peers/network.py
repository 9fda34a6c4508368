"""The network of a model folder in torch, as a yardstick.

    python network.py export DIR FILE     writes it as ONNX, of any number of images, and prints what it takes for one image as JSON
    python network.py time DIR            prints the milliseconds of an evaluation, by threads and by number of images, as JSON

Needs torch and diffusers, and onnx with onnxscript to export.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel, UNet2DModel

IMAGES = (1, 4, 16)


class Network(torch.nn.Module):
    """The network with its output as a tensor, and a class or a text for each image."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        kinds = {kind.__name__: kind for kind in (UNet2DModel, UNet2DConditionModel)}
        config = json.loads((folder / "unet/config.json").read_text())
        self.unet = kinds[config["_class_name"]].from_pretrained(folder / "unet").eval()
        tokenizer = folder / "tokenizer/tokenizer_config.json"
        self.tokens = json.loads(tokenizer.read_text())["model_max_length"] if tokenizer.exists() else None

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        return self.unet(sample, timestep, condition, return_dict=False)[0]

    def inputs(self, images: int) -> dict[str, torch.Tensor]:
        config = self.unet.config
        size, random = config.sample_size, torch.Generator().manual_seed(0)
        condition = torch.zeros(images, dtype=torch.long)
        if self.tokens:
            condition = torch.randn(images, self.tokens, config.cross_attention_dim, generator=random)
        return {"sample": torch.randn(images, config.in_channels, size, size, generator=random), "timestep": torch.full((images,), 500),
                "condition": condition}


def export(network: Network, file: Path) -> None:
    """The number of images is written as 1 in places where it is traced as a constant, so it is traced with two."""
    batch, inputs = torch.export.Dim("images", min=1, max=64), network.inputs(2)
    with contextlib.redirect_stdout(sys.stderr):
        torch.onnx.export(network, tuple(inputs.values()), str(file), input_names=list(inputs), output_names=["output"],
                          dynamic_shapes=tuple({0: batch} for _ in inputs), dynamo=True, external_data=False)
    print(json.dumps({name: {"shape": x.shape[1:], "type": "float32" if x.is_floating_point() else "int64"} for name, x in inputs.items()}))


def measure(network: Network, rounds: int = 5) -> dict[int, dict[int, float]]:
    """The best of some rounds each, which take turns."""
    best: dict[int, dict[int, float]] = {}
    for _ in range(rounds):
        for threads in sorted({1, os.cpu_count() or 1}):
            torch.set_num_threads(threads)
            for images in IMAGES:
                inputs = network.inputs(images)
                start = time.perf_counter()
                network(**inputs)
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
