"""Small networks with random weights, and what diffusers (0.42.1) and transformers (5.24) compute with them.

    python make.py

Each folder holds config.json, model.safetensors and oracle.safetensors: a network's inputs and outputs in 32 bits.
"""

import json
import pathlib
import shutil

import torch
from diffusers import AutoencoderKL, DiTTransformer2DModel, UNet2DConditionModel, VQModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from settled import randn, settle

here = pathlib.Path(__file__).parent


def save(name, model, oracle, rename=lambda key: key, dtype=torch.float16):
    folder = here / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else dict(model.config)
    if hasattr(model, "_diffusers_version") or "architectures" not in config:
        config = {k: v for k, v in config.items() if not k.startswith("_")}
    (folder / "config.json").write_text(json.dumps(config, indent=1, default=str) + "\n")
    weights = {rename(k): v.to(dtype).contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    save_file({k: v.contiguous() for k, v in oracle.items()}, folder / "oracle.safetensors")


def unet(name, inputs={}, dtype=torch.float16, **config):
    torch.manual_seed(1)
    config = {"sample_size": 8, "block_out_channels": (4, 8), "layers_per_block": 1, "norm_num_groups": 2} | config
    config = {"cross_attention_dim": 6, "attention_head_dim": 2} | config
    levels = len(config["block_out_channels"])
    config |= {"down_block_types": ("CrossAttnDownBlock2D",) * levels, "up_block_types": ("CrossAttnUpBlock2D",) * levels}
    model = settle(UNet2DConditionModel(**config), dtype)
    x, text = randn(2, 2, config.get("in_channels", 4), 7, 8), randn(3, 2, 5, 6)
    t = torch.tensor([37.0, 901.0])
    added = {k: inputs[k] for k in ["text_embeds", "time_ids"] if k in inputs}
    out = model(x, t, text, timestep_cond=inputs.get("guidance"), added_cond_kwargs=added or None, class_labels=inputs.get("class")).sample
    save(name, model, {"x": x, "t": t, "text": text, "out": out, **inputs}, dtype=dtype)


def clip(name, kind, **config):
    torch.manual_seed(1)
    config = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3} | config
    config = CLIPTextConfig(num_attention_heads=4, max_position_embeddings=9, projection_dim=10, **config)
    model = settle(kind(config))
    ids = torch.tensor([[38, 3, 4, 39, 0, 0, 0, 0, 0], [38, 5, 6, 7, 8, 9, 39, 39, 39]])
    out = model(ids, output_hidden_states=True)
    oracle = {"ids": ids, "last": out.last_hidden_state, "penultimate": out.hidden_states[-2]}
    oracle["pooled"] = out.text_embeds if kind is CLIPTextModelWithProjection else out.pooler_output
    model.config.architectures = [kind.__name__]
    prefixed = lambda key: key if key.startswith("text_") else f"text_model.{key}"
    save(name, model, oracle, rename=prefixed)


def coder(name, kind, rename=lambda key: key, **config):
    torch.manual_seed(1)
    levels = len(config["block_out_channels"])
    config |= {"down_block_types": ("DownEncoderBlock2D",) * levels, "up_block_types": ("UpDecoderBlock2D",) * levels}
    model = settle(kind(norm_num_groups=4, **config))
    if kind is VQModel:
        # As long as latents are, so that which one is near is decided by more than its direction.
        model.quantize.embedding.weight.data.mul_(8)
    image, latents = randn(4, 2, 3, 8, 12), randn(5, 2, config["latent_channels"], 3, 4)
    oracle = {"image": image, "latents": latents, "decoded": model.decode(latents).sample}
    if kind is VQModel:
        oracle["encoded"] = model.encode(image).latents
        quantized, _, (_, _, numbers) = model.quantize(latents)
        oracle |= {"quantized": quantized, "numbers": numbers.reshape(2, 3, 4)}
    else:
        latent = model.encode(image).latent_dist
        oracle |= {"mean": latent.mean, "logvar": latent.logvar}
    save(name, model, oracle, rename=rename)


def legacy(key):
    for now, then in [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")]:
        key = key.replace(now, then)
    return key


unet("unet-inpainting", in_channels=9, only_cross_attention=[True, False], num_class_embeds=3,
     inputs={"class": torch.tensor([2, 0])})
unet("unet-sd2", use_linear_projection=True, attention_head_dim=[1, 4], resnet_time_scale_shift="scale_shift", act_fn="gelu",
     dtype=torch.bfloat16)
unet("unet-sdxl", use_linear_projection=True, transformer_layers_per_block=[1, 2], addition_embed_type="text_time",
     addition_time_embed_dim=4, projection_class_embeddings_input_dim=10 + 6 * 4, mid_block_scale_factor=1.5,
     inputs={"text_embeds": randn(6, 2, 10), "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64], [32, 48, 1, 2, 64, 96]])})
unet("unet-lcm", block_out_channels=(4,), time_cond_proj_dim=6, flip_sin_to_cos=False, freq_shift=1, downsample_padding=0, dtype=torch.float64,
     inputs={"guidance": randn(7, 2, 6)})
clip("clip-quick", CLIPTextModel, eos_token_id=2)
clip("clip-projection", CLIPTextModelWithProjection, hidden_act="gelu", eos_token_id=39)
coder("kl-legacy", AutoencoderKL, legacy, block_out_channels=(8, 8), latent_channels=4, layers_per_block=1)
coder("kl-plain", AutoencoderKL, block_out_channels=(4, 8), latent_channels=3, layers_per_block=2, use_quant_conv=False,
      use_post_quant_conv=False, mid_block_add_attention=False, shift_factor=0.5, act_fn="mish")
coder("vq", VQModel, block_out_channels=(8, 8), latent_channels=4, layers_per_block=1, num_vq_embeddings=9, vq_embed_dim=4)

torch.manual_seed(1)
dit = dict(num_attention_heads=2, attention_head_dim=8, in_channels=3, out_channels=6, num_layers=2, sample_size=8,
           num_embeds_ada_norm=5, patch_size=2)
dit = settle(DiTTransformer2DModel(**dit))
oracle = {"x": randn(8, 2, 3, 8, 8), "t": torch.tensor([12.0, 700.0]), "class": torch.tensor([5, 2])}
save("dit", dit, oracle | {"out": dit(oracle["x"], oracle["t"], class_labels=oracle["class"]).sample})
