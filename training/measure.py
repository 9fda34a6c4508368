"""Figures of a text model, as the judge of recipes/emoji-judge.toml sees it beside real pictures.

    python training/measure.py MODEL JUDGE --data DIR --out FIGURES.json [--sampler dpmpp-2m] [--steps 4,8,12,20] [--guidance 1,2,3] [--bf16]
                               [--compile] [--one-in 4]

The judge is our own and was trained on the same emoji, without the combinations that the text model has not seen either, so
each figure stands beside what the judge says of real pictures with the same captions.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import torch

from canvas import Emoji
from captions import COLOURS, pair_caption
from draw import SCHEDULERS, Painter
from judging import read_judge
from recipe import Fault, read_recipe
from scenes import ROWS, Part, Scene, packed

AMONG = 64  # captions that a retrieval chooses from
OTHERS = 15  # things that each thing of a pair is told from
QUESTIONS = {"names_en": 512, "names_zh": 512, "held_out": 512, "colours": 512, "pairs": 384, "counts": 384}
MIXTURE = 2048  # captions as in training, for the distance
SUBSAMPLING = (1, 2, 4, 8)  # factors that leave whole groups of AMONG captions


class Examination:
    """Captions with the scenes that they are true of and, for each, the captions to choose from: the true one is the first."""

    def __init__(self, emoji: Emoji, one_in: int = 1, seed: int = 0):
        self.emoji, self.held, self.rng = emoji, emoji.scenes(held=True), random.Random(f"measure-{seed}")
        self.seen = emoji.scenes()
        self.questions = {kind: [getattr(self, kind)() for _ in range(count // one_in)] for kind, count in QUESTIONS.items()}
        for kind in ("names_en", "names_zh", "held_out"):  # each among the captions of the others of its kind
            rows = self.questions[kind]
            for start in range(0, len(rows), AMONG):
                group = rows[start:start + AMONG]
                captions = [scene.caption for scene, _ in group]
                rows[start:start + AMONG] = [(scene, [[scene.caption] + [c for c in captions if c != scene.caption]])
                                             for scene, _ in group]

    def name(self, language: int) -> tuple[Scene, list]:
        index = self.held.any_base(self.rng)
        return Scene("plain", (Part(index),), self.emoji.entries[index].name[language], language), []

    def names_en(self):
        return self.name(0)

    def names_zh(self):
        return self.name(1)

    def held_out(self):
        return self.held.scene(self.rng, kind=self.rng.choice(("coloured", "pairs"))), []

    def colours(self) -> tuple[Scene, list]:
        scene = self.held.scene(self.rng, kind="coloured")
        part, state = scene.parts[0], self.rng.random()
        told = lambda colour: self.held.of_colour(part.index, colour, scene.language, random.Random(state))
        others = [told(colour) for colour in range(len(COLOURS)) if colour != part.colour]
        return Scene(scene.kind, scene.parts, told(part.colour), scene.language), [[told(part.colour), *others]]

    def pairs(self) -> tuple[Scene, list]:
        scene = self.held.scene(self.rng, kind="pairs")
        indices, state = [part.index for part in scene.parts], self.rng.random()

        def told(pair: list[int]) -> str:
            same = random.Random(state)
            entries = [self.emoji.entries[index] for index in pair]
            phrases = [f"a {entry.name[0]}" if scene.language == 0 else f"一个{entry.name[1]}" for entry in entries]
            return pair_caption(*phrases, scene.layout, scene.language, same)

        strange = [index for index in self.rng.sample(self.held.things, 4 * OTHERS)
                   if self.emoji.entries[index].thing[0] not in [self.emoji.entries[i].thing[0] for i in indices]][:OTHERS]
        choices = [[told(indices), *(told([other, indices[1]]) for other in strange)],
                   [told(indices), *(told([indices[0], other]) for other in strange)]]
        return Scene(scene.kind, scene.parts, choices[0][0], scene.language, scene.layout), choices

    def counts(self) -> tuple[Scene, list]:
        scene = self.seen.scene(self.rng, kind="counts")
        part, count, state = scene.parts[0], len(scene.parts), self.rng.random()
        told = lambda number: self.seen.phrase(part.index, part.colour, number, scene.language, random.Random(state))
        return (Scene(scene.kind, scene.parts, told(count), scene.language),
                [[told(count), *(told(number) for number in ROWS if number != count)]])


class Measure:
    def __init__(self, emoji: Emoji, judge: Path, device: torch.device, one_in: int = 1):
        self.device, self.one_in, self.examination = device, one_in, Examination(emoji, one_in)
        self.sprites, (self.judge, self.tokens) = emoji.sprites(device), read_judge(judge, device)
        self.rows = [(kind, scene, choices) for kind, rows in self.examination.questions.items() for scene, choices in rows]
        texts = list(dict.fromkeys(text for _, _, choices in self.rows for choice in choices for text in choice))
        vectors = torch.cat([self.judge.captions(torch.from_numpy(self.tokens(texts[i:i + 1024])).to(device))
                             for i in range(0, len(texts), 1024)])
        places = {text: place for place, text in enumerate(texts)}
        self.choices = [[vectors[[places[text] for text in choice]] for choice in choices] for _, _, choices in self.rows]
        rng, scenes = random.Random("distance"), emoji.scenes()
        self.mixture, others = ([scenes.scene(rng) for _ in range(MIXTURE // one_in)] for _ in range(2))
        self.reference, self.floor = self.real(others), self.real(self.mixture)
        plain = torch.zeros(len(emoji.entries), 1, 2, device=device)
        plain[:, 0, 0] = torch.arange(len(plain))
        self.originals = self.sprites.draw(plain, torch.tensor([0.5, 0.5, 1, 1], device=device).expand(len(plain), 1, 4))

    def real(self, scenes: list[Scene]) -> torch.Tensor:
        return self.sprites.draw(*(torch.from_numpy(part).to(self.device) for part in packed(scenes)))

    @torch.no_grad()
    def vectors(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.judge.pictures(part) for part in pictures.split(512)])

    def answers(self, pictures: torch.Tensor) -> dict[str, float]:
        """Share of each kind's questions whose true caption is nearest; of pairs, both things'."""
        right: dict[str, list[bool]] = {}
        for vector, (kind, _, _), choices in zip(self.vectors(pictures), self.rows, self.choices):
            right.setdefault(kind, []).append(all((choice @ vector).argmax().item() == 0 for choice in choices))
        return {kind: sum(rows) / len(rows) for kind, rows in right.items()}

    def distance(self, pictures: torch.Tensor) -> float:
        """Squared Fréchet distance in the judge's vectors, times 1000, from real pictures of other captions of the same kinds."""
        one, other = self.vectors(pictures).double(), self.vectors(self.reference).double()
        root = torch.linalg.eigvals(torch.cov(one.T) @ torch.cov(other.T)).real.clamp(min=0).sqrt().sum()
        trace = torch.cov(one.T).trace() + torch.cov(other.T).trace() - 2 * root
        return 1000 * ((one.mean(0) - other.mean(0)).square().sum() + trace).item()

    def nearest(self, pictures: torch.Tensor) -> dict[str, float]:
        """Of the pictures asked for by an English name: the mean distance from the nearest emoji, and the share nearest to the
        one that was asked for."""
        asked = torch.tensor([scene.parts[0].index for kind, scene, _ in self.rows if kind == "names_en"], device=self.device)
        apart = torch.cdist(pictures[:len(asked)].flatten(1), self.originals.flatten(1)) / self.originals[0].numel() ** 0.5
        return {"nearest_rms": apart.min(dim=1).values.mean().item(),
                "nearest_is_asked": (apart.argmin(dim=1) == asked).float().mean().item()}

    def of_real(self) -> dict:
        pictures = self.real([scene for _, scene, _ in self.rows])
        return ({"pictures": "real", "one_in": self.one_in} | self.answers(pictures) | self.nearest(pictures)
                | {"distance": self.distance(self.floor)})

    def of_model(self, painter: Painter, sampler: str, steps: int, guidance: float) -> dict:
        begun = time.monotonic()
        captions = [scene.caption for _, scene, _ in self.rows] + [scene.caption for scene in self.mixture]
        pictures = painter(captions, sampler, steps, guidance)
        own, mixture = pictures[:len(self.rows)], pictures[len(self.rows):]
        return ({"pictures": "samples", "one_in": self.one_in, "sampler": sampler, "steps": steps, "guidance": guidance}
                | self.answers(own) | self.nearest(own) | {"distance": self.distance(mixture), "seconds": round(time.monotonic() - begun, 1)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("judge", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sampler", choices=SCHEDULERS, default="dpmpp-2m")
    parser.add_argument("--steps", default="4,8,12,20")
    parser.add_argument("--guidance", default="1,2,3")
    parser.add_argument("--bf16", action="store_true", help="matrix products of the model in bfloat16 on a CPU too, as on a GPU")
    parser.add_argument("--compile", action="store_true", help="run the network through torch.compile, as train.py does")
    parser.add_argument("--one-in", type=int, choices=SUBSAMPLING, default=1, metavar="N",
                        help="ask one in 2, 4 or 8 of the captions, to save time; only rows of the same N compare")
    given = parser.parse_args()
    try:
        rows = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else []
        if others := {row.get("one_in") for row in rows} - {given.one_in}:
            raise Fault(f"{given.out} holds rows of one in {others.pop()} of the captions: name another --out, or that --one-in")
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        emoji = Emoji(read_recipe(given.model / "recipe.toml"), given.data)
        measure, painter = Measure(emoji, given.judge, device, given.one_in), Painter(given.model, device, given.bf16)
        if given.compile:
            painter.unet.compile()
        rows = rows or [measure.of_real()]
        for guidance in map(float, given.guidance.split(",")):
            for steps in map(int, given.steps.split(",")):
                rows.append(measure.of_model(painter, given.sampler, steps, guidance))
                print({key: round(value, 4) if isinstance(value, float) else value for key, value in rows[-1].items()}, flush=True)
                given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in rows[0].items()})
    except Fault as fault:
        sys.exit(f"measure.py: {fault}")


if __name__ == "__main__":
    main()
