"""Write tests/golden/unet_variants: one small random network for each way in which a user's UNet2DModel may differ.

    python training/make_golden.py tests/golden/unet_variants
"""

import sys
from pathlib import Path

from fixture import save_fixture

COMMON = dict(sample_size=8, in_channels=3, out_channels=3, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
              down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"))
VARIANTS = {
    # google/ddpm-cifar10-32's conventions: asymmetric padding, sine before cosine, frequencies shifted by one
    "asymmetric-padding": dict(downsample_padding=0, freq_shift=1, flip_sin_to_cos=False, attention_head_dim=None, norm_eps=1e-6),
    "heads-of-8": dict(attention_head_dim=8, layers_per_block=2),
    # attention at the first level; 12x12, 6x6 and, at the bottom, an odd 3x3
    "classes-first-level-attention": dict(sample_size=12, in_channels=1, out_channels=1, num_class_embeds=4, attention_head_dim=4,
                             block_out_channels=(4, 8, 16), down_block_types=("AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
                             up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D")),
    "float16-no-mid-attention": dict(half=True, add_attention=False, attention_head_dim=8, mid_block_scale_factor=1.5,
                                     num_class_embeds=2),
    # told noise levels and not timesteps, at frequencies that are stored as float16 with the rest
    "fourier": dict(half=True, time_embedding_type="fourier", attention_head_dim=8),
}

if len(sys.argv) != 2:
    sys.exit("usage: make_golden.py FOLDER")
for seed, (name, differs) in enumerate(VARIANTS.items()):
    save_fixture(Path(sys.argv[1]) / name, seed=seed, batch=3, **(COMMON | differs))
