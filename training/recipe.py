"""What a training run is made of: the recipe (TOML) and the network that it describes."""

import tomllib
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DModel

from classifier import NoisyClassifier

WEIGHTS, ORDER, DRAWS, HELD = range(4)  # independent random streams of one seed


class Fault(Exception):
    """Something the person at the keyboard can put right; the message is one sentence for them."""


# Section -> (required keys, optional keys), or by the section's own `kind` or `format`. [model] is checked by UNet2DModel itself.
BETAS = ({"kind", "timesteps", "beta_start", "beta_end"}, {"zero_terminal_snr"})
SECTIONS = {
    "data": {"idx": ({"dataset", "format", "images", "labels"}, {"test_images", "test_labels"}),
             "emoji": ({"dataset", "format", "images", "labels", "base_repeats"}, set()),
             "safetensors": ({"dataset", "format", "images"}, set())},
    "model": None,
    "schedule": {"linear": BETAS, "scaled_linear": BETAS, "squaredcos_cap_v2": BETAS,
                 "flow": ({"kind", "timesteps"}, set()),
                 "ve": ({"kind", "sigma_min", "sigma_max"}, set())},
    "objective": ({"prediction", "label_drop"}, {"min_snr_gamma", "logit_normal", "guidance", "guidance_interval"}),
    "augment": ({"probability"}, {"shift", "fill", "flip", "hue"}),
    "train": ({"seed", "images", "batch", "lr", "warmup_images", "betas", "weight_decay", "clip", "ema_decays",
               "precision", "checkpoint_minutes"}, {"init"}),
    "page": ({"name", "description", "classes", "licence", "clip_denoised"}, {"background", "defaults", "classifier"}),
}
OPTIONAL = {"augment"}
CLASSIFIER = {section: SECTIONS[section] for section in ("data", "schedule", "augment", "train")} | {
    "classifier": ({"in_channels", "num_classes", "block_out_channels"}, {"layers_per_block", "norm_num_groups", "norm_eps"}),
    "objective": ({"prediction"}, {"clean_share", "logit_normal"}),
}
SCENES = ({"plain", "coloured", "mirrored", "sized", "pairs", "counts", "chinese", "base_share"}, set())
TOKENS = {"tokenizer": ({"size", "length"}, set()), "text_encoder": None}
ON_SCENES = {
    "data": {"scenes": ({"dataset", "format", "images", "labels", "captions"}, set())},
    "scenes": SCENES,
    "train": ({"workers"} | SECTIONS["train"][0], set()),
}
TEXT_PAGE = ({"name", "description", "licence"}, {"defaults", "parts"})
KINDS = {  # by the section that only this kind has; a recipe without any of them is of classes
    "classifier": CLASSIFIER,
    "autoencoder": ON_SCENES | {"autoencoder": None, "objective": ({"l1", "mse", "gradients", "kl", "shuffle"}, set()),
                                "train": (ON_SCENES["train"][0], {"init"})},
    "judge": ON_SCENES | TOKENS | {"judge": ({"channels", "side", "size"}, set()), "train": (ON_SCENES["train"][0], {"init"})},
    "turbo": ON_SCENES | TOKENS | {"unet": None, "turbo": ({"teacher", "guidance", "grid", "huber", "blend"}, set()), "schedule": SECTIONS["schedule"],
                                   "latents": ({"autoencoder"}, set()), "objective": ({"caption_drop"}, set()), "page": TEXT_PAGE},
    "unet": ON_SCENES | TOKENS | {"unet": None, "schedule": SECTIONS["schedule"], "latents": ({"autoencoder"}, set()),
                                  "objective": ({"caption_drop"}, set()), "page": TEXT_PAGE,
                                  "train": (ON_SCENES["train"][0], {"init"})},
}
PREDICTIONS = {"flow": {"flow_prediction"}, "ve": {"score"}}  # every other kind: the three of DDIMScheduler


