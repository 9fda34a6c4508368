"""Write tests/golden/unet_variants: one small random network for each way in which a user's UNet2DModel may differ.

    python training/make_golden.py tests/golden/unet_variants
"""

import sys
from pathlib import Path

from fixture import save_fixture

COMMON = dict(sample_size=8, in_channels=3, out_channels=3, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
              down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"))
SMALL = dict(half=True, block_out_channels=(4, 8), norm_num_groups=2, attention_head_dim=4)
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
    # filtered levels with a picture beside the features
    "skip-levels": SMALL | dict(down_block_types=("SkipDownBlock2D",) * 2, up_block_types=("SkipUpBlock2D",) * 2, norm_num_groups=None,
                                sample_size=(8, 12), mid_block_scale_factor=2 ** 0.5),
    "attending-skip-levels": dict(half=True, block_out_channels=(32,), down_block_types=("AttnSkipDownBlock2D",), mid_block_type=None,
                                  up_block_types=("AttnSkipUpBlock2D",), attention_head_dim=8),
    # skip levels above others, and no more where the way up begins
    "skip-above-plain": SMALL | dict(down_block_types=("SkipDownBlock2D", "AttnDownBlock2D"), up_block_types=("UpBlock2D", "SkipUpBlock2D")),
    # levels of residual blocks that resample; attention without a normalisation in the middle, and one head too many for its channels
    "resnet-levels-scale-shift": SMALL | dict(down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D", "DownBlock2D"),
                                              up_block_types=("UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"), attention_head_dim=3,
                                              block_out_channels=(4, 8, 8), downsample_type="resnet", upsample_type="resnet", act_fn="gelu",
                                              resnet_time_scale_shift="scale_shift"),
    "learned-time": SMALL | dict(time_embedding_type="learned", num_train_timesteps=1000, act_fn="mish", attn_norm_num_groups=4,
                                 center_input_sample=True),
    "class-timestep": SMALL | dict(class_embed_type="timestep", num_class_embeds=5, act_fn="relu", time_embedding_dim=10),
    "class-identity": SMALL | dict(class_embed_type="identity", out_channels=6),
}

if len(sys.argv) != 2:
    sys.exit("usage: make_golden.py FOLDER")
for seed, (name, differs) in enumerate(VARIANTS.items()):
    save_fixture(Path(sys.argv[1]) / name, seed=seed, batch=3, **(COMMON | differs))
