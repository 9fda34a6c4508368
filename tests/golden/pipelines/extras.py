"""What a run of text/ shows and takes besides its plain picture, by diffusers (0.42.1): attention maps, pictures of other sizes, latents
decoded in tiles, and the states of weighted words.

    python extras.py
"""

import pathlib

import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
pipe = StableDiffusionPipeline.from_pretrained(here / "text", torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
tensors = {}
PROMPT = "a cat on the moon"


def states(text):
    ids = pipe.tokenizer(text, padding="max_length", truncation=True, return_tensors="pt").input_ids
    return pipe.text_encoder(ids)[0]


class Seen:
    """diffusers' AttnProcessor, which keeps the weights of attention to the text, averaged over heads."""

    def __init__(self):
        self.weights = []

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        cross = encoder_hidden_states is not None
        context = encoder_hidden_states if cross else hidden_states
        q, k, v = (attn.head_to_batch_dim(t) for t in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)))
        weights = attn.get_attention_scores(q, k, attention_mask)
        if cross:
            self.weights.append(weights.reshape(-1, attn.heads, *weights.shape[1:]).mean(1))
        return attn.to_out[0](attn.batch_to_head_dim(weights @ v))


def resized(weights, layer, size):
    """Maps [batch, positions, tokens] of a layer as [batch, tokens, height, width]."""
    maps = weights.transpose(1, 2).reshape(weights.shape[0], weights.shape[2], *layer)
    mode = {"mode": "area"} if layer[0] > size[0] else {"mode": "bilinear", "align_corners": False}
    return maps if tuple(layer) == tuple(size) else F.interpolate(maps, size=size, **mode)


with torch.no_grad():
    # The second size is larger than a map ever is, so that its first level is averaged.
    for name, (height, width), size in [("small", (8, 8), (8, 8)), ("large", (40, 36), (20, 18))]:
        seen = Seen()
        pipe.unet.set_attn_processor(seen)
        x = torch.randn(2, 4, height, width, generator=torch.Generator().manual_seed(3))
        pipe.unet(x, 700, encoder_hidden_states=states(PROMPT).expand(2, -1, -1))
        layers = [(height, width) if w.shape[1] == height * width else (height // 2, width // 2) for w in seen.weights]
        assert len(layers) == 4 and len(set(layers)) == 2
        maps = torch.stack([resized(w, layer, size) for w, layer in zip(seen.weights, layers)]).mean(0)
        assert (maps.sum(1) - 1).abs().max() < 1e-6
        tensors |= {f"attention/{name}/maps": maps}
        if name == "small":
            tensors |= {f"attention/{name}/x": x}
    pipe.unet.set_attn_processor(AttnProcessor())

    for height, width in [(16, 24), (40, 8)]:
        image = pipe(PROMPT, height=height, width=width, num_inference_steps=4, guidance_scale=3.0, output_type="pt",
                     generator=torch.Generator().manual_seed(40)).images
        tensors |= {f"size/{width}x{height}": image}

    # Sides that do not halve evenly, which the pipeline above refuses and its network takes.
    x = torch.randn(1, 4, 7, 9, generator=torch.Generator().manual_seed(6))
    tensors |= {"size/odd/x": x, "size/odd/out": pipe.unet(x, 300, encoder_hidden_states=states(PROMPT)).sample}

    z = torch.randn(1, 4, 28, 20, generator=torch.Generator().manual_seed(5))
    pipe.vae.enable_tiling()
    tensors |= {"tiles/z": z, "tiles/decoded": pipe.vae.decode(z).sample}
    x = torch.rand(1, 3, 56, 40, generator=torch.Generator().manual_seed(7)) * 2 - 1
    encoded = pipe.vae.encode(x).latent_dist.mean
    tensors |= {"tiles/x": x, "tiles/mean": encoded}
    pipe.vae.disable_tiling()
    # Tiles are not nearly the whole.
    assert (pipe.vae.encode(x).latent_dist.mean - encoded).abs().max() > 1e-2

    # The text without brackets, and the weight of each token, as AUTOMATIC1111's web UI makes them of
    # "a (cat:1.4) on ([the] moon)".
    words = [("a", 1), ("cat", 1.4), ("on", 1), ("the", 1.1 / 1.1), ("moon", 1.1)]
    weights = torch.ones(pipe.tokenizer.model_max_length)
    at = 1
    for word, weight in words:
        tokens = len(pipe.tokenizer(word).input_ids) - 2
        weights[at:at + tokens] = weight
        at += tokens
    plain = states(PROMPT)
    weighted = plain * weights[None, :, None]
    tensors |= {"weighted/states": weighted * (plain.mean() / weighted.mean()), "weighted/weights": weights}

save_file({key: value.contiguous() for key, value in tensors.items()}, here / "extras.safetensors")
for key, value in tensors.items():
    print(key, tuple(value.shape))
