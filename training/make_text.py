"""Write tests/golden/text_training: toy scenes, starting weights and recipes of a small autoencoder, a small
text-conditioned denoiser, its distillation, and a small judge, with what this program makes of them: scenes, pictures, and the losses of every
step; and what the judge in training/emoji-judge says of a few pictures and captions.

    python training/make_text.py tests/golden/text_training
"""

import json
import random
import re
import shutil
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

import loop
from canvas import Emoji, SceneBatches
from judging import read_judge, write_judge
from networks import Autoencoding, Judge, TextDenoiser
from recipe import read_recipe
from scenes import packed
from sprites import to_rgb
from tokens import Tokens
from train import train

RECIPES = Path(__file__).parent.parent / "recipes"
THINGS, BASES = 60, 52  # of these, one of fifty is kept back
SIDE = 32
SMALL = ((r"^sample_size = \d+", "sample_size = 8"), (r"^block_out_channels = .*", "block_out_channels = [8, 16]"),
         (r"^norm_num_groups = \d+", "norm_num_groups = 4"), (r"^attention_head_dim = \d+", "attention_head_dim = 2"),
         (r"^size = 6000", "size = 600"), (r"^hidden_size = \d+", "hidden_size = 16"), (r"^num_hidden_layers = \d+", "num_hidden_layers = 2"),
         (r"^intermediate_size = \d+", "intermediate_size = 32"), (r"^num_attention_heads = 4", "num_attention_heads = 2"),
         (r"^caption_drop = .*", "caption_drop = 0.3"), (r'"emoji-autoencoder"', '"autoencoder-start"'))
EDITS = {
    "both": ((r"^images = \d+", "images = 48"), (r"^batch = \d+", "batch = 4"), (r"^workers = \d+", "workers = 0"),
             (r"^warmup_images = \d+", "warmup_images = 16"), (r'^precision = "bf16"', 'precision = "no"'), (r'"noto-emoji-64', '"toy'),
             (r'"noto-emoji\.json', '"toy.json'), (r"^ema_decays = .*", "ema_decays = [0.9]"),
             (r"^mirrored = [\d.]+", "mirrored = 0.1"), (r" *# .*", "")),
    "autoencoder": ((r"^sample_size = \d+", f"sample_size = {SIDE}"), (r"^block_out_channels = .*", "block_out_channels = [8, 8, 16]"),
                    (r"^norm_num_groups = \d+", "norm_num_groups = 4"), (r"^kl = .*", "kl = 1e-2"),
                    (r"^\[page\]", "[page]"), (r"^ema_decays", 'init = "autoencoder-start"\nema_decays')),
    "text": (*SMALL, (r"^ema_decays", 'init = "text-start"\nema_decays')),
    "judge": (*SMALL, (r"^channels = .*", "channels = [8, 16, 16]"), (r"^size = 128", "size = 16"),
              (r"^ema_decays", 'init = "judge-start"\nema_decays')),
    "text-turbo": (*SMALL, (r'^teacher = "emoji-text"', 'teacher = "text-start"')),
}


