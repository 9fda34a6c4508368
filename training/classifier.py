"""The classifier of noisy pictures that `[classifier]` describes (Dhariwal & Nichol 2021, arXiv 2105.05233, section 4.1):
the way down of diffusers' UNet2DModel, the mean over the picture, and a linear map. Parameters are named as in the Rust
library's `NoisyClassifier`."""

import json
from pathlib import Path

import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from safetensors.torch import save_file

DEFAULTS = {"layers_per_block": 2, "norm_num_groups": 32, "norm_eps": 1e-5}


class DownBlock(torch.nn.Module):
    def __init__(self, inputs: int, outputs: int, embedding: int, options: dict, last: bool):
        super().__init__()
        norm = {"groups": options["norm_num_groups"], "eps": options["norm_eps"]}
        self.resnets = torch.nn.ModuleList(
            ResnetBlock2D(in_channels=outputs if layer else inputs, out_channels=outputs, temb_channels=embedding, **norm)
            for layer in range(options["layers_per_block"]))
        self.downsamplers = torch.nn.ModuleList([] if last else [Downsample2D(outputs, use_conv=True, name="op")])


class NoisyClassifier(torch.nn.Module):
    def __init__(self, section: dict):
        super().__init__()
        self.section = section
        options = DEFAULTS | section
        channels = options["block_out_channels"]
        self.time_proj = Timesteps(channels[0], flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(channels[0], 4 * channels[0])
        self.conv_in = torch.nn.Conv2d(options["in_channels"], channels[0], 3, padding=1)
        self.down_blocks = torch.nn.ModuleList(
            DownBlock(channels[max(0, i - 1)], channels[i], 4 * channels[0], options, last=i + 1 == len(channels))
            for i in range(len(channels)))
        self.conv_norm_out = torch.nn.GroupNorm(options["norm_num_groups"], channels[-1], options["norm_eps"])
        self.classifier = torch.nn.Linear(channels[-1], options["num_classes"])

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Logits (N, num_classes) of noisy pictures at the times that the network is told."""
        emb = self.time_embedding(self.time_proj(t).to(x.dtype))
        x = self.conv_in(x)
        for block in self.down_blocks:
            for resnet in block.resnets:
                x = resnet(x, emb)
            for downsampler in block.downsamplers:
                x = downsampler(x)
        return self.classifier(torch.nn.functional.silu(self.conv_norm_out(x)).mean(dim=(2, 3)))


def save_classifier(model: NoisyClassifier, out: Path) -> None:
    """The folder that `unnoise` reads, with float16 weights."""
    out.mkdir(parents=True, exist_ok=True)
    config = {"_class_name": "NoisyClassifier"} | model.section
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    halves = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(halves, out / "diffusion_pytorch_model.safetensors")
