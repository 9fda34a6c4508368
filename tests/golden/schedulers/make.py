"""Makes the records beside it: small random networks, and the pictures that pipelines and schedulers of diffusers draw with them.

    python make.py                  (torch, diffusers 0.42.1)

`networks/NAME/` holds a UNet2DModel; `cases.json` lists, for each case, the pipeline, the network, the scheduler_config.json
that the pipeline saved, the steps, the seed and the bytes of the picture, rows of pixels. A network is made only where its folder
is not there.
"""

import json
from pathlib import Path

import torch
from diffusers import (
    DDIMPipeline,
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LCMScheduler,
    LMSDiscreteScheduler,
    PNDMPipeline,
    PNDMScheduler,
    SASolverScheduler,
    ScoreSdeVePipeline,
    ScoreSdeVeScheduler,
    TCDScheduler,
    UNet2DModel,
    UniPCMultistepScheduler,
)

HERE = Path(__file__).parent
SIZE = 8


def network(seed, **more):
    torch.manual_seed(seed)
    net = UNet2DModel(
        sample_size=SIZE,
        block_out_channels=(4, 4),
        norm_num_groups=2,
        layers_per_block=1,
        add_attention=False,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        **more,
    )
    train(net, "time_embedding_type" in more)
    return net


def train(net, explodes):
    """A little, on pictures of one colour: without it most pictures would be black or white all over."""
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    alphas_bar = DDPMScheduler().alphas_cumprod
    for _ in range(300):
        x0 = (0.3 * torch.randn(16, 3, 1, 1)).expand(-1, -1, SIZE, SIZE) + 0.2 * torch.randn(16, 3, SIZE, SIZE)
        eps = torch.randn_like(x0)
        if explodes:
            sigma = 0.01 * 5000 ** torch.rand(16)
            out = net(0.5 + x0 + sigma[:, None, None, None] * eps, sigma).sample * -sigma[:, None, None, None]
        else:
            t = torch.randint(0, 1000, (16,))
            a = alphas_bar[t][:, None, None, None]
            out = net(a.sqrt() * x0 + (1 - a).sqrt() * eps, t).sample[:, :3]
        loss = (out - eps).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"loss {loss.item():.3f}")


NETWORKS = {
    "eps": lambda: network(1, in_channels=3, out_channels=3),
    "learned": lambda: network(2, in_channels=3, out_channels=6),
    "score": lambda: network(3, in_channels=3, out_channels=3, time_embedding_type="fourier"),
}


