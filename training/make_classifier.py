"""Write tests/golden/classifier: a small random classifier in the layout of `unnoise train`, with what torch answers.

    python training/make_classifier.py tests/golden/classifier
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from classifier import NoisyClassifier, save_classifier

if len(sys.argv) != 2:
    sys.exit("usage: make_classifier.py FOLDER")
folder = Path(sys.argv[1])
torch.manual_seed(5)
model = NoisyClassifier({"in_channels": 3, "num_classes": 5, "block_out_channels": [8, 12, 16], "layers_per_block": 2,
                         "norm_num_groups": 4}).eval().requires_grad_(False)
for parameter in model.parameters():  # gains of one and biases of zero would hide a swapped or dropped tensor
    parameter.add_(0.1 * torch.randn_like(parameter))
save_classifier(model, folder)
model = model.half().float()  # as it is stored
x, t = torch.randn(3, 3, 10, 10), torch.tensor([0.0, 300.0, 950.0])  # 10, 5 and, at the bottom, an odd 3 pixels
save_file({"x": x, "t": t, "logits": model(x, t)}, folder / "oracle.safetensors")
