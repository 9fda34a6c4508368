"""Small pipelines of other kinds with random weights, stored in 16 bits, and the pictures that diffusers (0.42.1) draws with them.

    python more.py
"""

import pathlib
import shutil
import sys

import torch
from diffusers import (AutoencoderKL, EulerDiscreteScheduler, LatentConsistencyModelPipeline, LCMScheduler, StableDiffusionXLPipeline,
                       UNet2DConditionModel)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "networks"))
from settled import settle

torch.manual_seed(2)
LEVELS = dict(sample_size=8, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, attention_head_dim=2,
              down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
CURVE = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def tokenizer(**more):
    return CLIPTokenizer.from_pretrained(here.parent / "tokenizer", model_max_length=12, **more)


def text(width, kind=CLIPTextModel, **more):
    config = CLIPTextConfig(vocab_size=1114, hidden_size=width, intermediate_size=16, num_hidden_layers=3, num_attention_heads=2,
                            max_position_embeddings=12, projection_dim=6, bos_token_id=1112, eos_token_id=1113, **more)
    return settle(kind(config))


def vae():
    return settle(AutoencoderKL(block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4, latent_channels=4,
                                down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2))


def record(name, pipe, tokenizers, calls):
    folder = here / name
    shutil.rmtree(folder, ignore_errors=True)
    tensors = {}
    for run, call in calls.items():
        latents = pipe(generator=torch.Generator().manual_seed(40), output_type="latent", **call).images
        decoded = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
        tensors |= {f"{run}/x_final": latents.contiguous(), f"{run}/decoded": decoded.contiguous(),
                    f"{run}/image01": (decoded / 2 + 0.5).clamp(0, 1).contiguous()}
    pipe.to(torch.float16).save_pretrained(folder)
    for part in tokenizers:
        for file in ["tokenizer.json", "tokenizer.model"]:
            (folder / part / file).unlink(missing_ok=True)
        for file in ["vocab.json", "merges.txt"]:
            shutil.copy(here.parent / "tokenizer" / file, folder / part / file)
    save_file(tensors, folder / "oracle.safetensors")


lcm = LatentConsistencyModelPipeline(
    vae=vae(), text_encoder=text(8), tokenizer=tokenizer(), unet=settle(UNet2DConditionModel(cross_attention_dim=8, time_cond_proj_dim=7, **LEVELS)),
    scheduler=LCMScheduler(**CURVE), safety_checker=None, feature_extractor=None, requires_safety_checker=False)
record("lcm", lcm, ["tokenizer"], {"run": dict(prompt="a cat on the moon", guidance_scale=5.0, num_inference_steps=3)})

xl = StableDiffusionXLPipeline(
    vae=vae(), text_encoder=text(4), text_encoder_2=text(8, CLIPTextModelWithProjection, hidden_act="gelu"), tokenizer=tokenizer(),
    tokenizer_2=tokenizer(pad_token="!"),
    unet=settle(UNet2DConditionModel(cross_attention_dim=12, addition_embed_type="text_time", addition_time_embed_dim=4,
                                     projection_class_embeddings_input_dim=6 * 4 + 6, use_linear_projection=True,
                                     transformer_layers_per_block=(1, 2), **LEVELS)),
    scheduler=EulerDiscreteScheduler(**CURVE, steps_offset=1), add_watermarker=False)
record("xl", xl, ["tokenizer", "tokenizer_2"], {
    "run": dict(prompt="a cat on the moon", guidance_scale=3.0, num_inference_steps=5),
    "negative": dict(prompt="a cat on the moon", negative_prompt="night", guidance_scale=3.0, num_inference_steps=5),
})
