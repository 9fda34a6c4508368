"""The icons of the installed page and the picture that stands for it where its link is shared, made of what the command line draws:
a red heart on its way out of noise.

    python training/icons.py UNNOISE OUT

UNNOISE is the program, called in the repository's root, and OUT is www/icons. The icons are cut in two: left the heart in noise, as it is
at two thirds of the run, and right the heart at its end.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

RUN = ["--model", "models/emoji-text", "--prompt", "red heart", "--seed", "7", "--steps", "24", "--images", "1"]
DARK = (18, 20, 23)
# Steps of the run that stand side by side on the picture for links.
SHARED = [0, 8, 12, 15, 18, 24]


def frames(unnoise: str) -> list[Image.Image]:
    """x_t of each step."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([unnoise, "sample", *RUN, "--frames", folder, "--out", f"{folder}/end.png"], check=True)
        paths = sorted(path for path in Path(folder).glob("*.png") if path.name != "end.png" and "x0" not in path.name)
        return [Image.open(path).convert("RGB").copy() for path in paths]


def icon(noisy: Image.Image, done: Image.Image, side: int, margin: float) -> Image.Image:
    """A square with the run's two states, so much of it a margin on each side."""
    half = Image.new("RGB", done.size)
    width, height = done.size
    half.paste(noisy.crop((0, 0, width // 2, height)), (0, 0))
    half.paste(done.crop((width // 2, 0, width, height)), (width // 2, 0))
    inner = round(side * (1 - 2 * margin))
    out = Image.new("RGB", (side, side), DARK)
    out.paste(half.resize((inner, inner), Image.Resampling.NEAREST), ((side - inner) // 2, (side - inner) // 2))
    return out


def shared(pictures: list[Image.Image], width: int, height: int) -> Image.Image:
    """The run from noise to picture, from left to right."""
    out = Image.new("RGB", (width, height), DARK)
    columns = len(pictures) // 2
    gap = 18
    side = min((width - (columns + 1) * gap) // columns, (height - 3 * gap) // 2)
    left = (width - columns * side - (columns - 1) * gap) // 2
    top = (height - 2 * side - gap) // 2
    for i, picture in enumerate(pictures):
        place = (left + i % columns * (side + gap), top + i // columns * (side + gap))
        out.paste(picture.resize((side, side), Image.Resampling.NEAREST), place)
    return out


def main() -> None:
    unnoise, out = sys.argv[1], Path(sys.argv[2])
    run = frames(unnoise)
    noisy, done = run[len(run) * 2 // 3], run[-1]
    files = {
        "192.png": icon(noisy, done, 192, 0.0),
        "512.png": icon(noisy, done, 512, 0.0),
        # Systems cut a circle out of this one, whose radius is 40 % of the side.
        "maskable.png": icon(noisy, done, 512, 0.16),
        "share.png": shared([run[step] for step in SHARED], 1200, 630),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in files.items():
        picture.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out / name, optimize=True)


main()
