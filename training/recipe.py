"""What a training run is made of: the recipe (TOML), the data set it names and the network it describes."""

import gzip
import struct
import tomllib
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DModel

WEIGHTS, ORDER, DRAWS = range(3)  # independent random streams of one seed


class Fault(Exception):
    """Something the person at the keyboard can put right; the message is one sentence for them."""


# Section -> (required keys, optional keys). [model] is checked against UNet2DModel by UNet2DModel itself.
SECTIONS = {
    "data": ({"dataset", "format", "images", "labels"}, set()),
    "model": None,
    "schedule": ({"kind", "timesteps", "beta_start", "beta_end"}, set()),
    "objective": ({"prediction", "label_drop"}, {"min_snr_gamma"}),
    "train": ({"seed", "images", "batch", "lr", "warmup_images", "betas", "weight_decay", "clip", "ema_decay",
               "precision", "checkpoint_minutes"}, set()),
    "page": ({"name", "description", "classes", "licence", "clip_denoised"}, set()),
}


def read_recipe(path: Path) -> dict:
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fault(f"cannot read the recipe {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Fault(f"{path} is not TOML: {error}") from error
    for section in recipe.keys() - SECTIONS.keys():
        raise Fault(f"{path}: unknown section [{section}]; a recipe has {', '.join(SECTIONS)}")
    for section, keys in SECTIONS.items():
        if section not in recipe:
            raise Fault(f"{path}: the section [{section}] is missing")
        if keys is None:
            continue
        required, optional = keys
        for key in sorted(recipe[section].keys() - required - optional):
            raise Fault(f"{path}: unknown key `{key}` in [{section}]; it takes {', '.join(sorted(required | optional))}")
        for key in sorted(required - recipe[section].keys()):
            raise Fault(f"{path}: the key `{key}` is missing in [{section}]")
    train, labelled = recipe["train"], recipe["model"].get("num_class_embeds")
    if labelled != len(recipe["page"]["classes"]) + 1:
        raise Fault(f"{path}: num_class_embeds is {labelled}, but [page] names {len(recipe['page']['classes'])} classes "
                    "and one row is for no label")
    if not train["images"] >= train["batch"] >= 1:
        raise Fault(f"{path}: [train] needs images >= batch >= 1, got {train['images']} and {train['batch']}")
    return recipe


def what_changed(old: dict, new: dict) -> list[str]:
    """Names of the keys that make `new` another training run than `old`; the page's words do not count."""
    pairs = [(section, key) for section in SECTIONS if section != "page" for key in old[section].keys() | new[section].keys()]
    return sorted(f"[{section}] {key}" for section, key in pairs
                  if key != "checkpoint_minutes" and old[section].get(key) != new[section].get(key))


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


def read_data(recipe: dict, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (N, channels, height, width) as bytes, and labels (N,) as int64."""
    data, model = recipe["data"], recipe["model"]
    if data["format"] != "idx":
        raise Fault(f"[data] format = \"{data['format']}\" is unknown; this trainer reads \"idx\"")
    images, labels = read_idx(folder / data["images"]).unsqueeze(1), read_idx(folder / data["labels"]).long()
    if len(images) != len(labels):
        raise Fault(f"{data['images']} holds {len(images)} images, {data['labels']} {len(labels)} labels")
    if tuple(images.shape[1:]) != (model["in_channels"], model["sample_size"], model["sample_size"]):
        raise Fault(f"{data['images']} holds images of shape {tuple(images.shape[1:])}, [model] expects "
                    f"{model['in_channels']}x{model['sample_size']}x{model['sample_size']}")
    if labels.max() >= model["num_class_embeds"] - 1:
        raise Fault(f"{data['labels']} holds the label {int(labels.max())}, [page] names {model['num_class_embeds'] - 1} classes")
    return images, labels


def build(recipe: dict) -> tuple[UNet2DModel, DDIMScheduler]:
    schedule = recipe["schedule"]
    torch.manual_seed(int(np.random.SeedSequence((recipe["train"]["seed"], WEIGHTS)).generate_state(1)[0]))
    try:
        model = UNet2DModel(**{key: tuple(v) if isinstance(v, list) else v for key, v in recipe["model"].items()})
        scheduler = DDIMScheduler(schedule["timesteps"], schedule["beta_start"], schedule["beta_end"], schedule["kind"],
                                  clip_sample=False, prediction_type=recipe["objective"]["prediction"])
    except (TypeError, ValueError, NotImplementedError) as error:
        raise Fault(f"[model] or [schedule] does not describe a network that diffusers can build: {error}") from error
    return model, scheduler
