"""The networks of the text models: built from a recipe, and computed in a way that a compiler and a CUDA graph can record."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel

from recipe import Fault, seeded_weights


def tuples(section: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in section.items()}


def built(make, section: str, *args, **options):
    try:
        return make(*args, **options)
    except (TypeError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Fault(f"[{section}] does not describe a network that can be built: {error}") from error


def read_autoencoder(folder: Path) -> AutoencoderKL:
    try:
        return AutoencoderKL.from_pretrained(folder, subfolder="vae").float().eval().requires_grad_(False)
    except (OSError, ValueError) as error:
        raise Fault(f"{folder} does not hold an autoencoder: {error}") from error


def text_config(section: dict, vocabulary: int) -> CLIPTextConfig:
    return CLIPTextConfig(vocab_size=vocabulary, bos_token_id=0, eos_token_id=1, pad_token_id=1, projection_dim=section["hidden_size"],
                          **section)


def text_states(encoder: CLIPTextModel, ids: torch.Tensor) -> torch.Tensor:
    """The last hidden states (N, length, width), as CLIPTextModel gives them without an attention mask. Written out because
    transformers looks at the values of its masks while it builds them, which cannot be recorded."""
    model = getattr(encoder, "text_model", encoder)
    x = model.embeddings.token_embedding(ids) + model.embeddings.position_embedding.weight[:ids.shape[1]]
    for layer in model.encoder.layers:
        attention, norm = layer.self_attn, layer.layer_norm1(x)
        heads = [project(norm).unflatten(2, (attention.num_heads, -1)).transpose(1, 2)
                 for project in (attention.q_proj, attention.k_proj, attention.v_proj)]
        x = x + attention.out_proj(functional.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2))
        x = x + layer.mlp(layer.layer_norm2(x))
    return model.final_layer_norm(x)


class Autoencoding(torch.nn.Module):
    """Reconstruction of pictures through one draw of their latents."""

    def __init__(self, recipe: dict):
        super().__init__()
        seeded_weights(recipe)
        self.vae = built(AutoencoderKL, "autoencoder", **tuples(recipe["autoencoder"]))

    def forward(self, pictures: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        moments = self.vae.quant_conv(self.vae.encoder(pictures)).float()
        mean, logvar = moments.chunk(2, dim=1)
        logvar = logvar.clamp(-30, 20)
        return self.vae.decoder(self.vae.post_quant_conv(mean + (0.5 * logvar).exp() * noise)).float(), mean, logvar


def latents_of(vae: AutoencoderKL, pictures: torch.Tensor) -> torch.Tensor:
    """The mean of each picture's latents, scaled to a deviation of about one."""
    return vae.quant_conv(vae.encoder(pictures))[:, :vae.config.latent_channels].float() * vae.config.scaling_factor


def pictures_of(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    return vae.decoder(vae.post_quant_conv(latents / vae.config.scaling_factor)).float()


class TextDenoiser(torch.nn.Module):
    """The U-Net and the text encoder that is trained with it."""

    def __init__(self, recipe: dict):
        super().__init__()
        seeded_weights(recipe)
        self.text_encoder = built(CLIPTextModel, "text_encoder",
                                  built(text_config, "text_encoder", recipe["text_encoder"], recipe["tokenizer"]["size"]))
        self.unet = built(UNet2DConditionModel, "unet", cross_attention_dim=recipe["text_encoder"]["hidden_size"],
                          **tuples(recipe["unet"]))

    def forward(self, x: torch.Tensor, t: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return self.unet(x, t, text_states(self.text_encoder, ids), return_dict=False)[0]


class Judge(torch.nn.Module):
    """Pictures and captions as unit vectors that point the same way where they belong together (Radford et al. 2021,
    arXiv 2103.00020)."""

    def __init__(self, recipe: dict):
        super().__init__()
        seeded_weights(recipe)
        section = recipe["judge"]
        channels, size = section["channels"], section["size"]
        self.text_encoder = built(CLIPTextModel, "text_encoder",
                                  built(text_config, "text_encoder", recipe["text_encoder"], recipe["tokenizer"]["size"]))
        layers = [torch.nn.Conv2d(3, channels[0], 3, padding=1)]
        for inputs, outputs in zip(channels, [*channels[1:], channels[-1]]):
            layers += [torch.nn.GroupNorm(8, inputs), torch.nn.SiLU(), torch.nn.Conv2d(inputs, outputs, 3, padding=1, stride=2),
                       torch.nn.GroupNorm(8, outputs), torch.nn.SiLU(), torch.nn.Conv2d(outputs, outputs, 3, padding=1)]
        self.picture_encoder = torch.nn.Sequential(*layers, torch.nn.GroupNorm(8, channels[-1]), torch.nn.SiLU())
        side = section["side"]  # of the last map, whose places are kept apart: left and right are to be told
        self.picture_head = torch.nn.Linear(channels[-1] * side * side, size)
        self.text_head = torch.nn.Linear(recipe["text_encoder"]["hidden_size"], size)
        self.scale = torch.nn.Parameter(torch.tensor(2.7))

    def pictures(self, pictures: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.picture_head(self.picture_encoder(pictures).flatten(1)).float(), dim=1)

    def captions(self, ids: torch.Tensor) -> torch.Tensor:
        states, last = text_states(self.text_encoder, ids), (ids == 1).int().argmax(dim=1)  # the first end token has read all
        return functional.normalize(self.text_head(states[torch.arange(len(ids), device=ids.device), last]).float(), dim=1)

    def forward(self, pictures: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.pictures(pictures), self.captions(ids), self.scale.clamp(max=4.6).exp()
