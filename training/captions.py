"""What emoji are called, in English and Chinese: names and keywords of the Unicode CLDR as the npm package `emojibase-data`
holds them, and the phrases that captions are made of."""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

from recipe import Fault

LANGUAGES = ("en", "zh")
GROUPS = {"Smileys and emotions": ("smileys and emotions", "表情"), "People": ("people", "人物"),
          "Animals and nature": ("animals and nature", "动物与自然"), "Food and drink": ("food and drink", "食物与饮料"),
          "Travel and places": ("travel and places", "旅行与地点"), "Activities and events": ("activities", "活动"),
          "Objects": ("objects", "物品"), "Symbols": ("symbols", "符号")}
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey")
COLOURS_ZH = ("红", "橙", "黄", "绿", "蓝", "紫", "粉", "棕", "黑", "灰")
COLOUR_WORD_EN = re.compile(rf"\b(light |dark )?({'|'.join(COLOURS)}|gray|white)\b ?")
COLOUR_WORD_ZH = re.compile("^(浅|深)?[红橙黄绿蓝紫粉棕黑灰白](色的?|(?=.))")
COUNTS = {2: ("two", "两"), 3: ("three", "三"), 4: ("four", "四")}
PLURALS = {"fish": "fish", "sheep": "sheep", "deer": "deer", "bison": "bison", "squid": "squid", "shrimp": "shrimp",
           "man": "men", "woman": "women", "person": "people", "child": "children", "mouse": "mice", "goose": "geese", "ox": "oxen",
           "leaf": "leaves", "knife": "knives", "wolf": "wolves", "tooth": "teeth", "foot": "feet", "potato": "potatoes",
           "tomato": "tomatoes", "mango": "mangoes", "bread": "bread", "rice": "rice", "broccoli": "broccoli"}


@dataclass(frozen=True)
class Entry:
    """One picture's words. `thing` is the name without its colour, by language; `pairs` says whether it is short enough to be
    one of several things of a caption."""
    code: str
    group: str
    base: bool
    tone: bool
    name: tuple[str, str]
    thing: tuple[str, str]
    tags: tuple[tuple[str, ...], tuple[str, ...]]
    pairs: bool


def read_entries(data: dict, folder: Path) -> list[Entry]:
    """The words of every row of the packed pictures, in their order."""
    try:
        rows = json.loads((folder / data["labels"]).read_text(encoding="utf-8"))["emoji"]
        words = [by_code(json.loads((folder / data["captions"] / language / "data.json").read_text(encoding="utf-8")))
                 for language in LANGUAGES]
        return [entry(row, [language[key("-".join(row["codepoints"]))] for language in words]) for row in rows]
    except FileNotFoundError as error:
        raise Fault(f"{error.filename} is missing: --data must name the folder that holds it") from error
    except (ValueError, KeyError) as error:
        raise Fault(f"{folder} does not hold captions for every picture: {error}") from error


def key(hexcode: str) -> str:
    """Code points without the variation selector, which the two sources put in different places."""
    return "-".join(part.lstrip("0") for part in hexcode.upper().split("-") if part != "FE0F")


def by_code(rows: list[dict]) -> dict[str, dict]:
    found = {}
    for row in rows:
        found[key(row["hexcode"])] = row
        for skin in row.get("skins", []):
            found[key(skin["hexcode"])] = {"tags": row.get("tags", [])} | skin
    return found


def entry(row: dict, words: list[dict]) -> Entry:
    name = tuple(word["label"].strip().lower() for word in words)
    thing = (COLOUR_WORD_EN.sub("", name[0]).strip() or name[0], COLOUR_WORD_ZH.sub("", name[1]) or name[1])
    plain = re.fullmatch(r"[a-z]+( [a-z]+)?", thing[0]) and not re.search(r"\b(with|of|and|button|face)\b", thing[0])
    base = row["kind"] == "base"
    return Entry(key("-".join(row["codepoints"])), row["group"], base, bool(row["skin_tone"]), name, thing,
                 tuple(tuple(tag.strip().lower() for tag in word.get("tags", [])) for word in words),
                 bool(base and plain and len(thing[1]) <= 5 and row["group"] not in ("Symbols", "People")))


def with_article(phrase: str) -> str:
    return f"{'an' if phrase[:1] in 'aeiou' else 'a'} {phrase}"


