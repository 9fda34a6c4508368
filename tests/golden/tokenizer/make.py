"""Token ids of random Unicode texts by transformers' CLIPTokenizer (5.24).

    python make.py SMALL FULL

SMALL is a tokenizer folder whose vocab.json and merges.txt are kept beside this file; FULL a folder with vocab.json.gz and
merges.txt.gz of CLIP itself, which is too large to keep: its ids are checked where the folder is at hand.
Each row: the text, then the ids of FULL, of SMALL, of SMALL padded with "!", of SMALL with normalized special tokens, and of
SMALL where the padding token is the end token and not normalized; null is as SMALL.
"""

import gzip
import json
import pathlib
import random
import shutil
import sys
import tempfile
import unicodedata

from transformers import CLIPTokenizer

here = pathlib.Path(__file__).parent
small, full = map(pathlib.Path, sys.argv[1:])
START, END = "<|startoftext|>", "<|endoftext|>"


def folder(source, **config):
    dir = pathlib.Path(tempfile.mkdtemp())
    for name in ["vocab.json", "merges.txt"]:
        zipped = source / f"{name}.gz"
        if zipped.exists():
            (dir / name).write_bytes(gzip.decompress(zipped.read_bytes()))
        else:
            shutil.copy(source / name, dir / name)
    base = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    base |= {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    (dir / "tokenizer_config.json").write_text(json.dumps(base | config))
    return CLIPTokenizer.from_pretrained(dir)


def token(content):
    flags = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    return {"__type": "AddedToken", "content": content} | flags


def settled(c):
    """Characters that every Unicode version in use knows alike."""
    return unicodedata.category(c) not in ("Cn", "Cs", "Co")


def texts():
    rng = random.Random(20)
    blocks = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x5D0, 0x780), (0x900, 0xE00), (0x1100, 0x1200)]
    blocks += [(0x1E00, 0x2100), (0x2000, 0x2070), (0x2100, 0x2400), (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAD00)]
    blocks += [(0xF900, 0xFB50), (0xFE00, 0x10000), (0x1D400, 0x1D800), (0x1F300, 0x1F650), (0, 0x20), (0, 0x30000)]
    words = ["it's", "DON'T", "we'LL", "''s", "'", "cat", "<|endoftext|>", "<|ENDOFTEXT|>", "<|startoftext|>", "<|STARToftext|>", "!", "!!"]
    words += ["ß", "İstanbul", "ΣΑΣ", "e\u0301", "\u200b", "\u00a0", "\t", "\n", "\x1c", "\x85", "№5", "½", "Ⅷ", "五", "<|", "|>"]
    for _ in range(400):
        text = ""
        for _ in range(rng.randint(1, 12)):
            if rng.random() < 0.4:
                text += rng.choice(words)
            else:
                low, high = rng.choice(blocks)
                text += "".join(c for c in (chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 6))) if settled(c))
            text += rng.choice(["", " ", "  "])
        yield text


objects = {"bos_token": token(START), "eos_token": token(END), "unk_token": token(END)}
tokenizers = [
    folder(full),
    folder(small),
    folder(small, pad_token="!"),
    folder(small, **objects, pad_token=token(END)),
    folder(small, **objects),
]
rows = []
for text in texts():
    first, plain, *others = (k(text, truncation=True, max_length=77)["input_ids"] for k in tokenizers)
    rows.append([text, first, plain, *(None if ids == plain else ids for ids in others)])
for name in ["vocab.json", "merges.txt"]:
    shutil.copy(small / name, here / name)
lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
(here / "cases.json").write_text(f"[\n{lines}\n]\n")
