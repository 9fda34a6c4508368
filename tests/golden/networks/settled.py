"""Weights for references."""

import torch


def randn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def settle(model, dtype=torch.float16):
    """Weights such that a swapped or dropped parameter shows, as they are when they are stored."""
    for i, p in enumerate(model.parameters()):
        noise = randn(i, *p.shape)
        p.data = (p.data + (0.2 * noise if p.ndim == 1 else noise * p.data.std())).to(dtype).float()
    return model.eval().requires_grad_(False)
