"""Scenes: which pictures stand where on a canvas, in which colours, and captions that are true of them.

Every scene is a function of (seed, step, place in the batch). Some combinations never occur in training: a colour with a thing, and
two things together, chosen by a hash of their names, so that figures on them say whether words act apart from each other.
"""

import random
import zlib
from dataclasses import dataclass

import numpy as np

from captions import (COLOURS, Entry, coloured, framed, measured, mirrored_caption, pair_caption, single_caption,
                      sized_caption)

SLOTS = 5  # one large place, then four small ones
HELD_COLOURS, HELD_PAIRS = 10, 20  # one of so many colours of a thing, and of pairs of things, is held out
KINDS = ("plain", "coloured", "mirrored", "sized", "pairs", "counts")
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
# Centres, as shares of the canvas, of two, three and four equal things.
ROWS = {2: [[(0.26, 0.5), (0.74, 0.5)]],
        3: [[(0.5, 0.26), (0.26, 0.74), (0.74, 0.74)], [(0.26, 0.26), (0.74, 0.26), (0.5, 0.74)]],
        4: [[(0.26, 0.26), (0.74, 0.26), (0.26, 0.74), (0.74, 0.74)]]}


def draw_of(*words: str) -> int:
    return zlib.crc32("|".join(words).encode())


def colour_held_out(thing: str, colour: int) -> bool:
    return draw_of("colour", COLOURS[colour], thing) % HELD_COLOURS == 0


def pair_held_out(one: str, other: str) -> bool:
    return draw_of("pair", *sorted((one, other))) % HELD_PAIRS == 0


@dataclass(frozen=True)
class Part:
    """One thing on the canvas: `size` as a share of its width, `colour` None where it keeps its own."""
    index: int
    colour: int | None = None
    x: float = 0.5
    y: float = 0.5
    size: float = 1.0
    mirrored: bool = False


@dataclass(frozen=True)
class Scene:
    kind: str
    parts: tuple[Part, ...]
    caption: str
    language: int
    layout: str = ""


