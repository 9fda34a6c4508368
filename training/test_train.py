"""python -m unittest discover training        (needs training/requirements.txt; about a minute)"""

import gzip
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import torch

from diffusers import DDIMScheduler, UNet2DModel

from data import noise_of_seeds, read_pictures
from export import export
from pairs import diffusion_back, flow_back, make_pairs
from process import build_scheduler
from recipe import Fault, build, read_recipe
from classes import Guidance, draw_batch
from train import train

HERE = Path(__file__).parent
RECIPE = HERE.parent / "recipes" / "tiny.toml"


def write_idx(path: Path, values: torch.Tensor) -> None:
    head = struct.pack(f">BBBB{values.dim()}I", 0, 0, 8, values.dim(), *values.shape)
    path.write_bytes(gzip.compress(head + values.to(torch.uint8).numpy().tobytes()))


def write_stripes(folder: Path, count: int = 37) -> None:
    """8x8 pictures, striped across (class 0) or down (class 1); a batch of 8 does not divide their number."""
    label = torch.arange(count) % 2
    across = 255 * ((torch.arange(8)[None, :] + torch.arange(count)[:, None]) % 4 // 2)
    images = torch.where(label[:, None, None] == 0, across[:, :, None].expand(-1, 8, 8), across[:, None, :].expand(-1, 8, 8))
    write_idx(folder / "images.gz", images), write_idx(folder / "labels.gz", label)


class Training(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        write_stripes(self.folder)

    def start(self, out: str, *extra: str, recipe: Path = RECIPE, processes: int = 1) -> subprocess.Popen:
        launch = [sys.executable] if processes == 1 else [sys.executable, "-m", "torch.distributed.run", "--standalone",
                                                           f"--nproc_per_node={processes}"]
        command = [*launch, HERE / "train.py", recipe, "--data", self.folder, "--out", self.folder / out, *extra]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": ""}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_to_end(self, *args, **options) -> tuple[int, str]:
        process = self.start(*args, **options)
        try:
            said = process.communicate(timeout=300)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f"no end after five minutes: {process.communicate()[0]}")
        return process.returncode, said

    def fails_with(self, words: str, *args, **options) -> None:
        code, said = self.run_to_end(*args, **options)
        self.assertNotEqual(code, 0)
        self.assertNotIn("Traceback", said)
        self.assertIn(words, said)

    def edited_recipe(self, old: str, new: str) -> Path:
        text = RECIPE.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path = self.folder / "edited.toml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    def final_ema(self, out: str, recipe: Path, resume: bool = False, stop_at: int | None = None) -> dict[str, torch.Tensor]:
        """The float32 weights that a run in this process hands to export; with `stop_at`, SIGTERM arrives in that step."""
        def draw(recipe, process, step, pictures):
            if step == stop_at:
                os.kill(os.getpid(), signal.SIGTERM)
            return draw_batch(recipe, process, step, pictures)

        with mock.patch("classes.export") as export, mock.patch("classes.draw_batch", draw):
            train(recipe, self.folder, self.folder / out, resume, compiled=False)
        return export.call_args.args[0].state_dict()

    def test_an_interrupted_run_ends_with_the_same_bits(self):
        recipe = self.edited_recipe("images = 1600", "images = 160")
        straight = self.final_ema("straight", recipe)
        with self.assertRaisesRegex(Fault, "stopped after step 10 of 20"):
            self.final_ema("broken", recipe, stop_at=9)
        resumed = self.final_ema("broken", recipe, resume=True)
        self.assertEqual(straight.keys(), resumed.keys())
        for name in straight:
            self.assertTrue(torch.equal(straight[name], resumed[name]), name)
        logs = [self.folder / out / "log.csv" for out in ("straight", "broken")]
        columns = [[row.split(",")[:6] for row in log.read_text().splitlines()] for log in logs]
        self.assertEqual(*columns)
        self.assertFalse((self.folder / "broken" / "checkpoint.pt").exists())

    def test_processes_share_one_batch(self):
        """Two processes see the numbers that one sees; the order of float32 sums may move the log's last digit by one."""
        recipe = self.edited_recipe("images = 1600", "images = 400")
        for out, processes in (("one", 1), ("two", 2)):
            code, said = self.run_to_end(out, recipe=recipe, processes=processes)
            self.assertEqual(code, 0, said)
        logs = [(self.folder / out / "log.csv").read_text().splitlines()[-1].split(",") for out in ("one", "two")]
        self.assertEqual(logs[0][0], "50")
        self.assertAlmostEqual(float(logs[0][3]), float(logs[1][3]), delta=1.5e-5)

    def test_processes_write_checkpoints_and_end_together(self):
        """Whatever their own clocks say: a checkpoint is due at every step, and the time is up before the images are."""
        recipe = self.edited_recipe("checkpoint_minutes = 1.0", "checkpoint_minutes = 0.00001")
        recipe.write_text(recipe.read_text(encoding="utf-8").replace("images = 1600", "images = 1600000"), encoding="utf-8")
        code, said = self.run_to_end("out", "--minutes", "0.5", recipe=recipe, processes=2)
        self.assertEqual(code, 0, said)
        rate = float((self.folder / "out" / "log.csv").read_text().splitlines()[-1].split(",")[5])
        self.assertLess(rate, 1e-9)

    def test_faults_are_said_in_one_sentence(self):
        self.fails_with("unknown key `learning_rate` in [train]", "out", recipe=self.edited_recipe("lr = 1e-3", "learning_rate = 1e-3"))
        self.fails_with("no checkpoint at", "out", "--resume")
        (self.folder / "labels.gz").unlink()
        self.fails_with("labels.gz is missing", "out")

    def test_a_changed_recipe_cannot_be_resumed(self):
        first = self.start("out")
        while not (self.folder / "out" / "log.csv").exists() and first.poll() is None:
            time.sleep(0.005)
        first.send_signal(signal.SIGINT)
        said = first.communicate()[0]
        self.assertRegex(said, r"stopped after step \d+ of 200")
        self.assertNotIn("Traceback", said)
        self.fails_with("[train] lr", "out", "--resume", recipe=self.edited_recipe("lr = 1e-3", "lr = 2e-3"))

    def test_guidance_acts_within_its_interval_alone(self):
        class Answers(torch.nn.Module):  # the label itself, everywhere
            def forward(self, x, told, class_labels, return_dict):
                return [class_labels.float().view(-1, 1, 1, 1).expand_as(x)]

        guidance = {"guidance": 1.5, "guidance_interval": [0.5, 2.0]}
        guide = Guidance(Answers(), {"objective": guidance, "model": {"num_class_embeds": 3}}, torch.device("cpu"))
        nsr, label = torch.tensor([0.4, 0.5, 2.0, 2.1, float("inf")]), torch.tensor([0, 0, 1, 1, 1])
        added = guide(torch.zeros(5, 1, 2, 2), nsr, label, nsr)
        self.assertEqual(added[:, 0, 1, 1].tolist(), [0.0, -1.0, -0.5, 0.0, 0.0])

    def test_the_frequencies_of_a_fourier_embedding_are_exported_as_they_are(self):
        recipe = read_recipe(self.edited_recipe("[model]", '[model]\ntime_embedding_type = "fourier"'))
        trained = build(recipe)
        export(trained, build_scheduler(recipe), recipe, self.folder / "out")
        loaded = UNet2DModel.from_pretrained(self.folder / "out", subfolder="unet")
        self.assertTrue(torch.equal(loaded.time_proj.weight, trained.time_proj.weight))
        self.assertFalse(torch.equal(loaded.conv_in.weight, trained.conv_in.weight))


class Pairs(unittest.TestCase):
    def test_either_ode_gives_the_same_coupling(self):
        """Of normal data with this mean and deviation, whose exact networks are known, noise z is mapped to mean + deviation z."""
        mean, deviation, scheduler = 0.3, 0.5, DDIMScheduler()

        def parts(x, alpha, sigma):  # what the exact network takes for picture and noise
            away = (x - alpha * mean) / ((alpha * deviation) ** 2 + sigma ** 2)
            return mean + alpha * deviation ** 2 * away, sigma * away

        def epsilon(x, t, class_labels):
            a2 = scheduler.alphas_cumprod[t].item()
            return mock.Mock(sample=parts(x, a2 ** 0.5, (1 - a2) ** 0.5)[1])

        def velocity(x, told, class_labels):
            t = told[0].item() / 1000
            x0, noise = parts(x, 1 - t, t)
            return mock.Mock(sample=noise - x0)

        noise = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        label = torch.zeros(3, dtype=torch.long)
        for found in (diffusion_back(epsilon, noise, label, 50, scheduler.config), flow_back(velocity, noise, label, 50, 1000)):
            # The solvers' steps, and the little that is left of the signal at the diffusion's last level.
            self.assertLess((found - (mean + deviation * noise)).abs().max().item(), 0.02)

    def test_pairs_start_at_the_given_seed(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder, recipe = Path(scratch), read_recipe(RECIPE)
            network, schedule = build(recipe), {"kind": "flow", "timesteps": 1000}
            export(network, build_scheduler({"schedule": schedule}), recipe, folder / "model")
            make_pairs(folder / "model", folder / "pairs.safetensors", 7, 3, 2, batch=2)
            read = {"format": "safetensors", "images": "pairs.safetensors", "labels": ""}
            pairs, _ = read_pictures(recipe | {"data": read}, folder)
        self.assertEqual(pairs.labels.tolist(), [1, 0, 1])
        self.assertTrue(torch.equal(pairs.noises, noise_of_seeds(torch.tensor([7, 8, 9]), (1, 8, 8))))
        self.assertGreater((pairs.images[0] - pairs.images[2]).abs().max().item(), 0)


if __name__ == "__main__":
    unittest.main()
