"""Draws the runs of whole folders that make.py wrote with this program, and compares with the pictures of diffusers.

    python compare.py UNNOISE OUT [NAME...]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

# What rounding may explain: the pictures of both are rounded to whole numbers.
MOST = 2


def draw(program, folder, i, run):
    with tempfile.TemporaryDirectory() as there:
        out = Path(there) / "out.png"
        # diffusers guides by scales above 1 only; 1 is its name here.
        run = run | {"guidance": max(run["guidance"], 1)} if "guidance" in run else run
        run = {key: folder / value if key in ("image", "mask") else value for key, value in run.items()}
        options = [word for key, value in run.items() for word in [f"--{key}", str(value)]]
        done = subprocess.run([program, "sample", "--model", folder, "--images", "1", "--out", out, *options], capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip() or done.stdout.strip()
        ours, theirs = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in [out, folder / f"{i}.png"])
    if ours.shape != theirs.shape:
        return f"{ours.shape} is not {theirs.shape}"
    apart = np.abs(ours - theirs)
    return apart.max() if apart.max() <= MOST else f"{apart.max()} of 255 apart, {apart.mean():.2f} on average"


if __name__ == "__main__":
    program, out, *names = sys.argv[1:]
    failed = 0
    for runs in sorted(Path(out).glob("*/runs.json")):
        if names and runs.parent.name not in names:
            continue
        for i, run in enumerate(json.loads(runs.read_text())):
            said = draw(program, runs.parent, i, run)
            failed += isinstance(said, str)
            print(f"{runs.parent.name} {i}: {said}", flush=True)
    sys.exit(failed > 0)