def plural(phrase: str) -> str:
    *before, last = phrase.split(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last = last if last.endswith("s") and not last.endswith("ss") else last + "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return " ".join([*before, last])


def coloured(thing: str, colour: int | None, language: int, rng: random.Random) -> str:
    if colour is None:
        return thing
    if language == 0:
        return f"{COLOURS[colour]} {thing}"
    return COLOURS_ZH[colour] + rng.choice(("色的", "色的", "色", "")) + thing


def measured(phrase: str, count: int, animal: bool, language: int, rng: random.Random) -> str:
    """The phrase with its article or its number."""
    if language == 0:
        return with_article(phrase) if count == 1 else f"{COUNTS[count][0]} {plural(phrase)}"
    return ("一" if count == 1 else COUNTS[count][1]) + ("只" if animal and rng.random() < 0.6 else "个") + phrase


def framed(phrase: str, language: int, rng: random.Random, article: bool = True) -> str:
    """A single thing as people ask for it: bare more often than not."""
    draw = rng.random()
    if language == 0:
        if draw < 0.5:
            return phrase
        one = with_article(phrase) if article else phrase
        return (one if draw < 0.75 else f"{phrase} emoji" if draw < 0.82 else f"an emoji of {one}" if draw < 0.88
                else f"a picture of {one}" if draw < 0.94 else f"the {phrase}")
    return (phrase if draw < 0.6 else f"一个{phrase}" if draw < 0.8 else f"{phrase}的图片" if draw < 0.87
            else f"画一个{phrase}" if draw < 0.94 else f"{phrase}表情")


def single_caption(entry: Entry, language: int, natural: int | None, rng: random.Random) -> str:
    """A picture as it is: by its name, by keywords, or by both."""
    tags, draw = entry.tags[language], rng.random()
    if draw < 0.12 and natural is not None:
        return framed(coloured(entry.thing[language], natural, language, rng), language, rng)
    if draw < 0.58 or not tags:
        named = entry.thing if entry.base and rng.random() < 0.3 else entry.name
        return framed(named[language], language, rng)
    if draw < 0.80:
        return framed(rng.choice(tags), language, rng)
    comma = (", ", "，")[language] if rng.random() < 0.7 else " "
    if draw < 0.90:
        return comma.join(rng.sample(tags, min(len(tags), rng.choice((2, 3)))))
    if draw < 0.97:
        return entry.name[language] + comma + rng.choice(tags)
    return GROUPS[entry.group][language] + comma + rng.choice(tags)


def mirrored_caption(phrase: str, language: int, rng: random.Random) -> str:
    if language == 0:
        return rng.choice((f"mirrored {phrase}", f"{phrase}, mirrored", f"a mirrored {phrase}", f"{phrase} mirrored"))
    return rng.choice((f"镜像的{phrase}", f"{phrase}，镜像", f"左右翻转的{phrase}", f"{phrase}镜像"))


def sized_caption(phrase: str, small: bool, language: int, rng: random.Random) -> str:
    if language == 0:
        word = rng.choice(("small", "tiny", "little") if small else ("large", "big", "huge"))
        return rng.choice((f"{word} {phrase}", f"a {word} {phrase}"))
    word = rng.choice(("小", "小小的", "很小的") if small else ("大", "大大的", "巨大的"))
    return rng.choice((f"{word}{phrase}", f"一个{word}{phrase}"))


def pair_caption(first: str, second: str, layout: str, language: int, rng: random.Random) -> str:
    """Two phrases with their articles; `layout` is how the first stands to the second: left, right, above or below."""
    if rng.random() < 0.5:
        return rng.choice(((f"{first} and {second}", f"{first} and {second}", f"{first} next to {second}", f"{first} with {second}"),
                           (f"{first}和{second}", f"{first}和{second}", f"{first}与{second}", f"{first}，{second}"))[language])
    if language == 0:
        if layout in ("left", "right"):
            return rng.choice((f"{first} to the {layout} of {second}", f"{first} {layout} of {second}"))
        return f"{first} {layout} {second}"
    side = {"left": "左边", "right": "右边", "above": "上面", "below": "下面"}[layout]
    return rng.choice((f"{first}在{second}{side}", f"{first}在{second}的{side}"))
