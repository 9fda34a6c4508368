"""python -m unittest discover training        (this part, of the text models: a minute)"""

import json
import os
import random
import re
import signal
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

from canvas import SceneBatches
from captions import COLOURS, Entry, plural, with_article
from draw import SCHEDULERS, scheduler_of
from measure import AMONG, QUESTIONS, SUBSAMPLING, main as measure
from networks import text_states
from recipe import Fault, read_recipe
from scenes import KINDS, Scenes, colour_held_out, packed, pair_held_out
from sprites import Sprites, natural_colours, to_hsv, to_rgb
from text import TextTask
from task_vector import WEIGHTS, transfer
from tokens import BYTES, Tokens, train_tokenizer, whole
from train import train
from vocabulary import vocabulary

RECIPES = Path(__file__).parent.parent / "recipes"
SHARES = dict.fromkeys(KINDS, 1.0) | {"chinese": 0.4, "base_share": 0.75}
THINGS = [("apple", "苹果"), ("cat", "猫"), ("boat", "船"), ("star", "星星"), ("fish", "鱼"), ("house", "房子"), ("tree", "树"), ("rose", "玫瑰")]


def toy_folder(folder: Path) -> None:
    """Eight things as discs of one colour each, with their words, in the layout of the emoji and of emojibase-data."""
    rows, words = [], {"en": [], "zh": []}
    rgba = np.zeros((len(THINGS), 64, 64, 4), np.uint8)
    y, x = np.mgrid[:64, :64] - 31.5
    for i, (en, zh) in enumerate(THINGS):
        rgba[i, ..., :3] = (to_rgb(torch.tensor([i / 8, 0.8, 0.8]).view(1, 3, 1, 1)) * 255).flatten().numpy().astype(np.uint8)
        rgba[i, ..., 3] = 255 * (x**2 + y**2 < (20 + i) ** 2)
        rgba[i, 20:30, 10:20, :3] = 40  # a mark on the left, so that mirroring shows
        rows.append({"codepoints": [f"1f3{i:02x}"], "group": "Objects", "kind": "base", "skin_tone": False, "index": i})
        for language, name in (("en", f"red {en}" if i == 0 else en), ("zh", zh)):
            words[language].append({"label": name, "hexcode": f"1F3{i:02X}", "tags": [name, "thing"]})
    rgba[..., :3][rgba[..., 3] == 0] = 0
    np.savez(folder / "noto-emoji-64.npz", images=rgba)
    (folder / "noto-emoji.json").write_text(json.dumps({"emoji": rows}))
    for language, entries in words.items():
        (folder / "emojibase-data" / language).mkdir(parents=True)
        (folder / "emojibase-data" / language / "data.json").write_text(json.dumps(entries))


def entries() -> list[Entry]:
    return [Entry(f"1F3{i:02X}", "Objects", True, False, names, names, (names[:1], names[1:]), True) for i, names in enumerate(THINGS)]


class Words(unittest.TestCase):
    def test_english_articles_and_plurals(self):
        self.assertEqual([with_article(word) for word in ("apple", "cat")], ["an apple", "a cat"])
        self.assertEqual([plural(word) for word in ("star", "red fish", "berry", "box", "snow man", "scissors")],
                         ["stars", "red fish", "berries", "boxes", "snow men", "scissors"])

    def test_tokens_are_those_of_transformers_and_end_where_characters_end(self):
        rng, scenes = random.Random(0), Scenes(entries(), [None] * 8, SHARES | {"coloured": 0.0})
        tokens = Tokens(*train_tokenizer([scenes.scene(rng).caption for _ in range(2000)], 800), 24)
        self.assertTrue(all(whole(token) for token in tokens.vocabulary if not token.startswith("<|")))
        self.assertEqual(len(BYTES), 256)
        with tempfile.TemporaryDirectory() as folder:
            tokens.save(Path(folder))
            theirs, again = CLIPTokenizer.from_pretrained(folder), Tokens.read(Path(folder))
        captions = ["Red  apple", "一个苹果在船的上面", "", "naïve 😀 café", "cat " * 60]
        expected = theirs(captions, padding="max_length", truncation=True, max_length=24).input_ids
        self.assertEqual(tokens(captions).tolist(), expected)
        self.assertEqual(again(captions).tolist(), expected)