def toy(folder: Path) -> None:
    """Things of one, two and three colours, variants of some of them, in the layout of the emoji and of emojibase-data."""
    rows, words = [], {"en": [], "zh": []}
    rgba = np.zeros((THINGS, SIDE, SIDE, 4), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    groups = ["Objects", "Animals and nature", "Symbols", "Food and drink", "People"]
    for i in range(THINGS):
        second = 0.5 if i % 3 == 0 else 0
        for hue, part in ((0, x < 1), (second, x >= 1), (second + 0.3 * (i % 7 == 3), x >= 3), (0.7 * (i % 7 == 3), x < -3)):
            colour = (to_rgb(torch.tensor([(i / 11 + hue) % 1, 0.8, 0.8]).view(1, 3, 1, 1)) * 255).flatten().numpy().astype(np.uint8)
            rgba[i, part, :3] = colour
        rgba[i, ..., 3] = np.clip(255 * (9 + i % 6 - np.hypot(x, y * (1 + i % 4 / 4))), 0, 255).astype(np.uint8)
        rgba[i, 10:15, 8:12, :3] = 40  # a mark on the left, so that mirroring shows
        base = i < BASES
        code = f"1f3{i:02x}" if base else f"1f3{i - 8:02x}-1f3fb"
        rows.append({"codepoints": [*code.split("-"), "fe0f"][:3], "group": groups[i % 5], "kind": "base" if base else "alternate",
                     "skin_tone": not base and i % 2 == 0, "index": i})
        for language, name in (("en", f"{['red ', 'dark blue ', '', ''][i % 4]}{chr(97 + i % 23)}{chr(97 + i % 7)}o{' ball' * (i % 2)}"),
                               ("zh", f"{'红蓝'[i % 2] * (i % 3 == 0)}{chr(0x4e00 + 37 * i)}{chr(0x5200 + 53 * i)}")):
            tags = [[], [name.upper(), f"{name} one"], ["thing", "某物", "three", "four"]][i % 3]
            if base:
                words[language].append({"label": name, "hexcode": code.upper(), "tags": tags})
            else:
                row = next(row for row in words[language] if row["hexcode"] == code.upper().split("-")[0])
                row.setdefault("skins", []).append({"label": f"{name}: {i}", "hexcode": code.upper()})
    rgba[..., :3][rgba[..., 3] == 0] = 0
    np.savez_compressed(folder / "toy.npz", images=rgba)
    (folder / "toy.json").write_text(json.dumps({"emoji": rows}))
    for language, entries in words.items():
        (folder / "emojibase-data" / language).mkdir(parents=True)
        (folder / "emojibase-data" / language / "data.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")


def recipe(folder: Path, name: str) -> Path:
    text = (RECIPES / f"emoji-{name}.toml").read_text(encoding="utf-8")
    for old, new in (*EDITS["both"], *EDITS[name]):
        text = re.sub(old, new, text, flags=re.MULTILINE)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / f"{name}.toml"


def perturbed(network: torch.nn.Module) -> torch.nn.Module:
    """Gains of one and biases of zero would hide a swapped or dropped tensor."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.half()


def start(folder: Path, autoencoder: dict, text: dict, judge: dict) -> None:
    torch.manual_seed(5)
    vae = perturbed(Autoencoding(autoencoder).vae)
    vae.register_to_config(scaling_factor=0.7)
    vae.save_pretrained(folder / "autoencoder-start" / "vae")
    denoiser = perturbed(TextDenoiser(text))
    denoiser.unet.save_pretrained(folder / "text-start" / "unet")
    denoiser.text_encoder.save_pretrained(folder / "text-start" / "text_encoder")
    with mock.patch("canvas.CAPTIONS", 2000):
        tokens = Emoji(text, folder).tokens()
    tokens.save(folder / "text-start" / "tokenizer")
    (folder / "judge-start").mkdir()
    write_judge(judge, perturbed(Judge(judge)), tokens, folder / "judge-start")


def scenes(folder: Path, section: dict) -> dict:
    """What the scenes of step 3 are, and what they look like."""
    emoji = Emoji(section, folder)
    made, rng = emoji.scenes(), random.Random("0-2-3")
    drawn = [made.scene(rng) for _ in range(200)]
    several = [next(scene for scene in drawn if scene.kind == kind) for kind in ("plain", "coloured", "mirrored", "sized", "pairs", "counts")]
    pictures = emoji.sprites(torch.device("cpu")).draw(*(torch.from_numpy(part) for part in packed(several)))
    save_file({"pictures": pictures.contiguous()}, folder / "pictures.safetensors")
    part = lambda part: [part.index, -1 if part.colour is None else part.colour, part.x, part.y, part.size, part.mirrored]
    batch = SceneBatches(made, Tokens.read(folder / "text-start" / "tokenizer"), 0, 8, slice(None), 0.3)[3]
    return {"natural": [-1 if colour is None else colour for colour in emoji.natural], "kept_back": sorted(emoji.kept_back),
            "scenes": [{"caption": scene.caption, "parts": [part(each) for each in scene.parts]} for scene in drawn],
            "wrong": [made.wrong(scene, rng) for scene in drawn],
            "drawn": [drawn.index(scene) for scene in several], "ids": batch["ids"].tolist()}


def judged(folder: Path) -> dict:
    """The vectors of the shipped judge, of pictures that are made of their places alone."""
    judge, tokens = read_judge(folder, torch.device("cpu"))
    captions = ["red heart", "a blue cat to the left of two stars", "一个绿色的苹果", "狗"]
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    pictures = torch.stack([torch.stack([((across * x + down * y) % 64).float() / 31.5 - 1 for across, down in rows])
                            for rows in (((1, 0), (0, 1), (3, 2)), ((5, 1), (2, 7), (0, 2)))])
    rounded = lambda vectors: [[round(value, 7) for value in vector] for vector in vectors.tolist()]
    with torch.no_grad():
        return {"captions": captions, "of_captions": rounded(judge.captions(torch.from_numpy(tokens(captions)))),
                "of_pictures": rounded(judge.pictures(pictures)), "scale": judge.scale.item()}


def losses(folder: Path, path: Path, out: str) -> list[float]:
    found, step = [], loop.Loop.step

    def recorded(self, inputs):
        found.append(step(self, inputs))
        return found[-1]

    with mock.patch("loop.Loop.step", recorded):
        train(path, folder, folder / out, resume=False, compiled=False)
    return [loss.item() for loss in found]


if len(sys.argv) != 2:
    sys.exit("usage: make_text.py FOLDER")
made = Path(sys.argv[1])
shutil.rmtree(made, ignore_errors=True)
made.mkdir(parents=True)
toy(made)
paths = {name: recipe(made, name) for name in ("autoencoder", "text", "text-turbo", "judge")}
recipes = {name: read_recipe(path) for name, path in paths.items()}
start(made, recipes["autoencoder"], recipes["text"], recipes["judge"])
known = scenes(made, recipes["text"])
known["judge"] = judged(RECIPES.parent / "training" / "emoji-judge")
known["losses"] = {name: losses(made, paths[name], name) for name in paths}
figures = json.loads((made / "autoencoder" / "figures.json").read_text())
figures["scaling_factor"] = AutoencoderKL.from_pretrained(made / "autoencoder", subfolder="vae").config.scaling_factor
known["figures"] = figures
for name in paths:
    shutil.rmtree(made / name)
(made / "known.json").write_text(json.dumps(known, ensure_ascii=False) + "\n", encoding="utf-8")
print({name: [round(loss, 4) for loss in values] for name, values in known["losses"].items()}, figures)
