"""Small folders of every kind of pipeline with random weights, and the pictures that diffusers (0.42.1) draws with them.

    python make.py               those of this project
    python make.py OUT           all of them, whole, into the folder OUT
    python make.py OUT NAME...   some of them

A folder holds the pipeline as save_pretrained writes it, runs.json (what each picture was drawn with, by the keys of a link) and a
PNG for each run. The vocabularies of this project's own folders are left out: every tokenizer is the one of ../tokenizer.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from PIL import Image

import kinds

here = Path(__file__).parent
VOCABULARY = ["vocab.json", "merges.txt"]


def picture(values):
    """Pixels of values of 0 to 1, height, width and channels last."""
    pixels = (values * 255).round().astype("uint8")
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def save(name, folder, whole):
    shutil.rmtree(folder, ignore_errors=True)
    case = kinds.CASES[name]
    pipe, dtype = case.build()
    pipe.set_progress_bar_config(disable=True)
    folder.mkdir(parents=True)
    for i, run in enumerate(case.runs):
        image = case.draw(pipe, dict(run), torch.Generator().manual_seed(run.get("seed", 0)))
        picture(image).save(folder / f"{i}.png")
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.to(dtype)
    pipe.save_pretrained(folder)
    for tokenizer in folder.glob("tokenizer*"):
        for file in ["tokenizer.json", "tokenizer.model", *VOCABULARY]:
            (tokenizer / file).unlink(missing_ok=True)
        for file in VOCABULARY if whole else []:
            shutil.copy(here.parent / "tokenizer" / file, tokenizer / file)
    case.start(folder)
    (folder / "runs.json").write_text(json.dumps([case.settings(run) for run in case.runs], indent=1, ensure_ascii=False) + "\n")
    print(name, sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    for name, case in kinds.CASES.items():
        chosen = name in sys.argv[2:] if len(sys.argv) > 2 else out != here or case.kept
        if chosen:
            save(name, out / name, out != here)
