"""Recipes with [judge]: encoders of pictures and captions, to measure the text models with. It learns from the pictures alone, as
they are and on canvases, and leaves out the same combinations as the models that it judges."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from canvas import Emoji, SceneBatches, Stream
from networks import Judge
from recipe import Fault
from tokens import Tokens


class JudgeTask:
    def __init__(self, recipe: dict, data: Path, out: Path, device: torch.device, share: slice):
        self.recipe, train = recipe, recipe["train"]
        self.network = Judge(recipe)
        emoji = Emoji(recipe, data)
        self.sprites = emoji.sprites(device)
        self.tokens = start_from(self.network, out.parent / train["init"]) if "init" in train else emoji.tokens()
        self.stream = Stream(SceneBatches(emoji.scenes(), self.tokens, train["seed"], train["batch"], share, wrong=True),
                             train["workers"], device)

    def inputs_of(self, step: int) -> dict[str, torch.Tensor]:
        scenes = self.stream(step)
        pictures = self.sprites.draw(scenes["what"], scenes["where"]).contiguous(memory_format=torch.channels_last)
        return {"pictures": pictures, "ids": torch.cat([scenes["ids"], scenes["wrong"]])}

    def losses(self, network, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        pictures, captions, scale = network(inputs["pictures"], inputs["ids"])
        right = torch.arange(len(pictures), device=pictures.device)
        to_captions = functional.cross_entropy(scale * pictures @ captions.T, right, reduction="none")
        to_pictures = functional.cross_entropy(scale * captions[:len(pictures)] @ pictures.T, right, reduction="none")
        loss = (to_captions + to_pictures) / 2
        return loss, loss.detach()

    def held_out(self, average: torch.nn.Module) -> float | None:
        return None

    def finish(self, average: Judge, out: Path) -> None:
        write_judge(self.recipe, average, self.tokens, out)


def write_judge(recipe: dict, judge: Judge, tokens: Tokens, out: Path) -> None:
    """Weights in float16, the recipe's sections that build the network, and the tokenizer."""
    sections = {key: recipe[key] for key in ("judge", "text_encoder", "tokenizer", "train")}
    (out / "config.json").write_text(json.dumps(sections, indent=2) + "\n", encoding="utf-8")
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, out / "judge.safetensors")
    tokens.save(out / "tokenizer")


def start_from(network: Judge, folder: Path) -> Tokens:
    """The weights of a finished judge in the place of random ones, and its tokenizer. The weights were stored in float16."""
    judge, tokens = read_judge(folder, torch.device("cpu"))
    try:
        network.load_state_dict(judge.state_dict())
    except RuntimeError as error:
        raise Fault(f"[train] init: {folder} does not hold a judge of the shape that the recipe describes: {error}") from error
    return tokens


def read_judge(folder: Path, device: torch.device) -> tuple[Judge, Tokens]:
    try:
        judge = Judge(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        judge.load_state_dict({name: value.float() for name, value in load_file(folder / "judge.safetensors").items()})
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise Fault(f"{folder} does not hold a judge: {error}") from error
    return judge.eval().requires_grad_(False).to(device), Tokens.read(folder / "tokenizer")
