"""Recipes with [unet] and [text_encoder]: a text-conditioned denoiser of latents, and its distillation to few steps."""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from canvas import Emoji, SceneBatches, Stream
from classes import even_times, normal
from networks import TextDenoiser, latents_of, read_autoencoder, text_states, tuples
from recipe import DRAWS, Fault
from tokens import Tokens

SCHEDULE_KEYS = {"kind": "beta_schedule", "beta_start": "beta_start", "beta_end": "beta_end", "timesteps": "num_train_timesteps",
                 "zero_terminal_snr": "rescale_betas_zero_snr"}


def schedule_options(recipe: dict) -> dict:
    """[schedule] by diffusers' names."""
    return {SCHEDULE_KEYS[key]: value for key, value in recipe["schedule"].items()} | {"prediction_type": "v_prediction"}


def levels(recipe: dict, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """alpha and sigma of every timestep."""
    squared = DDIMScheduler(**schedule_options(recipe)).alphas_cumprod.to(device)
    return squared.sqrt(), (1 - squared).sqrt()


def start_from(network: TextDenoiser, folder: Path) -> None:
    """The weights of a finished model in the place of random ones. They were stored in float16."""
    try:
        network.unet.load_state_dict(UNet2DConditionModel.from_pretrained(folder, subfolder="unet").state_dict())
        network.text_encoder.load_state_dict(CLIPTextModel.from_pretrained(folder, subfolder="text_encoder").state_dict())
    except (OSError, ValueError, RuntimeError) as error:
        raise Fault(f"[train] init: {folder} does not hold a model of the shape that the recipe describes: {error}") from error


class TextTask:
    def __init__(self, recipe: dict, data: Path, out: Path, device: torch.device, share: slice):
        self.recipe, self.device, self.share, self.out = recipe, device, share, out
        train, self.size = recipe["train"], recipe["train"]["batch"]
        self.network = TextDenoiser(recipe)
        if "init" in train:
            start_from(self.network, out.parent / train["init"])
            shutil.copytree(out.parent / train["init"] / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
        self.vae = read_autoencoder(out.parent / recipe["latents"]["autoencoder"]).to(device, memory_format=torch.channels_last)
        self.encode = torch.compile(latents_of) if device.type == "cuda" else latents_of
        self.emoji = Emoji(recipe, data)
        self.sprites = self.emoji.sprites(device)
        if not (out / "tokenizer" / "vocab.json").exists():  # else it is the teacher's or that of `init`
            self.emoji.tokens().save(out / "tokenizer")
        self.tokens = Tokens.read(out / "tokenizer")
        batches = SceneBatches(self.emoji.scenes(), self.tokens, train["seed"], self.size, share, recipe["objective"]["caption_drop"])
        self.stream = Stream(batches, train["workers"], device)
        self.alphas, self.sigmas = levels(recipe, device)

    @torch.no_grad()
    def latents(self, what: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        pictures = self.sprites.draw(what, where).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe["train"]["precision"] == "bf16"):
            return self.encode(self.vae, pictures)

    def inputs_of(self, step: int) -> dict[str, torch.Tensor]:
        scenes = self.stream(step)
        x0 = self.latents(scenes["what"], scenes["where"])
        rng = np.random.default_rng((self.recipe["train"]["seed"], DRAWS, step))
        # The times are paired with pictures at random: the batch's order is random already.
        time = torch.from_numpy((even_times(self.size, rng) * len(self.alphas)).astype(np.int64)[self.share]).to(self.device)
        noise = normal((self.size, *x0.shape[1:]), rng, self.device)[self.share]
        return {"x0": x0, "noise": noise, "time": time, "ids": scenes["ids"]}

    def losses(self, network, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        x0, noise, time = inputs["x0"], inputs["noise"], inputs["time"]
        a, s = self.alphas[time].view(-1, 1, 1, 1), self.sigmas[time].view(-1, 1, 1, 1)
        error = network(a * x0 + s * noise, time, inputs["ids"]).float() - (a * noise - s * x0)
        error = error.square().mean(dim=(1, 2, 3))
        return error, error.detach()

    def held_out(self, average: torch.nn.Module) -> float | None:
        return None

    def finish(self, average: TextDenoiser, out: Path) -> None:
        pipeline(self.recipe, average, self.vae, out / "tokenizer").save_pretrained(out)
        self.tokens.save(out / "tokenizer")
        (out / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)  # the same again, in another form
        write_card(self.recipe, out)


def pipeline(recipe: dict, average: TextDenoiser, vae, tokenizer: Path) -> StableDiffusionPipeline:
    """The parts in float16."""
    unet = UNet2DConditionModel(cross_attention_dim=recipe["text_encoder"]["hidden_size"], **tuples(recipe["unet"])).half()
    unet.load_state_dict(average.unet.state_dict())
    text_encoder = CLIPTextModel(average.text_encoder.config).half()
    text_encoder.load_state_dict(average.text_encoder.state_dict())
    scheduler = DPMSolverMultistepScheduler(**schedule_options(recipe), timestep_spacing="trailing", steps_offset=1, solver_order=2,
                                            algorithm_type="dpmsolver++")
    return StableDiffusionPipeline(vae=vae.half(), text_encoder=text_encoder, tokenizer=CLIPTokenizer.from_pretrained(tokenizer),
                                   unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None,
                                   requires_safety_checker=False)


def write_card(recipe: dict, out: Path) -> None:
    page = recipe["page"]
    facts = {key: page[key] for key in ("name", "description", "licence", "defaults", "parts") if key in page} | {"range": [-1, 1]}
    (out / "unnoise.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def blended(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Weights on the line from one network to another of the same shape."""
    return {name: torch.lerp(value.float(), other[name].float(), share) for name, value in one.items()}


class TurboTask(TextTask):
    """Latent consistency distillation (Luo et al. 2023, arXiv 2310.04378) with the teacher's guidance baked in: on a grid of
    times, the student's estimate of x0 at t is to be its own at the earlier time that one guided DDIM step of the teacher
    leads to."""

    def __init__(self, recipe: dict, data: Path, out: Path, device: torch.device, share: slice):
        folder = out.parent / recipe["turbo"]["teacher"]
        out.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
        super().__init__(recipe, data, out, device, share)
        try:
            student, teacher = (UNet2DConditionModel.from_pretrained(folder, subfolder="unet").float() for _ in range(2))
            encoder = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder").float()
        except (OSError, ValueError) as error:
            raise Fault(f"{folder} does not hold the model to distil: {error}") from error
        self.network = student
        self.teacher = teacher.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        self.text_encoder = encoder.eval().requires_grad_(False).to(device)
        if device.type == "cuda":
            self.teacher.compile()
        self.gap = recipe["schedule"]["timesteps"] // recipe["turbo"]["grid"]
        self.empty = torch.from_numpy(self.tokens([""])).to(device)

    def inputs_of(self, step: int) -> dict[str, torch.Tensor]:
        inputs = super().inputs_of(step)
        # The grid's times are gap - 1, 2 gap - 1, ... up to the last, as LCMScheduler takes them.
        inputs["time"] = (inputs["time"] // self.gap + 1) * self.gap - 1
        return inputs

    def estimate(self, unet, x: torch.Tensor, time: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """x0 from v."""
        a, s = self.alphas[time].view(-1, 1, 1, 1), self.sigmas[time].view(-1, 1, 1, 1)
        return a * x - s * unet(x, time, states, return_dict=False)[0].float()

    def consistent(self, unet, x: torch.Tensor, time: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """The estimate held to x itself near time 0, by LCMScheduler's own numbers."""
        scaled = 10.0 * time.float().view(-1, 1, 1, 1)
        keep = 0.25 / (scaled.square() + 0.25)
        return keep * x + scaled / (scaled.square() + 0.25).sqrt() * self.estimate(unet, x, time, states)

    def losses(self, network, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        x0, noise, time, turbo = inputs["x0"], inputs["noise"], inputs["time"], self.recipe["turbo"]
        a, s = self.alphas[time].view(-1, 1, 1, 1), self.sigmas[time].view(-1, 1, 1, 1)
        x = a * x0 + s * noise
        with torch.no_grad():
            states = text_states(self.text_encoder, inputs["ids"])
            none = text_states(self.text_encoder, self.empty).expand_as(states)
            told, free = self.estimate(self.teacher, x.repeat(2, 1, 1, 1), time.repeat(2), torch.cat([states, none])).chunk(2)
            guided = free + turbo["guidance"] * (told - free)
            before = time - self.gap
            a2 = torch.where(before >= 0, self.alphas[before.clamp(min=0)], 1.0).view(-1, 1, 1, 1)
            s2 = torch.where(before >= 0, self.sigmas[before.clamp(min=0)], 0.0).view(-1, 1, 1, 1)
            earlier = a2 * guided + s2 * (x - a * guided) / s  # DDIM
            target = self.consistent(network, earlier, before.clamp(min=0), states)
            target = torch.where((before >= 0).view(-1, 1, 1, 1), target, earlier)
        error = (self.consistent(network, x, time, states) - target).square().mean(dim=(1, 2, 3))
        huber = turbo["huber"]  # Song & Dhariwal 2023 (arXiv 2310.14189), section 3.3
        return (error + huber**2).sqrt() - huber, error.detach()

    def finish(self, average: UNet2DConditionModel, out: Path) -> None:
        """The U-Net and the scheduler alone: the other parts are the teacher's, which the card says."""
        shutil.rmtree(out / "tokenizer")
        half = UNet2DConditionModel(cross_attention_dim=self.recipe["text_encoder"]["hidden_size"], **tuples(self.recipe["unet"])).half()
        half.load_state_dict(blended(average.state_dict(), self.teacher.state_dict(), self.recipe["turbo"]["blend"]))
        half.save_pretrained(out / "unet")
        LCMScheduler(**schedule_options(self.recipe), original_inference_steps=self.recipe["turbo"]["grid"],
                     clip_sample=False, set_alpha_to_one=True, timestep_spacing="leading").save_pretrained(out / "scheduler")
        write_card(self.recipe, out)
