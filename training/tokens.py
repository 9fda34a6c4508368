"""A tokenizer of CLIP's kind with merges of our own: byte-pair encoding of lower-case words, each ending in `</w>`."""

import json
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

START, END = "<|startoftext|>", "<|endoftext|>"
# As in transformers' CLIPTokenizer.
PATTERN = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def byte_letters() -> dict[str, int]:
    """The byte that each letter of a byte-level vocabulary stands for (as in GPT-2)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}


BYTES = byte_letters()


def bare(vocabulary: dict[str, int] | None = None, merges: list[tuple[str, str]] | None = None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, end_of_word_suffix="</w>", unk_token=END, continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "),
                                                 normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train_tokenizer(captions: list[str], size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges. Every byte is a token, within a word and at its end, so that no text is unknown."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    base = [START, END, *letters, *(letter + "</w>" for letter in letters)]
    tokenizer = bare()
    tokenizer.train_from_iterator(captions, trainers.BpeTrainer(vocab_size=2 * size, initial_alphabet=letters, show_progress=False,
                                                                end_of_word_suffix="</w>", special_tokens=[START, END]))
    vocabulary, merges = {token: number for number, token in enumerate(base)}, []
    for one, other in json.loads(tokenizer.to_str())["model"]["merges"]:
        if len(vocabulary) == size:
            break
        if one in vocabulary and other in vocabulary and whole(one + other):
            vocabulary.setdefault(one + other, len(vocabulary))
            merges.append((one, other))
    return vocabulary, merges


def whole(token: str) -> bool:
    """Whether the token is of whole characters, or of a part of one: Chinese is written without spaces, and a token that took in
    the first byte of the next word would hide that word."""
    raw = bytes(BYTES[letter] for letter in token.removesuffix("</w>"))
    try:
        raw.decode()
        return True
    except UnicodeDecodeError:
        starts = [place for place, byte in enumerate(raw) if byte & 0xC0 != 0x80]
        return len(raw) <= 3 and (starts == [0] and raw[0] >= 0xC0 or not starts)


class Tokens:
    """Captions to rows of ids: start, words, end, and the end again up to the length."""

    def __init__(self, vocabulary: dict[str, int], merges: list[tuple[str, str]], length: int):
        self.vocabulary, self.merges, self.tokenizer, self.length = vocabulary, merges, bare(vocabulary, merges), length
        self.start, self.end = vocabulary[START], vocabulary[END]

    @classmethod
    def read(cls, folder: Path) -> "Tokens":
        vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
        length = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))["model_max_length"]
        return cls(vocabulary, [tuple(line.split(" ")) for line in lines], length)

    def save(self, out: Path) -> None:
        """The files that transformers' CLIPTokenizer reads."""
        out.mkdir(parents=True, exist_ok=True)
        special = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
        config = special | {"add_prefix_space": False, "do_lower_case": True, "model_max_length": self.length,
                            "tokenizer_class": "CLIPTokenizer"}
        (out / "vocab.json").write_text(json.dumps(self.vocabulary, ensure_ascii=False), encoding="utf-8")
        (out / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in self.merges), encoding="utf-8")
        for name, value in (("tokenizer_config", config), ("special_tokens_map", special)):
            (out / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")

    def __call__(self, captions: list[str]) -> np.ndarray:
        rows = np.full((len(captions), self.length), self.end, np.int32)
        rows[:, 0] = self.start
        for row, encoding in zip(rows, self.tokenizer.encode_batch(captions, add_special_tokens=False)):
            ids = encoding.ids[:self.length - 2]
            row[1:1 + len(ids)] = ids
        return rows
