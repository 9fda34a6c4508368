"""Writes <family>.json and <family>.safetensors: walks of diffusers' schedulers and k-diffusion's samplers.

    pip install torch safetensors diffusers==0.42.1 k-diffusion==0.1.1.post1 && python make.py

tests/replay.rs walks them again. The schedulers' own source is run, with every literal float32 made float64, so that
another implementation can agree to the last digits. Noise is drawn in float32 and then widened. The model is exact: the
posterior of four Gaussians. What the files hold is told in src/replay/record.rs.
"""

import json
import sys
import types
import zlib
from pathlib import Path

import diffusers.schedulers
import torch
from k_diffusion import sampling
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)
FOLDER = Path(__file__).parent
CENTRES = torch.tensor([[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]])
VARIANCE = 0.25

# Scheduler: its module, the family it is filed under, and the space it works in.
SCHEDULERS = {
    "DDPMScheduler": ("ddpm", "ddpm", "vp"),
    "DDIMScheduler": ("ddim", "ddim", "vp"),
    "EulerDiscreteScheduler": ("euler_discrete", "euler", "ve"),
    "EulerAncestralDiscreteScheduler": ("euler_ancestral_discrete", "euler_ancestral", "ve"),
    "HeunDiscreteScheduler": ("heun_discrete", "heun", "ve"),
    "DPMSolverMultistepScheduler": ("dpmsolver_multistep", "dpmpp_multistep", "vp"),
    "FlowMatchEulerDiscreteScheduler": ("flow_match_euler_discrete", "flow_euler", "flow"),
}


class Draws:
    """Standard normal draws from a seed, remembered."""

    def __init__(self, case_id):
        self.seed = zlib.crc32(case_id.encode())
        self.generator = torch.Generator().manual_seed(self.seed)
        self.taken = []

    def __call__(self, *_, **__):
        self.taken.append(torch.randn(8, 2, generator=self.generator, dtype=torch.float32))
        return self.taken[-1].double()


def in_float64(scheduler):
    """The class `scheduler` of diffusers, from its source with float64 for float32."""
    module = f"scheduling_{SCHEDULERS[scheduler][0]}"
    path = Path(diffusers.schedulers.__file__).parent / f"{module}.py"
    source = path.read_text().replace("torch.float32", "torch.float64").replace("np.float32", "np.float64")
    namespace = types.ModuleType(f"float64_{module}")
    namespace.__package__ = "diffusers.schedulers"
    sys.modules[namespace.__name__] = namespace
    exec(compile(source, path, "exec"), vars(namespace))
    return namespace


def posterior(x, alpha, sigma):
    """E[x0 | x] and E[eps | x] at x = alpha x0 + sigma eps."""
    variance = alpha**2 * VARIANCE + sigma**2
    offset = x[:, None] - alpha * CENTRES
    share = torch.softmax(-(offset**2).sum(-1) / (2 * variance), dim=1)[..., None]
    x0 = (share * (CENTRES + alpha * VARIANCE / variance * offset)).sum(1)
    return x0, (share * sigma / variance * offset).sum(1)


def output(x, alpha, sigma, prediction, space):
    x0, eps = posterior(x, alpha, sigma)
    if space == "ve":  # A network is shown the point at unit variance.
        alpha, sigma = 1 / (1 + sigma**2) ** 0.5, sigma / (1 + sigma**2) ** 0.5
    return {
        "epsilon": eps,
        "sample": x0,
        "v_prediction": alpha * eps - sigma * x0,
        "flow_prediction": eps - x0,
    }[prediction]


def level(scheduler, space, t):
    """(alpha, sigma) that the scheduler holds for timestep t."""
    if hasattr(scheduler, "_get_variance"):
        alpha_bar = scheduler.alphas_cumprod[int(t)].item()
        return alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    if scheduler.step_index is None:
        scheduler._init_step_index(t)
    sigma = scheduler.sigmas[scheduler.step_index]
    if hasattr(scheduler, "_sigma_to_alpha_sigma_t"):
        return tuple(v.item() for v in scheduler._sigma_to_alpha_sigma_t(sigma))
    return (1 - sigma.item() if space == "flow" else 1.0), sigma.item()