def read_recipe(path: Path) -> dict:
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fault(f"cannot read the recipe {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Fault(f"{path} is not TOML: {error}") from error
    sections = KINDS.get(kind_of(recipe), SECTIONS)
    for section in recipe.keys() - sections.keys():
        raise Fault(f"{path}: unknown section [{section}]; a recipe has {', '.join(sections)}")
    for section, keys in sections.items():
        if section not in recipe and section not in OPTIONAL:
            raise Fault(f"{path}: the section [{section}] is missing")
        if section in recipe and keys is not None:
            check_keys(path, section, recipe[section], keys)
    check_values(path, recipe)
    return recipe


def kind_of(recipe: dict) -> str:
    return next((kind for kind in KINDS if kind in recipe), "classes")


def check_keys(path: Path, section: str, given: dict, keys) -> None:
    if isinstance(keys, dict):
        name = "format" if section == "data" else "kind"
        if given.get(name) not in keys:
            raise Fault(f"{path}: [{section}] {name} is {given.get(name)!r}; it can be {', '.join(keys)}")
        keys = keys[given[name]]
    required, optional = keys
    for key in sorted(given.keys() - required - optional):
        raise Fault(f"{path}: unknown key `{key}` in [{section}]; it takes {', '.join(sorted(required | optional))}")
    for key in sorted(required - given.keys()):
        raise Fault(f"{path}: the key `{key}` is missing in [{section}]")


def check_values(path: Path, recipe: dict) -> None:
    train = recipe["train"]
    if not train["images"] >= train["batch"] >= 1:
        raise Fault(f"{path}: [train] needs images >= batch >= 1, got {train['images']} and {train['batch']}")
    if not train["ema_decays"]:
        raise Fault(f"{path}: [train] ema_decays is empty; one decay is needed, as in [0.999]")
    if kind_of(recipe) not in ("classes", "classifier"):
        return
    objective, kind = recipe["objective"], recipe["schedule"]["kind"]
    if "classifier" in recipe:
        if objective["prediction"] != "class":
            raise Fault(f"{path}: [objective] prediction is \"{objective['prediction']}\"; a classifier's is \"class\"")
        return
    labelled = recipe["model"].get("num_class_embeds")
    if labelled != len(recipe["page"]["classes"]) + 1:
        raise Fault(f"{path}: num_class_embeds is {labelled}, but [page] names {len(recipe['page']['classes'])} classes "
                    "and one row is for no label")
    fitting = PREDICTIONS.get(kind, {"epsilon", "sample", "v_prediction"})
    if objective["prediction"] not in fitting:
        raise Fault(f"{path}: [objective] prediction = \"{objective['prediction']}\" does not go with [schedule] kind = "
                    f"\"{kind}\", which takes {', '.join(sorted(fitting))}")
    if "guidance" in objective and ("init" not in train or "augment" in recipe or objective["guidance"] <= 1):
        raise Fault(f"{path}: [objective] guidance = {objective['guidance']} must be above 1, and goes with [train] init, whose answers "
                    "it guides, and without [augment]")
    if "guidance_interval" in objective:
        match objective["guidance_interval"]:
            case [int() | float() as low, int() | float() as high] if 0 <= low < high and "guidance" in objective: pass
            case interval:
                raise Fault(f"{path}: [objective] guidance_interval = {interval} must be two rising values of sigma / alpha, with guidance, "
                            "which acts between them")
    if "min_snr_gamma" in objective and kind in PREDICTIONS:
        raise Fault(f"{path}: min_snr_gamma weighs variance-preserving schedules, and [schedule] kind is \"{kind}\"")


def what_changed(old: dict, new: dict) -> list[str]:
    """Names of the keys that make `new` another training run than `old`; the page's words do not count."""
    sections = [section for section in old.keys() | new.keys() if section != "page"]
    pairs = [(section, key) for section in sections for key in old.get(section, {}).keys() | new.get(section, {}).keys()]
    return sorted(f"[{section}] {key}" for section, key in pairs
                  if key != "checkpoint_minutes" and old.get(section, {}).get(key) != new.get(section, {}).get(key))


def seeded_weights(recipe: dict) -> None:
    """Weights that are built from here on are a function of the seed."""
    torch.manual_seed(int(np.random.SeedSequence((recipe["train"]["seed"], WEIGHTS)).generate_state(1)[0]))


def build(recipe: dict, init: Path | None = None) -> UNet2DModel | NoisyClassifier:
    """The network: with weights that are a function of the seed, or those of the model in the folder `init`."""
    seeded_weights(recipe)
    if "classifier" in recipe:
        try:
            return NoisyClassifier(recipe["classifier"])
        except (TypeError, ValueError, RuntimeError) as error:
            raise Fault(f"[classifier] does not describe a network that can be built: {error}") from error
    try:
        model = UNet2DModel(**{key: tuple(v) if isinstance(v, list) else v for key, v in recipe["model"].items()})
    except (TypeError, ValueError, NotImplementedError) as error:
        raise Fault(f"[model] does not describe a network that diffusers can build: {error}") from error
    if init is not None:
        try:
            model.load_state_dict(UNet2DModel.from_pretrained(init, subfolder="unet").state_dict())
        except (OSError, RuntimeError) as error:
            raise Fault(f"[train] init: {init} does not hold a model of the shape that [model] describes: {error}") from error
    return model
