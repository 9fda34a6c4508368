"""What a text model can be asked for, for whoever types a prompt: written beside its weights as `vocabulary.json`.

    python training/vocabulary.py MODEL --data DIR

For each language: `things`, the names of single emoji, to complete what is typed; `words`, all others that captions of training
contain, so that a word can be marked that the model never saw; `surprise`, captions of a seeded draw, compositions among them.
"""

import argparse
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

from canvas import CAPTIONS, Emoji
from captions import LANGUAGES
from recipe import Fault, read_recipe
from scenes import Scene

SURPRISES = 160
OFTEN = 20  # captions in which a word occurs that the model is to know
WORD = {"en": re.compile(r"[a-z0-9]+"), "zh": re.compile(r"[\u4e00-\u9fff]+|[a-z0-9]+")}
BETWEEN = {"en": WORD["en"], "zh": re.compile(r"[\u4e00-\u9fff]")}  # between the names, in Chinese each character for itself


def vocabulary(recipe: dict, data: Path) -> dict:
    emoji = Emoji(recipe, data)
    return {language: of_language(emoji, number, language) for number, language in enumerate(LANGUAGES)}


def of_language(emoji: Emoji, number: int, language: str) -> dict[str, list[str]]:
    things = list(dict.fromkeys(entry.name[number] for entry in emoji.entries if entry.base))
    scenes, pattern = emoji.scenes(), WORD[language]
    rng = random.Random(f"vocabulary-{language}-{emoji.recipe['train']['seed']}")
    kinds = ("plain", "coloured", "coloured", "pairs", "counts", "sized")
    surprise = dict.fromkeys(scenes.scene(rng, number, kinds[i % len(kinds)]).caption for i in range(SURPRISES))
    names = {name for entry in emoji.entries for name in (entry.name[number], entry.thing[number])}
    between = Counter(word for _ in range(CAPTIONS) for word in BETWEEN[language].findall(spaced(scenes.scene(rng, number), emoji, number)))
    words = {word for text in names for word in pattern.findall(text)} | {word for word, count in between.items() if count >= OFTEN}
    words |= {word for entry in emoji.entries for tag in entry.tags[number] for word in pattern.findall(tag)}
    words -= {word for thing in things for word in pattern.findall(thing)}
    return {"things": things, "words": sorted(words), "surprise": list(surprise)}


def spaced(scene: Scene, emoji: Emoji, number: int) -> str:
    """A caption whose words can be told apart: in Chinese the names are taken out, as no space stands between them and the rest."""
    caption = scene.caption
    if LANGUAGES[number] == "zh":
        for part in scene.parts:
            for name in (emoji.entries[part.index].name[number], emoji.entries[part.index].thing[number]):
                caption = caption.replace(name, " ")
    return caption


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the emoji and their captions")
    arguments = parser.parse_args()
    try:
        found = vocabulary(read_recipe(arguments.model / "recipe.toml"), arguments.data)
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        (arguments.model / "vocabulary.json").write_text(text + "\n", encoding="utf-8")
    except (Fault, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
