"""Write tests/golden/objective.safetensors: the forward process and L_simple as torch and diffusers compute them.

    python training/make_objective.py models/selftest tests/golden/objective.safetensors
"""

import sys

import torch
from diffusers import DDIMScheduler, UNet2DModel
from safetensors.torch import save_file

if len(sys.argv) != 3:
    sys.exit("usage: make_objective.py MODEL FILE")
unet = UNet2DModel.from_pretrained(sys.argv[1], subfolder="unet").eval()
scheduler = DDIMScheduler.from_pretrained(sys.argv[1], subfolder="scheduler")
generator = torch.Generator().manual_seed(3)
shape = (4, unet.config.in_channels, unet.config.sample_size, unet.config.sample_size)
x0 = torch.rand(shape, generator=generator) * 2 - 1
eps = torch.randn(shape, generator=generator)
t = torch.tensor([0, 250, 700, 999])
classes = torch.arange(4) % unet.config.num_class_embeds
x_t = scheduler.add_noise(x0, eps, t)
with torch.no_grad():
    loss = (unet(x_t, t, class_labels=classes).sample - eps).square().mean(dim=(1, 2, 3))
save_file({"x0": x0, "eps": eps, "t": t.float(), "class": classes.float(), "x_t": x_t, "loss": loss}, sys.argv[2])
