"""Kinds of pipelines, each as small as it can be."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import diffusers as d
import numpy as np
import torch
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

here = Path(__file__).parent
sys.path.insert(0, str(here.parent / "networks"))
from settled import settle  # noqa: E402


@dataclass
class Case:
    build: Callable
    runs: list
    draw: Callable
    kept: bool = True
    #: Writes what the runs start from into the folder.
    start: Callable = lambda folder: None
    #: What stands in every run's settings besides.
    more: dict = field(default_factory=dict)

    def settings(self, run):
        return self.more | {key: value for key, value in run.items()}


CASES = {}


def case(name, runs, draw, dtype=torch.float16, kept=True, start=lambda folder: None, **more):
    def add(build):
        def built():
            torch.manual_seed(len(CASES) + 7)
            return build(lambda model: settle(model, dtype)), dtype

        CASES[name] = Case(built, runs, draw, kept, start, more)
        return build

    return add


def pixels(pipe, run, generator):
    """A pipeline of pictures, one of classes if the run says so."""
    call = {"num_inference_steps": run["steps"]}
    if isinstance(pipe, d.ConsistencyModelPipeline) and "class" in run:
        call["class_labels"] = run["class"]
    elif isinstance(pipe, d.DiTPipeline):
        call |= {"class_labels": [run["class"]], "guidance_scale": run["guidance"]}
    elif "class" in run:
        # diffusers' own pipelines tell no class to a network of pictures.
        forward, label = pipe.unet.__class__.forward, torch.tensor([run["class"]])
        pipe.unet.forward = lambda *args, **more: forward(pipe.unet, *args, class_labels=label, **more)
    try:
        return pipe(generator=generator, output_type="np", **call).images[0]
    finally:
        if hasattr(pipe, "unet"):
            pipe.unet.__dict__.pop("forward", None)


def words(pipe, run, generator):
    call = {"prompt": run.get("prompt", ""), "num_inference_steps": run["steps"], "guidance_scale": run["guidance"]}
    if run.get("negative"):
        call["negative_prompt"] = run["negative"]
    side = pipe.unet.config.sample_size
    height, width = [side, side] if isinstance(side, int) else side
    call |= {"height": height * pipe.vae_scale_factor, "width": width * pipe.vae_scale_factor}
    return pipe(generator=generator, output_type="np", **call).images[0]


def unet(**more):
    return d.UNet2DModel(**(dict(sample_size=8, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, attention_head_dim=4,
                                 down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D")) | more))


def conditional(**more):
    return d.UNet2DConditionModel(**(dict(
        sample_size=8, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, attention_head_dim=2, cross_attention_dim=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")) | more))


def tokenizer(length=12, **more):
    return CLIPTokenizer.from_pretrained(here.parent / "tokenizer", model_max_length=length, **more)


def text(width=8, kind=CLIPTextModel, length=12, **more):
    config = dict(vocab_size=1114, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=3, num_attention_heads=2,
                  max_position_embeddings=length, projection_dim=6, bos_token_id=1112, eos_token_id=1113) | more
    return kind(CLIPTextConfig(**config))


def kl(**more):
    return d.AutoencoderKL(**(dict(block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4, latent_channels=4,
                                   down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2) | more))


def vq(**more):
    return d.VQModel(**(dict(block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4, latent_channels=3, num_vq_embeddings=9,
                             down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2) | more))


def tiny(**more):
    return d.AutoencoderTiny(**(dict(encoder_block_out_channels=(4, 4), decoder_block_out_channels=(4, 4), num_encoder_blocks=(1, 1),
                                     num_decoder_blocks=(1, 1)) | more))


SD = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


@case("ddpm", [{"seed": 3, "steps": 5}, {"seed": 4, "steps": 7}], pixels)
def _(settle):
    return d.DDPMPipeline(settle(unet(sample_size=(8, 12))), d.DDPMScheduler())


@case("ddim-resnet", [{"seed": 5, "steps": 4}], pixels, dtype=torch.bfloat16)
def _(settle):
    net = unet(down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D", "DownBlock2D"), block_out_channels=(4, 8, 8),
               up_block_types=("UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"), downsample_type="resnet", upsample_type="resnet",
               resnet_time_scale_shift="scale_shift", act_fn="gelu", mid_block_scale_factor=1.4, sample_size=(16, 12), attention_head_dim=3)
    return d.DDIMPipeline(settle(net), d.DDIMScheduler(timestep_spacing="trailing"))


@case("pndm-learned-time", [{"seed": 6, "steps": 6}], pixels)
def _(settle):
    net = unet(time_embedding_type="learned", num_train_timesteps=1000, act_fn="mish", attn_norm_num_groups=4, center_input_sample=True)
    return d.PNDMPipeline(settle(net), d.PNDMScheduler())


@case("ncsnpp", [{"seed": 7, "steps": 3}], pixels)
def _(settle):
    net = unet(block_out_channels=(8, 8), down_block_types=("SkipDownBlock2D",) * 2, up_block_types=("SkipUpBlock2D",) * 2, norm_num_groups=None,
               time_embedding_type="fourier", mid_block_scale_factor=2 ** 0.5, time_embedding_dim=16, attention_head_dim=None)
    return d.ScoreSdeVePipeline(settle(net), d.ScoreSdeVeScheduler(sigma_max=20.0))


# Where such a level attends, its groups ask for 32 channels.
@case("attn-skip", [{"seed": 7, "steps": 3}], pixels)
def _(settle):
    net = unet(block_out_channels=(32,), down_block_types=("AttnSkipDownBlock2D",), up_block_types=("AttnSkipUpBlock2D",), mid_block_type=None,
               attention_head_dim=8)
    return d.DDPMPipeline(settle(net), d.DDPMScheduler())


@case("ncsnpp-whole", [{"seed": 7, "steps": 3}], pixels, kept=False)
def _(settle):
    net = unet(block_out_channels=(32, 32, 32), down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"),
               up_block_types=("SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"), norm_num_groups=None, time_embedding_type="fourier",
               sample_size=16, freq_shift=0, mid_block_scale_factor=2 ** 0.5, time_embedding_dim=16, attention_head_dim=None)
    return d.ScoreSdeVePipeline(settle(net), d.ScoreSdeVeScheduler(sigma_max=20.0))


@case("class-timestep", [{"seed": 8, "steps": 4, "class": 3}, {"seed": 8, "steps": 4, "class": 0}], pixels)
def _(settle):
    return d.DDPMPipeline(settle(unet(class_embed_type="timestep", num_class_embeds=5, in_channels=1, out_channels=1)),
                          d.DDPMScheduler(clip_sample=False, beta_schedule="squaredcos_cap_v2"))


@case("class-learned-variance", [{"seed": 9, "steps": 4, "class": 2}], pixels)
def _(settle):
    return d.DDPMPipeline(settle(unet(num_class_embeds=3, out_channels=6, act_fn="relu", flip_sin_to_cos=False, freq_shift=1)),
                          d.DDPMScheduler(variance_type="learned_range", clip_sample_range=1.5))


@case("no-attention", [{"seed": 10, "steps": 4}], pixels, kept=False, dtype=torch.float32)
def _(settle):
    net = unet(down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, add_attention=False, sample_size=28, downsample_padding=0)
    return d.DDIMPipeline(settle(net), d.DDIMScheduler(prediction_type="sample", thresholding=True))


@case("no-middle", [{"seed": 10, "steps": 4}], pixels, kept=False)
def _(settle):
    return d.DDIMPipeline(settle(unet(mid_block_type=None, block_out_channels=(4, 8, 16), sample_size=64, layers_per_block=2,
                                      down_block_types=("AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
                                      up_block_types=("UpBlock2D", "UpBlock2D", "UpBlock2D"))), d.DDPMScheduler())


@case("consistency", [{"seed": 11, "steps": 1, "class": 1}, {"seed": 12, "steps": 3, "class": 0}], pixels)
def _(settle):
    net = unet(num_class_embeds=4, resnet_time_scale_shift="scale_shift", down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
               up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"), attn_norm_num_groups=2, downsample_type="resnet", upsample_type="resnet")
    return d.ConsistencyModelPipeline(settle(net), d.CMStochasticIterativeScheduler())


@case("karras-ve", [{"seed": 13, "steps": 4}, {"seed": 14, "steps": 20}], pixels)
def _(settle):
    return d.KarrasVePipeline(settle(unet(time_embedding_type="fourier")), d.KarrasVeScheduler(sigma_max=3.0, sigma_min=0.1))


@case("ldm-vq", [{"seed": 14, "steps": 4}], pixels)
def _(settle):
    autoencoder = settle(vq(vq_embed_dim=2, scaling_factor=0.5))
    return d.LDMPipeline(autoencoder, settle(unet(in_channels=2, out_channels=2)), d.DDIMScheduler(clip_sample=False, **SD))


@case("ldm-kl", [{"seed": 15, "steps": 4}], pixels, kept=False)
def _(settle):
    return d.LDMPipeline(settle(kl(use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False, shift_factor=0.3)),
                         settle(unet(in_channels=4, out_channels=4)), d.LMSDiscreteScheduler(**SD))


@case("ldm-tiny", [{"seed": 15, "steps": 4}], pixels, kept=False)
def _(settle):
    return d.LDMPipeline(settle(tiny(latent_channels=4, act_fn="gelu")), settle(unet(in_channels=4, out_channels=4)), d.DDIMScheduler(**SD))


@case("dit", [{"seed": 16, "steps": 4, "class": 3, "guidance": 4.0}, {"seed": 16, "steps": 5, "class": 0, "guidance": 1.0}], pixels)
def _(settle):
    net = d.DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=2, sample_size=8,
                                  num_embeds_ada_norm=1000, patch_size=2)
    return d.DiTPipeline(settle(net), settle(kl()), d.DDIMScheduler(clip_sample=False))


def stable(settle, scheduler, net=None, vae=None, encoder=None, length=12, kind=d.StableDiffusionPipeline, **more):
    return kind(vae=settle(vae or kl()), text_encoder=settle(encoder or text()), tokenizer=more.pop("tokens", None) or tokenizer(length),
                unet=settle(net or conditional()), scheduler=scheduler, safety_checker=None, feature_extractor=None,
                requires_safety_checker=False, **more)


LONG = "a cat on the moon, " * 12
TEXTS = [
    {"seed": 20, "steps": 4, "guidance": 7.5, "prompt": "a red heart on white", "negative": "night"},
    {"seed": 21, "steps": 3, "guidance": 1.0, "prompt": "猫 🐱 naïve café"},
    {"seed": 22, "steps": 3, "guidance": 2.0, "prompt": "", "negative": "blurry 👎"},
    {"seed": 23, "steps": 3, "guidance": 7.5, "prompt": LONG},
    {"seed": 24, "steps": 5, "guidance": 0.0, "prompt": "Red HEART!!"},
]


@case("sd1", TEXTS[:3], words)
def _(settle):
    return stable(settle, d.PNDMScheduler(**SD, skip_prk_steps=True, steps_offset=1), conditional(sample_size=(8, 12)))


@case("sd1-odd-heads", TEXTS, words, kept=False, dtype=torch.float32)
def _(settle):
    net = conditional(attention_head_dim=3, block_out_channels=(4, 8, 10), layers_per_block=(1, 2, 1), cross_attention_dim=(6, 6, 6),
                      down_block_types=("CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
                      up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"), only_cross_attention=(True, False, False))
    return stable(settle, d.DPMSolverMultistepScheduler(**SD, use_karras_sigmas=True), net, encoder=text(6), length=77 and 12)


@case("sd2", TEXTS[:4], words)
def _(settle):
    net = conditional(use_linear_projection=True, attention_head_dim=(1, 4))
    scheduler = d.DDIMScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
                                clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    return stable(settle, scheduler, net, encoder=text(hidden_act="gelu"), tokens=tokenizer(pad_token="!"))


@case("sd2-clipped", TEXTS[:2], words, kept=False)
def _(settle):
    net = conditional(use_linear_projection=True, attention_head_dim=(2, 4), mid_block_type="UNetMidBlock2D", upcast_attention=True)
    scheduler = d.DDIMScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="linspace", clip_sample=True)
    return stable(settle, scheduler, net, encoder=text(hidden_act="gelu", eos_token_id=2), tokens=tokenizer(pad_token="!"))


@case("turbo", [{"seed": 30, "steps": 1, "guidance": 0.0, "prompt": "a cat"}, {"seed": 31, "steps": 4, "guidance": 0.0, "prompt": "moon"}], words)
def _(settle):
    net = conditional(use_linear_projection=True, attention_head_dim=(2, 4))
    return stable(settle, d.EulerAncestralDiscreteScheduler(**SD, timestep_spacing="trailing", steps_offset=1), net,
                  encoder=text(hidden_act="gelu"), tokens=tokenizer(pad_token="!"))


@case("sd-tiny", TEXTS[:1], words)
def _(settle):
    return stable(settle, d.EulerDiscreteScheduler(**SD, steps_offset=1), vae=tiny(scaling_factor=0.8))


for name, scheduler in {
    "ddpm": d.DDPMScheduler(**SD, clip_sample=False),
    "unipc": d.UniPCMultistepScheduler(**SD, steps_offset=1),
    "heun": d.HeunDiscreteScheduler(**SD),
    "deis": d.DEISMultistepScheduler(**SD),
    "dpm-sde": d.DPMSolverMultistepScheduler(**SD, algorithm_type="sde-dpmsolver++", timestep_spacing="trailing"),
    "kdpm2": d.KDPM2DiscreteScheduler(**SD, timestep_spacing="trailing"),
    "lms-karras": d.LMSDiscreteScheduler(**SD, use_karras_sigmas=True),
    "euler-v": d.EulerDiscreteScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
    "euler-a-v": d.EulerAncestralDiscreteScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
    "ddim-eps-zero": d.DDIMScheduler(**SD, rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=False),
    "ddim-trailing": d.DDIMScheduler(**SD, timestep_spacing="trailing", clip_sample=False),
    "ddim-offset": d.DDIMScheduler(**SD, steps_offset=1, clip_sample=False, set_alpha_to_one=False),
    "singlestep": d.DPMSolverSinglestepScheduler(**SD),
    "tcd": d.TCDScheduler(**SD),
    "sa": d.SASolverScheduler(**SD),
    "lcm-plain": d.LCMScheduler(**SD),
    "dpm-v-zero": d.DPMSolverMultistepScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
    "unipc-v-zero": d.UniPCMultistepScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
    "ddpm-v-zero": d.DDPMScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=False),
    "lcm-v-zero": d.LCMScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True),
    "euler-trailing": d.EulerDiscreteScheduler(**SD, timestep_spacing="trailing"),
    "euler-linspace": d.EulerDiscreteScheduler(**SD, timestep_spacing="linspace", use_karras_sigmas=True),
    "euler-sigma-min": d.EulerDiscreteScheduler(**SD, final_sigmas_type="sigma_min", interpolation_type="log_linear"),
    "dpm-3": d.DPMSolverMultistepScheduler(**SD, solver_order=3, use_lu_lambdas=True),
    "dpm-v-thresholding": d.DPMSolverMultistepScheduler(**SD, prediction_type="v_prediction", thresholding=True, algorithm_type="dpmsolver++"),
    "edm": d.EDMEulerScheduler(),
    "edm-dpm": d.EDMDPMSolverMultistepScheduler(),
    "edm-v": d.EDMEulerScheduler(prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential"),
    "ipndm": d.IPNDMScheduler(),
    "pndm-prk": d.PNDMScheduler(**SD),
    "heun-karras": d.HeunDiscreteScheduler(**SD, use_karras_sigmas=True, timestep_spacing="trailing", prediction_type="v_prediction"),
    "kdpm2-a": d.KDPM2AncestralDiscreteScheduler(**SD),
    "ddim-cosine-sample": d.DDIMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="sample", thresholding=True),
    "cogvideox": d.CogVideoXDDIMScheduler(**SD) if hasattr(d, "CogVideoXDDIMScheduler") else d.DDIMScheduler(**SD),
}.items():
    @case(f"sd-{name}", [TEXTS[0], TEXTS[1], {**TEXTS[0], "steps": 9}], words, kept=False)
    def _(settle, scheduler=scheduler):
        return stable(settle, scheduler)


@case("lcm", [{"seed": 40, "steps": 4, "guidance": 8.5, "prompt": "a cat on the moon"}, {"seed": 41, "steps": 2, "guidance": 1.0, "prompt": "猫"}], words,
      kept=False)
def _(settle):
    return stable(settle, d.LCMScheduler(**SD), conditional(time_cond_proj_dim=6), kind=d.LatentConsistencyModelPipeline)


def xl(settle, scheduler, net, vae=None, **more):
    return d.StableDiffusionXLPipeline(
        vae=settle(vae or kl(scaling_factor=0.13025)), text_encoder=settle(text(4)), text_encoder_2=settle(text(8, CLIPTextModelWithProjection, hidden_act="gelu")),
        tokenizer=tokenizer(), tokenizer_2=tokenizer(pad_token="!"), unet=settle(net), scheduler=scheduler, add_watermarker=False, **more)


def xl_net(**more):
    return conditional(**(dict(cross_attention_dim=12, addition_embed_type="text_time", addition_time_embed_dim=4,
                               projection_class_embeddings_input_dim=6 * 4 + 6, use_linear_projection=True, transformer_layers_per_block=(1, 2)) | more))


@case("xl", [TEXTS[0], TEXTS[1], TEXTS[3]], words)
def _(settle):
    vae = kl(scaling_factor=0.5, latents_mean=[-1.6, 1.1, 0.2, -0.4], latents_std=[4.2, 2.1, 0.7, 1.3])
    return xl(settle, d.EulerDiscreteScheduler(**SD, steps_offset=1), xl_net(sample_size=(8, 12)), vae)


@case("xl-turbo", [{"seed": 50, "steps": 1, "guidance": 0.0, "prompt": "a cat"}], words, kept=False)
def _(settle):
    return xl(settle, d.EulerAncestralDiscreteScheduler(**SD, timestep_spacing="trailing"), xl_net(), force_zeros_for_empty_prompt=False)


@case("xl-lcm", [{"seed": 51, "steps": 4, "guidance": 8.0, "prompt": "a cat"}], words, kept=False)
def _(settle):
    return xl(settle, d.LCMScheduler(**SD), xl_net(time_cond_proj_dim=8))


@case("sd-guidance-embedded", [{"seed": 51, "steps": 4, "guidance": 8.0, "prompt": "a cat"}], words, kept=False)
def _(settle):
    return stable(settle, d.DDIMScheduler(**SD, clip_sample=False), conditional(time_cond_proj_dim=8, in_channels=16, out_channels=16),
                  kl(latent_channels=16, shift_factor=0.1, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False))


@case("xl-nested", TEXTS[:2], words, kept=False)
def _(settle):
    net = xl_net(transformer_layers_per_block=(1, (2,)), reverse_transformer_layers_per_block=((3, 1), 1),
                 down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))
    return xl(settle, d.DPMSolverMultistepScheduler(**SD), net)


def _hole(side):
    rows, columns = np.mgrid[0:side, 0:side]
    image = np.stack([rows * 16 % 256, columns * 16 % 256, (rows + columns) * 8 % 256], -1).astype("uint8")
    mask = np.where((rows // 4 + columns // 4) % 2 == 0, 255, 0).astype("uint8")
    return Image.fromarray(image), Image.fromarray(mask)


def inpainted(pipe, run, generator):
    image, mask = _hole(16)
    call = {"prompt": run["prompt"], "num_inference_steps": run["steps"], "guidance_scale": run["guidance"]}
    return pipe(image=image, mask_image=mask, height=16, width=16, generator=generator, output_type="np", **call).images[0]


def start(folder):
    """The picture, and what of it stays: the inverse of diffusers' mask."""
    image, mask = _hole(16)
    image.save(folder / "start.png")
    Image.fromarray(255 - np.asarray(mask)).save(folder / "kept.png")


@case("inpaint", [{"seed": 60, "steps": 4, "guidance": 7.5, "prompt": "a cat"}], inpainted, start=start, image="start.png", mask="kept.png", strength=1)
def _(settle):
    return stable(settle, d.DDIMScheduler(**SD, clip_sample=False, steps_offset=1), conditional(in_channels=9), kind=d.StableDiffusionInpaintPipeline)