def by_hand(net, scheduler, steps, seed):
    """What a pipeline that knew nothing but the scheduler would do."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((1, 3, SIZE, SIZE), generator=generator) * getattr(scheduler, "init_noise_sigma", 1.0)
    scheduler.set_timesteps(steps)
    # Heun's and others' first sigma is known only now.
    if hasattr(scheduler, "init_noise_sigma"):
        x = torch.randn((1, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(seed)) * scheduler.init_noise_sigma
    draws = "generator" in scheduler.step.__code__.co_varnames
    for t in scheduler.timesteps:
        shown = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        out = net(shown, t).sample
        x = scheduler.step(out, t, x, **({"generator": generator} if draws else {})).prev_sample
    return (x / 2 + 0.5).clamp(0, 1)


def by_pipeline(pipeline, steps, seed):
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(seed)
    images = pipeline(generator=generator, num_inference_steps=steps, output_type="np").images
    return torch.from_numpy(images).permute(0, 3, 1, 2)


# Less noise than usual: where nothing is clipped, the error of a small network is divided by alpha.
MILD = {"beta_start": 0.0001, "beta_end": 0.006}


def cases():
    def pipeline(name, kind, scheduler, steps=10, net="eps"):
        yield name, kind.__name__, net, scheduler, steps, lambda n: by_pipeline(kind(n, scheduler), steps, 5)

    def hand(name, scheduler, steps=10, net="eps"):
        yield name, None, net, scheduler, steps, lambda n: by_hand(n, scheduler, steps, 5)

    yield from pipeline("ddpm-small", DDPMPipeline, DDPMScheduler())
    yield from pipeline("ddpm-large", DDPMPipeline, DDPMScheduler(variance_type="fixed_large"))
    yield from pipeline(
        "ddpm-large-trailing",
        DDPMPipeline,
        DDPMScheduler(variance_type="fixed_large", timestep_spacing="trailing", clip_sample=False, **MILD),
    )
    yield from pipeline("ddpm-learned", DDPMPipeline, DDPMScheduler(variance_type="learned_range"), net="learned")
    yield from pipeline(
        "ddpm-learned-trailing",
        DDPMPipeline,
        DDPMScheduler(variance_type="learned_range", timestep_spacing="trailing"),
        net="learned",
    )
    yield from pipeline("ddpm-offset", DDPMPipeline, DDPMScheduler(steps_offset=1, clip_sample_range=2.0))
    yield from pipeline("ddpm-cosine", DDPMPipeline, DDPMScheduler(beta_schedule="squaredcos_cap_v2"), steps=7)
    yield from pipeline("ddim", DDIMPipeline, DDIMScheduler())
    yield from pipeline("ddim-unclipped", DDIMPipeline, DDIMScheduler(clip_sample=False, **MILD))
    yield from pipeline("ddim-range", DDIMPipeline, DDIMScheduler(clip_sample_range=2.0))
    yield from pipeline("ddim-thresholding", DDIMPipeline, DDIMScheduler(clip_sample=False, thresholding=True))
    yield from pipeline("ddim-trailing", DDIMPipeline, DDIMScheduler(timestep_spacing="trailing"), steps=7)
    yield from pipeline("ddim-linspace", DDIMPipeline, DDIMScheduler(timestep_spacing="linspace"), steps=7)
    yield from pipeline("ddim-offset", DDIMPipeline, DDIMScheduler(steps_offset=1))
    yield from pipeline("ddim-not-one", DDIMPipeline, DDIMScheduler(set_alpha_to_one=False))
    yield from pipeline(
        "ddim-zero-snr",
        DDIMPipeline,
        DDIMScheduler(
            rescale_betas_zero_snr=True, prediction_type="v_prediction", timestep_spacing="trailing", clip_sample=False
        ),
    )
    yield from pipeline("ddim-of-ddpm", DDIMPipeline, DDPMScheduler(variance_type="fixed_large"))
    yield from pipeline("ddpm-of-ddim", DDPMPipeline, DDIMScheduler())
    yield from pipeline("ddim-one-step", DDIMPipeline, DDIMScheduler(), steps=1)
    yield from pipeline("pndm", PNDMPipeline, PNDMScheduler(**MILD, skip_prk_steps=True))
    yield from pipeline("pndm-to-one", PNDMPipeline, PNDMScheduler(**MILD, skip_prk_steps=True, set_alpha_to_one=True))
    yield from pipeline("pndm-prk", PNDMPipeline, PNDMScheduler(**MILD))
    yield from pipeline("pndm-prk-to-one", PNDMPipeline, PNDMScheduler(**MILD, set_alpha_to_one=True, steps_offset=1))
    yield from pipeline("pndm-of-ddpm", PNDMPipeline, DDPMScheduler(**MILD))
    yield from pipeline("score-sde-ve", ScoreSdeVePipeline, ScoreSdeVeScheduler(sigma_max=50.0), net="score")
    yield from pipeline(
        "score-sde-ve-corrected",
        ScoreSdeVePipeline,
        ScoreSdeVeScheduler(sigma_max=5.0, snr=0.2, correct_steps=2),
        net="score",
    )
    karras = {"use_karras_sigmas": True}
    yield from hand("dpm-solver", DPMSolverMultistepScheduler(**MILD))
    yield from hand("dpm-solver-20", DPMSolverMultistepScheduler(**MILD), steps=20)
    yield from hand("dpm-solver-karras", DPMSolverMultistepScheduler(**MILD, **karras))
    yield from hand("dpm-solver-lu", DPMSolverMultistepScheduler(**MILD, use_lu_lambdas=True))
    yield from hand("dpm-solver-3", DPMSolverMultistepScheduler(**MILD, solver_order=3), steps=16)
    yield from hand("dpm-solver-sde", DPMSolverMultistepScheduler(**MILD, algorithm_type="sde-dpmsolver++", timestep_spacing="trailing")
    )
    yield from hand("dpm-solver-least", DPMSolverMultistepScheduler(**MILD, 
            algorithm_type="dpmsolver", final_sigmas_type="sigma_min", solver_type="heun", timestep_spacing="leading"
        ),
    )
    yield from hand("dpm-solver-thresholding", DPMSolverMultistepScheduler(**MILD, thresholding=True))
    yield from hand("singlestep", DPMSolverSinglestepScheduler(**MILD, solver_order=3))
    yield from hand("euler", EulerDiscreteScheduler(**MILD))
    yield from hand("euler-leading", EulerDiscreteScheduler(**MILD, timestep_spacing="leading", steps_offset=1))
    yield from hand("euler-karras", EulerDiscreteScheduler(**MILD, **karras))
    short = {"num_train_timesteps": 100, "beta_start": 0.0001, "beta_end": 0.02}
    yield from hand("euler-short", EulerDiscreteScheduler(**short))
    yield from hand("euler-ancestral", EulerAncestralDiscreteScheduler(**MILD))
    yield from hand("heun", HeunDiscreteScheduler(**MILD))
    yield from hand("heun-karras", HeunDiscreteScheduler(**MILD, **karras))
    yield from hand("lms", LMSDiscreteScheduler(**MILD))
    yield from hand("deis", DEISMultistepScheduler(**MILD))
    yield from hand("deis-karras", DEISMultistepScheduler(**MILD, **karras))
    yield from hand("unipc", UniPCMultistepScheduler(**MILD))
    yield from hand("unipc-trailing", UniPCMultistepScheduler(**MILD, solver_order=3, timestep_spacing="trailing"))
    yield from hand("kdpm2", KDPM2DiscreteScheduler(**MILD))
    yield from hand("kdpm2-ancestral", KDPM2AncestralDiscreteScheduler(**MILD))
    yield from hand("sa-solver", SASolverScheduler(**MILD))
    yield from hand("lcm", LCMScheduler(**MILD), steps=4)
    yield from hand("tcd", TCDScheduler(**MILD), steps=4)
    # What another class left in the configuration, and these two read past.
    left = {"clip_sample": True, "clip_sample_range": 0.5}
    for name, kind in (("euler", EulerDiscreteScheduler), ("dpm-solver", DPMSolverMultistepScheduler)):
        yield from hand(f"{name}-clip-left", kind.from_config({**kind(**MILD).config, **left}))
    yield from hand("flow", FlowMatchEulerDiscreteScheduler(shift=3.0))
    yield from hand("flow-heun", FlowMatchHeunDiscreteScheduler(shift=2.0))


def main():
    nets = {}
    for name, make in NETWORKS.items():
        folder = HERE / "networks" / name
        if not folder.exists():
            make().half().save_pretrained(folder)
        nets[name] = UNet2DModel.from_pretrained(folder, torch_dtype=torch.float32).requires_grad_(False).eval()
    found = []
    for name, kind, net, scheduler, steps, draw in cases():
        scheduler.save_pretrained("/tmp/unnoise-scheduler")
        config = Path("/tmp/unnoise-scheduler/scheduler_config.json").read_text()
        picture = (draw(nets[net])[0].permute(1, 2, 0) * 255).round().byte().flatten().tolist()
        # A case whose picture is all black or white would show little.
        inside = sum(0 < v < 255 for v in picture) / len(picture)
        print(f"{name:24} {inside:.0%} between black and white")
        found.append(
            {"name": name, "pipeline": kind, "network": net, "scheduler": config, "steps": steps, "seed": 5, "picture": picture}
        )
    lines = ",\n".join(json.dumps(case) for case in found)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