class Scenes:
    """`natural[i]` is the colour of picture i where it has one clear colour that can be changed, else None. `without` are pictures
    that never occur; with `held` scenes are made of the held-out combinations alone."""

    def __init__(self, entries: list[Entry], natural: list[int | None], section: dict, without: frozenset[int] = frozenset(),
                 held: bool = False):
        self.entries, self.natural, self.section, self.held = entries, natural, section, held
        all_of = [i for i in range(len(entries)) if i not in without]
        self.bases = [i for i in all_of if entries[i].base]
        self.variants = [i for i in all_of if not entries[i].base and not entries[i].tone] or self.bases
        self.tones = [i for i in all_of if entries[i].tone] or self.bases
        self.base_weights = cumulated([0.5 if entries[i].group == "Symbols" else 1.0 for i in self.bases])
        self.colourful = [i for i in self.bases if natural[i] is not None]
        self.things = [i for i in self.bases if entries[i].pairs]
        self.shares = cumulated([section[kind] for kind in KINDS])

    def scene(self, rng: random.Random, language: int | None = None, kind: str | None = None) -> Scene:
        kind = kind or rng.choices(KINDS, cum_weights=self.shares)[0]
        if language is None:
            language = int(rng.random() < self.section["chinese"])
        return getattr(self, kind)(rng, language)

    def any_base(self, rng: random.Random) -> int:
        return rng.choices(self.bases, cum_weights=self.base_weights)[0]

    def colour_of(self, index: int, rng: random.Random) -> int | None:
        """A new colour that the split allows for this picture."""
        allowed = [colour for colour in range(len(COLOURS)) if colour != self.natural[index]
                   and colour_held_out(self.entries[index].thing[0], colour) == self.held]
        return rng.choice(allowed) if allowed else None

    def plain(self, rng: random.Random, language: int) -> Scene:
        draw = rng.random()
        index = (self.any_base(rng) if draw < self.section["base_share"]
                 else rng.choice(self.variants if rng.random() < 0.3 else self.tones))
        jitter = rng.random() < 0.3
        part = Part(index, size=rng.uniform(0.85, 1.0)) if jitter else Part(index)
        if jitter:
            room = (1 - part.size) / 2
            part = Part(index, x=0.5 + rng.uniform(-room, room), y=0.5 + rng.uniform(-room, room), size=part.size)
        return Scene("plain", (part,), single_caption(self.entries[index], language, self.natural[index], rng), language)

    def coloured(self, rng: random.Random, language: int) -> Scene:
        while True:
            index = rng.choice(self.colourful)
            if (colour := self.colour_of(index, rng)) is not None:
                break
        return Scene("coloured", (Part(index, colour),), self.of_colour(index, colour, language, rng), language)

    def of_colour(self, index: int, colour: int, language: int, rng: random.Random) -> str:
        return framed(coloured(self.entries[index].thing[language], colour, language, rng), language, rng)

    def mirrored(self, rng: random.Random, language: int) -> Scene:
        index = self.any_base(rng)
        return Scene("mirrored", (Part(index, mirrored=True),), mirrored_caption(self.entries[index].name[language], language, rng),
                     language)

    def sized(self, rng: random.Random, language: int) -> Scene:
        index, small = self.any_base(rng), rng.random() < 0.7
        size = rng.uniform(0.35, 0.55) if small else 1.0
        room = 0.12 if small else 0.0
        part = Part(index, x=0.5 + rng.uniform(-room, room), y=0.5 + rng.uniform(-room, room), size=size)
        return Scene("sized", (part,), sized_caption(self.entries[index].name[language], small, language, rng), language)

    def phrase(self, index: int, colour: int | None, count: int, language: int, rng: random.Random) -> str:
        """A thing among others, with its number. The colour is said where it was changed, and sometimes where it is its own."""
        entry = self.entries[index]
        said = self.natural[index] if colour is None and rng.random() < 0.25 else colour
        named = entry.name if said is None and rng.random() < 0.7 else entry.thing
        return measured(coloured(named[language], said, language, rng), count, entry.group == "Animals and nature", language, rng)

    def pairs(self, rng: random.Random, language: int) -> Scene:
        while True:
            one, other = rng.choice(self.things), rng.choice(self.things)
            words = [self.entries[i].thing[0] for i in (one, other)]
            if words[0] != words[1] and pair_held_out(*words) == self.held:
                break
        colours = [self.colour_of(i, rng) if self.natural[i] is not None and rng.random() < 0.35 and not self.held else None
                   for i in (one, other)]
        layout = rng.choice(("left", "left", "right", "above", "below"))
        near, far = rng.uniform(0.24, 0.28), rng.uniform(0.72, 0.76)
        across = 0.5 + rng.uniform(-0.06, 0.06), 0.5 + rng.uniform(-0.06, 0.06)
        low, high = (near, far) if layout in ("left", "above") else (far, near)
        places = ((low, across[0]), (high, across[1])) if layout in ("left", "right") else ((across[0], low), (across[1], high))
        sizes = rng.uniform(0.42, 0.5), rng.uniform(0.42, 0.5)
        parts = tuple(Part(i, c, *place, size) for i, c, place, size in zip((one, other), colours, places, sizes))
        phrases = [self.phrase(part.index, part.colour, 1, language, rng) for part in parts]
        if rng.random() < 0.3:  # the same scene told from the other thing
            phrases, layout = phrases[::-1], OPPOSITE[layout]
        return Scene("pairs", parts, pair_caption(*phrases, layout, language, rng), language, layout)

    def counts(self, rng: random.Random, language: int) -> Scene:
        count = rng.choice((2, 3, 4))
        while True:
            index = rng.choice(self.things)
            colour = self.colour_of(index, rng) if self.natural[index] is not None and rng.random() < 0.3 else None
            if not self.held or colour is not None or draw_of("count", str(count), self.entries[index].thing[0]) % HELD_COLOURS == 0:
                break
        size = rng.uniform(0.42, 0.5)
        parts = tuple(Part(index, colour, x + rng.uniform(-0.03, 0.03), y + rng.uniform(-0.03, 0.03), size)
                      for x, y in rng.choice(ROWS[count]))
        return Scene("counts", parts, self.phrase(index, colour, count, language, rng), language)

    def wrong(self, scene: Scene, rng: random.Random) -> str:
        """A caption that is not true of the scene: one fact changed where the scene is of several, else another scene's."""
        part, language = scene.parts[0], scene.language
        if scene.kind == "coloured":
            return self.of_colour(part.index, rng.choice([c for c in range(len(COLOURS)) if c != part.colour]), language, rng)
        if scene.kind == "counts":
            other = rng.choice([count for count in ROWS if count != len(scene.parts)])
            return self.phrase(part.index, part.colour, other, language, rng)
        if scene.kind == "pairs":
            there = {self.entries[part.index].thing[0] for part in scene.parts}
            parts, place = list(scene.parts), rng.randrange(2)
            if parts[place].colour is not None and rng.random() < 0.5:
                other = rng.choice([c for c in range(len(COLOURS)) if c != parts[place].colour])
                parts[place] = Part(parts[place].index, other)
            else:
                parts[place] = Part(rng.choice([i for i in rng.choices(self.things, k=8) if self.entries[i].thing[0] not in there]
                                               or self.things), parts[place].colour)
            return pair_caption(*(self.phrase(p.index, p.colour, 1, language, rng) for p in parts), scene.layout, language, rng)
        while (other := self.scene(rng, language, scene.kind)).parts[0].index == part.index:
            pass
        return other.caption


def cumulated(weights: list[float]) -> list[float]:
    return list(np.cumsum(weights))


def packed(scenes: list[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """What is drawn: (N, SLOTS, 2) pictures and colours, -1 for an empty place and 0 for a picture's own colour, and (N, SLOTS, 4)
    places: x, y, size, and -1 where mirrored."""
    what, where = np.full((len(scenes), SLOTS, 2), -1, np.int32), np.zeros((len(scenes), SLOTS, 4), np.float32)
    where[..., 2:] = 1
    for what_row, where_row, scene in zip(what, where, scenes):
        start = 0 if len(scene.parts) == 1 and scene.parts[0].size > 0.6 else 1
        for slot, part in enumerate(scene.parts, start):
            what_row[slot] = part.index, 0 if part.colour is None else part.colour + 1
            where_row[slot] = part.x, part.y, part.size, -1 if part.mirrored else 1
    return what, where
