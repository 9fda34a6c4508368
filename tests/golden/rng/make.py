"""Writes rng.json and rng.safetensors: draws of torch's CPU generator, which tests/noise.rs repeats.

    pip install torch safetensors numpy && python make.py

Each case is one generator; tensor "<id>/<k>" is its k-th draw. The id starts with the torch function that drew.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent
DTYPES = {"float32": torch.float32, "float64": torch.float64}
SEEDS = [0, 42, 2**32 - 1, 2**32 + 1, 2**53 - 1]

cases, tensors = [], {}
for name, dtype, seed, draws in (
    [("randn", "float32", seed, [784]) for seed in SEEDS]
    # Single draws, blocks, uneven blocks, and single draws again: the spare number outlives the blocks.
    + [("randn", dtype, 42, [3, 4, 16, 1, 33, 5, 15, 100, 2, 2]) for dtype in DTYPES]
    + [("randn", "float64", seed, [7, 20]) for seed in SEEDS]
    + [("rand", dtype, seed, [5, 700]) for dtype in DTYPES for seed in (0, 42)]
):
    generator = torch.Generator().manual_seed(seed)
    case = {"id": f"{name}.{dtype}.s{seed}.{'-'.join(map(str, draws))}", "seed": seed, "dtype": dtype, "draws": draws}
    cases.append(case)
    for k, n in enumerate(draws):
        tensors[f"{case['id']}/{k}"] = getattr(torch, name)(n, generator=generator, dtype=DTYPES[dtype])

index = {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability(), "cases": cases}
(FOLDER / "rng.json").write_text(json.dumps(index, indent=1) + "\n")
save_file(tensors, FOLDER / "rng.safetensors")