def walk(name, variant, steps, config, timesteps=None, step=None):
    """A walk with a scheduler: its case and tensors."""
    _, family, space = SCHEDULERS[name]
    case_id = f"{family}.{variant}.n{steps}"
    draws = Draws(case_id)
    module = in_float64(name)
    module.randn_tensor = draws
    scheduler = getattr(module, name)(**config)
    scheduler.set_timesteps(**(timesteps or {"num_inference_steps": steps}))
    prediction = "flow_prediction" if space == "flow" else scheduler.config.prediction_type
    start = float(getattr(scheduler, "init_noise_sigma", 1.0))
    x = draws() * start
    points, levels, full = [x], [], []
    for t in scheduler.timesteps:
        at = level(scheduler, space, t)
        if space == "ve":
            scheduler.scale_model_input(x, t)
        x = scheduler.step(output(x, *at, prediction, space), t, x, **(step or {})).prev_sample
        points.append(x)
        levels.append(at)
        full.append(getattr(scheduler, "state_in_first_order", True))
    case = {
        "id": case_id,
        "reference": f"diffusers.{name}",
        "config": config,
        "n_steps": steps,
        "prediction_type": prediction,
        "seed": draws.seed,
        "init_noise_sigma": start,
        "full_step_after": full,
    }
    if timesteps:
        case["set_timesteps_kwargs"] = timesteps
    if step:
        case["step_kwargs"] = step
    return family, case, points, levels, draws, {"timesteps": scheduler.timesteps.double()}


def walk_k(function, variant, steps, config):
    """A walk with k-diffusion's sample_<function>, on its get_sigmas_<config["sigmas"]>."""
    case_id = f"kdiff.{function}.{variant}.n{steps}"
    draws = Draws(case_id)
    options = {key: value for key, value in config.items() if key == "eta"}
    spacing = {key: value for key, value in config.items() if key not in ("eta", "sigmas")}
    sigmas = getattr(sampling, f"get_sigmas_{config['sigmas']}")(steps, **spacing)
    if function in ("euler_ancestral", "dpmpp_2m_sde"):
        options["noise_sampler"] = draws
    x = draws() * sigmas[0]
    points, levels, begins = [], [], []

    def model(x, sigma):
        levels.append((1.0, sigma[0].item()))
        return posterior(x, *levels[-1])[0]

    def after_first_call(state):
        points.append(state["x"])
        begins.append(len(levels) - 1)

    points.append(getattr(sampling, f"sample_{function}")(model, x, sigmas, callback=after_first_call, disable=True, **options))
    case = {
        "id": case_id,
        "reference": f"k_diffusion.sampling.sample_{function}",
        "config": config,
        "n_steps": steps,
        "prediction_type": "denoised",
        "seed": draws.seed,
        "init_noise_sigma": sigmas[0].item(),
        "full_step_after": [call + 1 in (*begins, len(levels)) for call in range(len(levels))],
    }
    return "kdiff", case, points, levels, draws, {"sigmas": sigmas}


LINEAR = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
TRAINED = {"trained_betas": [0.001 * (i + 1) for i in range(50)], "num_train_timesteps": 50}
KARRAS = {"sigmas": "karras", "sigma_min": 0.002, "sigma_max": 80.0}


def ddpm(variant, steps, config, **rest):
    return walk("DDPMScheduler", variant, steps, {**LINEAR, "clip_sample": False, **config}, **rest)


def ddim(variant, steps, config, **step):
    return walk("DDIMScheduler", variant, steps, {**LINEAR, "clip_sample": False, **config}, step=step)


def dpm(variant, steps, config, **rest):
    return walk("DPMSolverMultistepScheduler", variant, steps, {**LINEAR, **config}, **rest)


def of(name):
    return lambda variant, steps, config, **rest: walk(f"{name}Scheduler", variant, steps, {**LINEAR, **config}, **rest)


euler, ancestral, heun = of("EulerDiscrete"), of("EulerAncestralDiscrete"), of("HeunDiscrete")


