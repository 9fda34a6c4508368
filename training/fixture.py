"""Small random networks in diffusers' folder layout, with what torch answers for them."""

import json
import math
from pathlib import Path

import torch
from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel
from safetensors.torch import save_file


def save_fixture(folder: Path, seed: int, batch: int = 2, half: bool = False, **config) -> None:
    """Write unet/, scheduler/, model_index.json and oracle.safetensors.

    oracle.safetensors (all float32): x (B, C, H, W), t (B,), class (B,) where the network takes classes, condition (B, width) where
    it takes the embedding of one, out (B, C, H, W).
    With `half` the weights are stored as float16; the answer is computed in float32 from what is stored.
    """
    torch.manual_seed(seed)
    model = UNet2DModel(**config).eval().requires_grad_(False)
    for parameter in model.parameters():  # gains of one and biases of zero would hide a swapped or dropped tensor
        parameter.add_(0.1 * torch.randn_like(parameter))
    if half:
        model = model.half()
    folder.mkdir(parents=True, exist_ok=True)
    DDIMPipeline(model, DDIMScheduler(clip_sample=False)).save_pretrained(folder)
    size = model.config.sample_size
    x = torch.randn(batch, model.config.in_channels, *([size, size] if isinstance(size, int) else size))
    # Levels of noise are mixed within the batch.
    if model.config.time_embedding_type == "fourier":
        t = torch.logspace(math.log10(50), -2, batch)
    else:
        t = torch.linspace(950, 20, batch).round()
    oracle = {"x": x, "t": t}
    label = None
    if model.config.class_embed_type == "identity":
        label = oracle["condition"] = torch.randn(batch, model.time_embedding.linear_2.out_features)
    elif classes := model.config.num_class_embeds:
        label = torch.arange(batch) % classes
        oracle["class"] = label.float()
    if model.config.time_embedding_type == "learned":
        t = t.long()
    oracle["out"] = model.float()(x, t, class_labels=label).sample
    save_file({name: tensor.contiguous() for name, tensor in oracle.items()}, folder / "oracle.safetensors")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(json.dumps({"folder": str(folder), "bytes": size, "parameters": sum(p.numel() for p in model.parameters()),
                      "largest_output": round(oracle["out"].abs().max().item(), 3)}))
