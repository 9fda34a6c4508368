"""Adds the task vector of a distillation, STUDENT - TEACHER, to a teacher that has been fine-tuned since.

    python training/task_vector.py STUDENT TEACHER FINETUNED OUT

All are model folders with a `unet/` of the same shape: STUDENT was distilled from TEACHER, and FINETUNED was trained on from TEACHER's weights.
OUT is STUDENT's folder with the U-Net of FINETUNED + (STUDENT - TEACHER), weight by weight (Ilharco et al. 2022, arXiv 2212.04089, section 2).
It needs no data and no GPU; whether the result is good is for `measure.py` to say.
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


def added(student: dict[str, torch.Tensor], teacher: dict[str, torch.Tensor], finetuned: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """FINETUNED + (STUDENT - TEACHER) as float16, summed in float32."""
    shapes = lambda weights: {name: value.shape for name, value in weights.items()}
    if not shapes(student) == shapes(teacher) == shapes(finetuned):
        raise Fault("the three U-Nets are not of one shape; name a student, its teacher, and the fine-tuned teacher")
    return {name: (value.float() + student[name].float() - teacher[name].float()).half() for name, value in finetuned.items()}


def transfer(student: Path, teacher: Path, finetuned: Path, out: Path) -> None:
    if out.exists():
        raise Fault(f"{out} exists already; name a folder that does not")
    weights = []
    for folder in (student, teacher, finetuned):
        try:
            weights.append(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError) as error:
            raise Fault(f"{folder / WEIGHTS} cannot be read: {error}") from error
    sums = added(*weights)
    shutil.copytree(student, out)
    save_file(sums, out / WEIGHTS, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("student", "teacher", "finetuned", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    try:
        transfer(given.student, given.teacher, given.finetuned, given.out)
    except Fault as fault:
        sys.exit(f"task_vector.py: {fault}")


if __name__ == "__main__":
    main()