def walks():
    yield ddpm("leading", 10, {})
    yield ddpm("linspace-cosine-v", 7, {**COSINE, "timestep_spacing": "linspace", "prediction_type": "v_prediction"})
    yield ddpm("trailing-scaled-sample", 6, {**SCALED, "timestep_spacing": "trailing", "prediction_type": "sample"})
    yield ddpm("large", 12, {"variance_type": "fixed_large"})
    yield ddpm("clip-log-offset", 5, {"clip_sample": True, "variance_type": "fixed_small_log", "steps_offset": 1})
    yield ddpm("trained", 5, TRAINED)
    yield ddpm("sigmoid", 5, {"beta_schedule": "sigmoid"})
    yield ddpm("explicit", None, {}, timesteps={"timesteps": [900, 500, 444, 20, 0]})
    yield ddim("leading", 10, {})
    yield ddim("eta1", 10, {}, eta=1.0)
    yield ddim("eta.5-not-one", 9, {"set_alpha_to_one": False, "steps_offset": 1}, eta=0.5)
    yield ddim("linspace-jumps", 6, {"timestep_spacing": "linspace"}, eta=0.3)
    yield ddim("trailing-jumps-cosine", 7, {**COSINE, "timestep_spacing": "trailing"})
    yield ddim("clip", 8, {"clip_sample": True}, use_clipped_model_output=True)
    zero = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
    yield ddim("zero-snr", 8, zero)
    yield euler("linspace", 10, {})
    yield euler("leading-v", 9, {"timestep_spacing": "leading", "prediction_type": "v_prediction"})
    yield euler("karras-sample", 11, {"use_karras_sigmas": True, "prediction_type": "sample"})
    ends = {"sigma_min": 0.1, "sigma_max": 10.0, "final_sigmas_type": "sigma_min"}
    yield euler("exponential-ends", 6, {**SCALED, "use_exponential_sigmas": True, **ends})
    yield euler("log-linear", 5, {"interpolation_type": "log_linear"})
    yield euler("continuous", 5, {"timestep_type": "continuous", "prediction_type": "v_prediction"})
    yield euler("sigma-min", 5, {"final_sigmas_type": "sigma_min"})
    yield euler("explicit", None, {}, timesteps={"sigmas": [14.0, 3.0, 0.5, 0.0]})
    yield euler("zero-snr", 6, zero)
    yield ancestral("linspace", 10, {})
    yield ancestral("trailing-cosine-v", 7, {**COSINE, "timestep_spacing": "trailing", "prediction_type": "v_prediction"})
    yield heun("linspace", 8, {})
    yield heun("leading-karras-clip", 6, {"timestep_spacing": "leading", "use_karras_sigmas": True, "clip_sample": True})
    yield heun("exponential", 5, {"use_exponential_sigmas": True})
    for algorithm in ("dpmsolver++", "sde-dpmsolver++"):
        kind = {"algorithm_type": algorithm}
        yield dpm(algorithm, 10, kind)
        yield dpm(f"{algorithm}-leading-v", 16, {**kind, "timestep_spacing": "leading", "prediction_type": "v_prediction"})
        yield dpm(f"{algorithm}-karras", 6, {**kind, "use_karras_sigmas": True})
        yield dpm(f"{algorithm}-first-order", 5, {**kind, "solver_order": 1, "final_sigmas_type": "sigma_min"})
    yield dpm("karras-min", 6, {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"})
    yield dpm("min-lowered", 7, {"final_sigmas_type": "sigma_min", "timestep_spacing": "trailing"})
    held = {"final_sigmas_type": "sigma_min", "timestep_spacing": "trailing", "lower_order_final": False}
    yield dpm("min-held", 7, held)
    yield dpm("min-long", 15, {"final_sigmas_type": "sigma_min", "timestep_spacing": "trailing"})
    yield dpm("euler-at-final", 7, {**held, "euler_at_final": True})
    yield dpm("clipped-cosine", 8, {**COSINE, "lambda_min_clipped": -5.1})
    yield dpm("cosine-karras", 8, {**COSINE, "use_karras_sigmas": True})
    yield dpm("lu", 8, {**SCALED, "use_lu_lambdas": True, "prediction_type": "sample"})
    yield dpm("exponential", 8, {"use_exponential_sigmas": True})
    yield dpm("flow", 8, {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"})
    yield walk("FlowMatchEulerDiscreteScheduler", "plain", 8, {})
    yield walk("FlowMatchEulerDiscreteScheduler", "shift3", 5, {"shift": 3.0})
    yield walk("FlowMatchEulerDiscreteScheduler", "uniform", None, {}, timesteps={"sigmas": [1.0, 0.75, 0.5, 0.25]})
    for function in ("euler", "heun", "euler_ancestral", "dpmpp_2m", "dpmpp_2m_sde"):
        yield walk_k(function, "karras", 8, KARRAS)
    yield walk_k("euler_ancestral", "eta.5-rho3", 5, {**KARRAS, "rho": 3.0, "eta": 0.5})
    yield walk_k("dpmpp_2m_sde", "eta.5-exponential", 5, {**KARRAS, "sigmas": "exponential", "eta": 0.5})
    yield walk_k("dpmpp_2m", "polyexponential", 5, {**KARRAS, "sigmas": "polyexponential", "rho": 1.5})
    yield walk_k("euler", "vp", 5, {"sigmas": "vp"})


families = {}
for family, case, points, levels, draws, more in walks():
    cases, tensors = families.setdefault(family, ([], {}))
    cases.append(case)
    # The first draw is the start, and the others are noise.
    named = {"x": torch.stack(points), "z": draws.taken[0], "level": torch.tensor(levels), **more}
    if draws.taken[1:]:
        named["noise"] = torch.stack(draws.taken[1:])
    tensors.update({f"{case['id']}/{name}": tensor.contiguous() for name, tensor in named.items()})
for family, (cases, tensors) in families.items():
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / f"{family}.json").write_text(f'{{"family": "{family}", "cases": [\n{lines}\n]}}\n')
    save_file(tensors, FOLDER / f"{family}.safetensors")