class Vocabulary(unittest.TestCase):
    def test_what_can_be_asked_for_is_what_captions_say(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch("vocabulary.CAPTIONS", 3000):
            toy_folder(Path(folder))
            said = vocabulary(read_recipe(RECIPES / "emoji-text.toml"), Path(folder))
        self.assertEqual(said["en"]["things"], ["red apple", *(en for en, _ in THINGS[1:])])
        self.assertEqual(said["zh"]["things"], [zh for _, zh in THINGS])
        for words, known in (("a an and three purple above apples thing", "en"), ("三 个 红 的 和 thing 苹果", "zh")):
            self.assertEqual(set(words.split()) - set(said[known]["words"] + said[known]["things"]), set())
        self.assertNotIn("cat", said["en"]["words"])  # it is a thing already
        self.assertNotIn("果", said["zh"]["words"])
        self.assertGreater(len(said["en"]["surprise"]), 100)


class Combinations(unittest.TestCase):
    def setUp(self):
        self.scenes = Scenes(entries(), [i % 8 for i in range(8)], SHARES)

    def test_held_out_combinations_are_never_drawn(self):
        rng, seen = random.Random(1), set()
        for _ in range(6000):
            scene = self.scenes.scene(rng)
            things = [THINGS[part.index][0] for part in scene.parts]
            for part, thing in zip(scene.parts, things):
                if part.colour is not None:
                    self.assertFalse(colour_held_out(thing, part.colour), scene.caption)
                    seen.add((thing, part.colour))
            if scene.kind == "pairs":
                self.assertFalse(pair_held_out(*things), scene.caption)
        held = sum(colour_held_out(thing, colour) for thing, _ in THINGS for colour in range(len(COLOURS)))
        self.assertGreater(held, 0)
        self.assertGreaterEqual(len(seen), len(THINGS) * (len(COLOURS) - 1) - held - 3)

    def test_scenes_of_the_held_out_are_of_them_alone(self):
        rng, held = random.Random(2), Scenes(entries(), [i % 8 for i in range(8)], SHARES, held=True)
        for _ in range(300):
            part = held.scene(rng, kind="coloured").parts[0]
            self.assertTrue(colour_held_out(THINGS[part.index][0], part.colour))
            self.assertTrue(pair_held_out(*(THINGS[part.index][0] for part in held.scene(rng, kind="pairs").parts)))

    def test_captions_say_what_was_done(self):
        rng = random.Random(3)
        for _ in range(2000):
            scene = self.scenes.scene(rng, language=0)
            said, part = scene.caption, scene.parts[0]
            if scene.kind == "coloured":
                self.assertIn(f"{COLOURS[part.colour]} {THINGS[part.index][0]}", said)
            elif scene.kind == "mirrored":
                self.assertTrue(part.mirrored and "mirrored" in said)
            elif scene.kind == "sized":
                self.assertEqual(part.size < 0.6, any(word in said for word in ("small", "tiny", "little")))
            elif scene.kind == "counts":
                self.assertIn({2: "two", 3: "three", 4: "four"}[len(scene.parts)], said)
                self.assertEqual(len({(each.index, each.colour) for each in scene.parts}), 1)
            elif scene.kind == "pairs":
                one, other = (THINGS[each.index][0] for each in scene.parts)
                self.assertTrue(one in said and other in said)
                first, second = scene.parts if said.index(one) < said.index(other) else scene.parts[::-1]
                for words, true in ((" left of ", first.x < second.x), (" right of ", first.x > second.x), (" above ", first.y < second.y),
                                    (" below ", first.y > second.y), ("to the left", first.x < second.x)):
                    self.assertTrue(true or words not in said, said)
            self.assertNotEqual(self.scenes.wrong(scene, rng), said)

    def test_chinese_places_are_true(self):
        rng = random.Random(4)
        for _ in range(500):
            scene = self.scenes.scene(rng, language=1, kind="pairs")
            one, other = (THINGS[part.index][1] for part in scene.parts)
            first, second = scene.parts if scene.caption.index(one) < scene.caption.index(other) else scene.parts[::-1]
            for word, true in (("左边", first.x < second.x), ("右边", first.x > second.x), ("上面", first.y < second.y), ("下面", first.y > second.y)):
                self.assertTrue(true or word not in scene.caption, scene.caption)


class Pictures(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        toy_folder(self.folder)
        with np.load(self.folder / "noto-emoji-64.npz") as arrays:
            self.rgba = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2).contiguous()

    def test_hsv_and_back(self):
        rgb = torch.rand(2, 3, 5, 5)
        torch.testing.assert_close(to_rgb(to_hsv(rgb)), rgb, atol=1e-5, rtol=0)

    def test_a_recoloured_thing_has_the_colour_that_is_said(self):
        natural = natural_colours(self.rgba)
        self.assertNotIn(None, natural)
        sprites = Sprites(self.rgba, natural, torch.device("cpu"))
        for colour in range(8):  # black and grey have no hue
            what = torch.tensor([[[1, colour + 1]]])
            drawn = sprites.draw(what, torch.tensor([[[0.5, 0.5, 1.0, 1.0]]]))
            again = torch.cat([((drawn[0] + 1) * 127.5).round().to(torch.uint8), self.rgba[1, 3:]])[None]
            self.assertEqual(natural_colours(again)[0], colour)

    def test_a_whole_picture_is_drawn_as_it_is_and_mirrored_as_its_mirror_image(self):
        sprites = Sprites(self.rgba, natural_colours(self.rgba), torch.device("cpu"))
        what, where = torch.tensor([[[2, 0]], [[2, 0]]]), torch.tensor([[[0.5, 0.5, 1.0, 1.0]], [[0.5, 0.5, 1.0, -1.0]]])
        plain, mirrored = sprites.draw(what, where)
        alpha = self.rgba[2, 3:].float() / 255
        expected = self.rgba[2, :3].float() / 255 * alpha + 1 - alpha
        torch.testing.assert_close((plain + 1) / 2, expected, atol=3e-3, rtol=0)
        torch.testing.assert_close(plain.flip(-1), mirrored, atol=1e-5, rtol=0)

    def test_things_stand_where_the_scene_says(self):
        sprites = Sprites(self.rgba, natural_colours(self.rgba), torch.device("cpu"))
        scenes, rng = Scenes(entries(), [None] * 8, SHARES), random.Random(5)
        for _ in range(20):
            scene = scenes.scene(rng, kind="pairs")
            drawn = sprites.draw(*(torch.from_numpy(part) for part in packed([scene])))[0]
            for part in scene.parts:
                self.assertLess(drawn[:, round(part.y * 64), round(part.x * 64)].min(), 0.9)

    def test_a_step_has_the_same_scenes_whatever_ran_before(self):
        rng, scenes = random.Random(0), Scenes(entries(), [0] * 8, SHARES)
        tokens = Tokens(*train_tokenizer([scenes.scene(rng).caption for _ in range(500)], 600), 16)
        whole_batch = SceneBatches(scenes, tokens, 3, 8, slice(None), 0.5)
        half = SceneBatches(scenes, tokens, 3, 8, slice(4, 8), 0.5)
        whole_batch[0]
        for name, value in half[5].items():
            self.assertTrue(torch.equal(value, whole_batch[5][name][4:]), name)
        self.assertFalse(torch.equal(whole_batch[5]["ids"], whole_batch[6]["ids"]))


class Drawing(unittest.TestCase):
    def test_no_sampler_clips_latents(self):
        config = json.loads((RECIPES.parent / "models/emoji-text/scheduler/scheduler_config.json").read_text(encoding="utf-8"))
        for sampler in SCHEDULERS:
            with self.subTest(sampler):
                scheduler, x0 = scheduler_of(sampler, config), torch.full((1, 4, 2, 2), 3.0)
                scheduler.set_timesteps(4)
                last = scheduler.timesteps[-1]
                alpha, sigma = scheduler.alphas_cumprod[last].sqrt(), (1 - scheduler.alphas_cumprod[last]).sqrt()
                scheduler._step_index = 3  # the clean end of a run, at a latent without noise whose velocity says so
                end = scheduler.step(-sigma * x0, last, alpha * x0).prev_sample
                torch.testing.assert_close(end, x0, rtol=1e-4, atol=1e-4)


class Training(unittest.TestCase):
    """The four recipes on a toy set of pictures, one after another as they need each other."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        toy_folder(cls.folder)
        for name in ("emoji-autoencoder", "emoji-text", "emoji-text-turbo", "emoji-judge"):
            (cls.folder / f"{name}.toml").write_text(smaller((RECIPES / f"{name}.toml").read_text(encoding="utf-8")))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_recipe(self, name: str, out: str | None = None, resume: bool = False) -> Path:
        made = self.folder / "models" / (out or name)
        with mock.patch("canvas.CAPTIONS", 2000), mock.patch("canvas.EVERY", 4):
            train(self.folder / f"{name}.toml", self.folder, made, resume, compiled=False)
        return made

    def test_every_recipe_trains_resumes_and_makes_a_folder(self):
        figures = json.loads((self.run_recipe("emoji-autoencoder") / "figures.json").read_text())
        self.assertEqual(figures["kept_back"], 2)
        made = self.run_recipe("emoji-text")
        pipeline = StableDiffusionPipeline.from_pretrained(made).to(torch.float32)
        picture = pipeline("红苹果", negative_prompt="cat", num_inference_steps=2, height=64, width=64).images[0]
        self.assertEqual(picture.size, (64, 64))
        encoder, ids = CLIPTextModel.from_pretrained(made, subfolder="text_encoder").float(), torch.tensor([[0, 5, 9, 1, 1]])
        torch.testing.assert_close(text_states(encoder, ids), encoder(ids).last_hidden_state, atol=1e-5, rtol=0)
        self.interrupted("emoji-text", made)
        self.continued("emoji-text", "unet/diffusion_pytorch_model.safetensors")
        turbo = self.run_recipe("emoji-text-turbo")
        self.assertEqual(sorted(path.name for path in turbo.iterdir() if path.is_dir()), ["scheduler", "unet"])
        self.assertEqual(json.loads((turbo / "unnoise.json").read_text())["parts"]["vae"], "emoji-text")
        judge = self.run_recipe("emoji-judge")
        self.assertTrue((judge / "judge.safetensors").exists())
        self.continued("emoji-judge", "judge.safetensors")

    def test_the_task_vector_of_a_distillation_is_added(self):
        rng, weights = np.random.default_rng(0), {}
        for name in ("teacher", "student", "finetuned"):
            weights[name] = torch.from_numpy(rng.integers(-64, 64, (4, 3))).half() / 64  # sums of these are exact
            (self.folder / name / "unet").mkdir(parents=True)
            save_file({"conv": weights[name]}, self.folder / name / WEIGHTS)
        (self.folder / "student" / "unnoise.json").write_text("{}")
        folders = [self.folder / name for name in ("student", "teacher", "finetuned", "made")]
        transfer(*folders)
        made = load_file(self.folder / "made" / WEIGHTS)["conv"]
        self.assertTrue(torch.equal(made, weights["finetuned"] + weights["student"] - weights["teacher"]))
        self.assertTrue((self.folder / "made" / "unnoise.json").exists())
        with self.assertRaisesRegex(Fault, "exists already"):
            transfer(*folders)
        save_file({"conv": torch.zeros(2)}, self.folder / "teacher" / WEIGHTS)
        with self.assertRaisesRegex(Fault, "not of one shape"):
            transfer(*folders[:3], self.folder / "other")
        (self.folder / "finetuned" / WEIGHTS).write_bytes(b"no weights")
        with self.assertRaisesRegex(Fault, "cannot be read"):
            transfer(*folders[:3], self.folder / "other")
        self.assertFalse((self.folder / "other").exists())

    def interrupted(self, name: str, straight: Path) -> None:
        """Stopped in its second step and continued, a run ends with the same weights."""
        inputs_of, broken = TextTask.inputs_of, f"{name}-broken"

        def stop(task, step):
            if step == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return inputs_of(task, step)

        with mock.patch("text.TextTask.inputs_of", stop), self.assertRaisesRegex(Fault, "stopped after step 2 of 3"):
            self.run_recipe(name, broken)
        resumed = self.run_recipe(name, broken, resume=True)
        for part in ("unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"):
            self.assertEqual((straight / part).read_bytes(), (resumed / part).read_bytes(), part)

    def continued(self, name: str, weights: str) -> None:
        """A run from a finished model's weights that learns nothing gives them back."""
        text = (self.folder / f"{name}.toml").read_text(encoding="utf-8")
        text = re.sub(r"^lr = .*", f'lr = 0.0\ninit = "{name}"', text, flags=re.MULTILINE)
        (self.folder / "again.toml").write_text(text, encoding="utf-8")
        made, again = self.folder / "models" / name, self.run_recipe("again", f"{name}-again")
        self.assertEqual((made / "tokenizer" / "merges.txt").read_bytes(), (again / "tokenizer" / "merges.txt").read_bytes())
        one, other = (load_file(folder / weights) for folder in (made, again))
        for tensor in one:
            self.assertTrue(torch.equal(one[tensor], other[tensor]), tensor)

    def test_rows_of_different_subsampling_are_not_mixed(self):
        figures = self.folder / "figures.json"
        figures.write_text('[{"pictures": "real", "one_in": 1}]')
        command = ["measure.py", "MODEL", "JUDGE", "--data", str(self.folder), "--out", str(figures), "--one-in", "4"]
        with mock.patch("sys.argv", command), self.assertRaisesRegex(SystemExit, "rows of one in 1 of the captions"):
            measure()
        self.assertEqual(figures.read_text(), '[{"pictures": "real", "one_in": 1}]')
        for kind in ("names_en", "names_zh", "held_out"):
            self.assertEqual([QUESTIONS[kind] // one_in % AMONG for one_in in SUBSAMPLING], [0] * len(SUBSAMPLING))

    def test_a_recipe_of_another_kind_is_refused_by_its_key(self):
        path = self.folder / "wrong.toml"
        path.write_text((RECIPES / "emoji-text.toml").read_text(encoding="utf-8").replace("caption_drop", "label_drop"))
        with self.assertRaisesRegex(Fault, "unknown key `label_drop`"):
            read_recipe(path)


def smaller(text: str) -> str:
    """The recipe with a network and a batch that train in a second."""
    for old, new in ((r"^images = \d+", "images = 12"), (r"^batch = \d+", "batch = 4"), (r"^workers = \d+", "workers = 0"),
                     (r"^warmup_images = \d+", "warmup_images = 4"), (r"^size = 6000", "size = 600"),
                     (r"^block_out_channels = \[32, 64, 64\]", "block_out_channels = [8, 8, 8]"),
                     (r"^block_out_channels = \[96, 128\]", "block_out_channels = [16, 32]"), (r'^precision = "bf16"', 'precision = "no"')):
        text = re.sub(old, new, text, flags=re.MULTILINE)
    return text


if __name__ == "__main__":
    unittest.main()
