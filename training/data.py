"""The pictures and labels that a recipe's [data] section names."""

import gzip
import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from recipe import Fault


@dataclass
class Pictures:
    """`images` (N, channels, height, width), bytes or floats in [-1, 1]; `labels` (N,) int64. Where `noises` are given, each
    picture belongs to that noise and to no other."""
    images: torch.Tensor
    labels: torch.Tensor
    noises: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, picks) -> "Pictures":
        return Pictures(self.images[picks], self.labels[picks], None if self.noises is None else self.noises[picks])

    def to(self, device: torch.device) -> "Pictures":
        return Pictures(self.images.to(device), self.labels.to(device), None if self.noises is None else self.noises.to(device))

    def x0(self) -> torch.Tensor:
        """The pictures as float32 in [-1, 1]."""
        return self.images.float() / 127.5 - 1.0 if self.images.dtype == torch.uint8 else self.images.float()


def noise_of_seeds(seeds: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The noise of torch's generator for each seed."""
    return torch.cat([torch.randn((1, *shape), generator=torch.Generator().manual_seed(seed)) for seed in seeds.tolist()])


def read_pictures(recipe: dict, folder: Path) -> tuple[Pictures, Pictures | None]:
    """What to train on, and what was held out of it, where the data set says."""
    data = recipe["data"]
    seen, held = {"idx": idx, "emoji": emoji, "safetensors": safetensors}[data["format"]](data, folder)
    got = tuple(seen.images.shape[1:])
    if "classifier" in recipe:
        shape, classes = (recipe["classifier"]["in_channels"], *got[1:]), recipe["classifier"]["num_classes"]
    else:
        model = recipe["model"]
        shape, classes = (model["in_channels"], model["sample_size"], model["sample_size"]), model["num_class_embeds"] - 1
    if got != shape:
        raise Fault(f"{data['images']} holds images of shape {got}, the recipe expects {shape}")
    if not 0 <= seen.labels.min() <= seen.labels.max() < classes:
        raise Fault(f"{data['labels']} holds the label {int(seen.labels.max())}, the recipe knows {classes} classes")
    return seen, held


def idx(data: dict, folder: Path) -> tuple[Pictures, Pictures | None]:
    def pair(images: str, labels: str) -> Pictures:
        pictures = Pictures(read_idx(folder / images).unsqueeze(1), read_idx(folder / labels).long())
        if len(pictures.images) != len(pictures.labels):
            raise Fault(f"{images} holds {len(pictures.images)} images, {labels} {len(pictures.labels)} labels")
        return pictures

    return (pair(data["images"], data["labels"]),
            pair(data["test_images"], data["test_labels"]) if "test_images" in data else None)


def read_idx(path: Path) -> torch.Tensor:
    """One gzipped IDX file of bytes (yann.lecun.com/exdb/mnist): 0, 0, 8, rank, then big-endian sizes, then the bytes."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise Fault(f"{path} is missing: --data must name the folder that holds it") from error
    except (OSError, EOFError) as error:
        raise Fault(f"cannot read {path}: {error}") from error
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or len(raw) < 4 + 4 * raw[3]:
        raise Fault(f"{path} is not an IDX file of bytes")
    shape = struct.unpack(f">{raw[3]}I", raw[4:4 + 4 * raw[3]])
    values = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if values.size != np.prod(shape):
        raise Fault(f"{path} is cut short: it promises {shape} bytes and holds {values.size}")
    return torch.from_numpy(values.reshape(shape).copy())


def emoji(data: dict, folder: Path) -> tuple[Pictures, Pictures]:
    """Noto emoji on white. The label is the group, and 8 more for a variant. Every tenth base emoji and all its variants
    are held out, for a variant differs from its base in little."""
    try:
        with np.load(folder / data["images"]) as arrays:
            rgba = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2).float()
            label = torch.from_numpy(arrays["group"] + 8 * (1 - arrays["is_base"].astype(np.int64)))
        rows = json.loads((folder / data["labels"]).read_text(encoding="utf-8"))["emoji"]
        bases = {"_".join(row["codepoints"]): row["index"] for row in rows if row["kind"] == "base"}
        held = torch.tensor([bases[row["base"]] % 10 == 9 for row in rows])
    except FileNotFoundError as error:
        raise Fault(f"{error.filename} is missing: --data must name the folder that holds it") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Fault(f"{folder} does not hold packed Noto emoji: {error}") from error
    alpha = rgba[:, 3:] / 255
    pictures = Pictures((rgba[:, :3] * alpha + 255 * (1 - alpha)).round().to(torch.uint8), label)
    seen = torch.arange(len(label))[~held]
    # Variants outnumber the base emoji, of which there is but one each.
    order = torch.cat([seen[label[seen] >= 8], seen[label[seen] < 8].repeat(data["base_repeats"])])
    return pictures[order], pictures[held]


def safetensors(data: dict, folder: Path) -> tuple[Pictures, None]:
    path = folder / data["images"]
    try:
        tensors = load_file(path)
        noises = noise_of_seeds(tensors["seeds"], tensors["images"].shape[1:]) if "seeds" in tensors else None
        return Pictures(tensors["images"], tensors["labels"], noises), None
    except FileNotFoundError as error:
        raise Fault(f"{path} is missing: --data must name the folder that holds it") from error
    except (OSError, SafetensorError, KeyError) as error:
        raise Fault(f"{path} does not hold `images` and `labels` in safetensors: {error}") from error
