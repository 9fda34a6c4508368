"""A few dozen pictures that no model of ours was trained on, for whoever wants to noise one: written beside the weights as
`pictures.png`, a sheet of them, and `pictures.json`, which says what they show.

    python training/test_pictures.py MODEL --data DIR --dataset NAME

Pictures of MNIST and Fashion-MNIST are the first four of each class in the test set. Emoji are base emoji on the model's background; none
is held out, so that `pictures.json` says that they are of the training set.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from PIL import Image

COLUMNS = 10
ROWS = 4
CLASSES = 10

SOURCES = {
    "mnist": "the test set of MNIST, LeCun, Cortes and Burges, CC BY-SA 3.0",
    "fashion-mnist": "the test set of Fashion-MNIST, Zalando SE, MIT",
    "noto-emoji": "Noto Emoji, Google, Apache-2.0; pictures that the model was trained on",
}


def idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def of_classes(folder: Path) -> tuple[np.ndarray, list[dict]]:
    images = idx(folder / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = idx(folder / "t10k-labels-idx1-ubyte.gz", 8)
    first = [np.flatnonzero(labels == label)[:ROWS] for label in range(CLASSES)]
    chosen = [int(first[label][row]) for row in range(ROWS) for label in range(CLASSES)]
    return images[chosen], [{"class": int(labels[i])} for i in chosen]


def of_emoji(folder: Path, background: list[int], vocabulary: dict) -> tuple[np.ndarray, list[dict]]:
    pixels = np.load(folder / "noto-emoji-64.npz")
    names = json.loads((folder / "noto-emoji.json").read_text())["emoji"]
    known = set(vocabulary["en"]["things"])
    base = [i for i in np.flatnonzero(pixels["is_base"]) if names[i]["name"].lower() in known]
    chosen = [int(i) for i in np.array(base)[np.linspace(0, len(base) - 1, ROWS * COLUMNS).round().astype(int)]]
    rgba = pixels["images"][chosen].astype(np.float64)
    alpha = rgba[..., 3:] / 255
    images = (rgba[..., :3] * alpha + np.array(background) * (1 - alpha)).round().astype(np.uint8)
    return images, [{"prompt": names[i]["name"].lower()} for i in chosen]


def sheet(images: np.ndarray) -> Image.Image:
    rows = [np.concatenate(list(images[at : at + COLUMNS]), axis=1) for at in range(0, len(images), COLUMNS)]
    return Image.fromarray(np.concatenate(rows, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--dataset", choices=SOURCES, required=True)
    args = parser.parse_args()
    folder = args.data / args.dataset
    if args.dataset == "noto-emoji":
        background = json.loads((args.model / "unnoise.json").read_text())["background"]
        vocabulary = json.loads((args.model / "vocabulary.json").read_text())
        images, shown = of_emoji(folder, background, vocabulary)
    else:
        images, shown = of_classes(folder)
    sheet(images).save(args.model / "pictures.png", optimize=True)
    said = {"source": SOURCES[args.dataset], "columns": COLUMNS, "pictures": shown}
    (args.model / "pictures.json").write_text(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
