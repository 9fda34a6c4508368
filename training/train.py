"""Train a model from a recipe: a class-conditional denoiser, a classifier of noisy pictures, an autoencoder, a denoiser that is told
a caption, its distillation to few steps, or the judge that they are measured with.

    python training/train.py recipes/fashion-mnist.toml --data DIR --out models/fashion-mnist [--resume]
    accelerate launch --num_processes 8 training/train.py …       the same recipe over many GPUs or machines
"""

import argparse
import shutil
import sys
from pathlib import Path

import torch
from accelerate import Accelerator

from autoencode import AutoencoderTask
from classes import ClassTask
from export import save_loss_curve
from judging import JudgeTask
from loop import Loop
from recipe import Fault, kind_of, read_recipe
from text import TextTask, TurboTask

TASKS = {"classes": ClassTask, "classifier": ClassTask, "autoencoder": AutoencoderTask, "unet": TextTask, "turbo": TurboTask,
         "judge": JudgeTask}


def train(recipe_path: Path, data: Path, out: Path, resume: bool, compiled: bool, minutes: float | None = None) -> None:
    recipe = read_recipe(recipe_path)
    options, accelerator = recipe["train"], Accelerator()
    rank, world = accelerator.process_index, accelerator.num_processes
    if options["batch"] % world:
        raise Fault(f"batch = {options['batch']} cannot be split evenly over {world} processes")
    if (out / "checkpoint.pt").exists() and not resume:
        raise Fault(f"{out / 'checkpoint.pt'} belongs to an unfinished run; continue it with --resume, or delete it")
    out.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    share = slice(rank * options["batch"] // world, (rank + 1) * options["batch"] // world)
    task = TASKS[kind_of(recipe)](recipe, data, out, accelerator.device, share)
    loop = Loop(recipe, task, accelerator, out, compiled, minutes)
    if resume:
        loop.restore()
    loop.run()
    if accelerator.is_main_process:
        task.finish(loop.best(), out)
        save_loss_curve(loop.log, out / "loss.png")
        shutil.copyfile(recipe_path, out / "recipe.toml")
        loop.checkpoint.unlink(missing_ok=True)
    accelerator.end_training()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--resume", action="store_true", help="continue from OUT/checkpoint.pt")
    parser.add_argument("--compile", action="store_true", help="torch.compile: faster after a minute; needs a C++ compiler")
    parser.add_argument("--minutes", type=float, help="end after so many minutes, with the learning rate at zero by then")
    given = parser.parse_args()
    try:
        train(given.recipe, given.data, given.out, given.resume, given.compile, given.minutes)
    except Fault as fault:
        sys.exit(f"train.py: {fault}")


if __name__ == "__main__":
    main()
