"""A small text-to-image pipeline with random weights, stored in 16 bits, and the picture that diffusers (0.42.1) draws with it.

    python make.py
"""

import pathlib
import shutil
import sys

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "networks"))
from settled import settle

folder = here / "text"
shutil.rmtree(folder, ignore_errors=True)
torch.manual_seed(1)
tokenizer = CLIPTokenizer.from_pretrained(here.parent / "tokenizer", model_max_length=12)
text = CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
                      max_position_embeddings=12, projection_dim=8, bos_token_id=1112, eos_token_id=1113)
unet = UNet2DConditionModel(sample_size=8, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, cross_attention_dim=8,
                            attention_head_dim=2, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
vae = AutoencoderKL(block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4, latent_channels=4,
                    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2)
scheduler = PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1)
pipe = StableDiffusionPipeline(vae=settle(vae), text_encoder=settle(CLIPTextModel(text)), tokenizer=tokenizer, unet=settle(unet),
                               scheduler=scheduler, safety_checker=None, feature_extractor=None)
call = dict(prompt="a cat on the moon", negative_prompt="night", guidance_scale=3.0, num_inference_steps=6, output_type="latent")
latents = pipe(generator=torch.Generator().manual_seed(40), **call).images
decoded = vae.decode(latents / vae.config.scaling_factor).sample
image01 = (decoded / 2 + 0.5).clamp(0, 1)
pipe.to(torch.float16).save_pretrained(folder)
for name in ["tokenizer.json", "tokenizer.model"]:
    (folder / "tokenizer" / name).unlink(missing_ok=True)
for name in ["vocab.json", "merges.txt"]:
    shutil.copy(here.parent / "tokenizer" / name, folder / "tokenizer" / name)
save_file({"run/x_final": latents.contiguous(), "run/decoded": decoded.contiguous(), "run/image01": image01.contiguous()}, folder / "oracle.safetensors")
