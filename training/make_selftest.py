"""Write models/selftest: the network by which the page finds out whether this browser's WebGPU computes correctly.

    python training/make_selftest.py models/selftest

It is random, tiny, and has every kind of block that models/fashion-mnist has.
"""

import sys
from pathlib import Path

from fixture import save_fixture

if len(sys.argv) != 2:
    sys.exit("usage: make_selftest.py FOLDER")
save_fixture(Path(sys.argv[1]), seed=20, sample_size=12, in_channels=1, out_channels=1, block_out_channels=(8, 12),
             layers_per_block=1, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
             up_block_types=("AttnUpBlock2D", "UpBlock2D"), attention_head_dim=4, norm_num_groups=4, num_class_embeds=3)
