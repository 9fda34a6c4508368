"""What distillation changed, carried over to a teacher that has learnt on since.

    python training/carry.py STUDENT TEACHER LEARNT OUT

All are model folders with a `unet/` of the same shape: STUDENT was distilled from TEACHER, and LEARNT went on from TEACHER's weights. OUT is
STUDENT's folder with the U-Net of LEARNT + (STUDENT - TEACHER), weight by weight (Ilharco et al. 2022, arXiv 2212.04089, section 2). It needs no
data and no GPU; whether the result is good is for `measure.py` to say.
"""

import argparse
import shutil
import sys
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from recipe import Fault

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def carried(student: dict[str, torch.Tensor], teacher: dict[str, torch.Tensor], learnt: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """LEARNT + (STUDENT - TEACHER) as float16, summed in float32."""
    shapes = lambda weights: {name: value.shape for name, value in weights.items()}
    if not shapes(student) == shapes(teacher) == shapes(learnt):
        raise Fault("the three U-Nets are not of one shape; name a student, its teacher, and the model that the teacher became")
    return {name: (value.float() + student[name].float() - teacher[name].float()).half() for name, value in learnt.items()}


def carry(student: Path, teacher: Path, learnt: Path, out: Path) -> None:
    if out.exists():
        raise Fault(f"{out} exists already; name a folder that does not")
    weights = []
    for folder in (student, teacher, learnt):
        try:
            weights.append(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError) as error:
            raise Fault(f"{folder / WEIGHTS} cannot be read: {error}") from error
    changed = carried(*weights)
    shutil.copytree(student, out)
    save_file(changed, out / WEIGHTS, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("student", "teacher", "learnt", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    try:
        carry(given.student, given.teacher, given.learnt, given.out)
    except Fault as fault:
        sys.exit(f"carry.py: {fault}")


if __name__ == "__main__":
    main()
