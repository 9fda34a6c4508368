"""Writes <family>.json and <family>.safetensors: walks of diffusers' schedulers and k-diffusion's samplers.

    pip install torch safetensors diffusers==0.42.1 k-diffusion==0.1.1.post1 && python make.py

tests/replay.rs walks them again. The schedulers' own source is run, with every literal float32 made float64, so that
another implementation can agree to the last digits. Noise is drawn in float32 and then widened. The model is exact: the
posterior of four Gaussians. What the files hold is told in src/replay/record.rs.
"""

import inspect
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
    "DDIMInverseScheduler": ("ddim_inverse", "ddim_inverse", "vp"),
    "PNDMScheduler": ("pndm", "pndm", "vp"),
    "IPNDMScheduler": ("ipndm", "ipndm", "vp"),
    "LCMScheduler": ("lcm", "lcm", "vp"),
    "TCDScheduler": ("tcd", "tcd", "vp"),
    "EulerDiscreteScheduler": ("euler_discrete", "euler", "ve"),
    "EulerAncestralDiscreteScheduler": ("euler_ancestral_discrete", "euler_ancestral", "ve"),
    "HeunDiscreteScheduler": ("heun_discrete", "heun", "ve"),
    "LMSDiscreteScheduler": ("lms_discrete", "lms", "ve"),
    "KDPM2DiscreteScheduler": ("k_dpm_2_discrete", "kdpm2", "ve"),
    "KDPM2AncestralDiscreteScheduler": ("k_dpm_2_ancestral_discrete", "kdpm2_ancestral", "ve"),
    "DPMSolverSDEScheduler": ("dpmsolver_sde", "dpmpp_sde", "ve"),
    "EDMEulerScheduler": ("edm_euler", "edm_euler", "ve"),
    "EDMDPMSolverMultistepScheduler": ("edm_dpmsolver_multistep", "edm_dpmpp", "ve"),
    "CMStochasticIterativeScheduler": ("consistency_models", "consistency", "ve"),
    "ScoreSdeVeScheduler": ("sde_ve", "score_sde_ve", "ve"),
    "ScoreSdeVpScheduler": ("deprecated.scheduling_sde_vp", "score_sde_vp", "vp"),
    "DPMSolverMultistepScheduler": ("dpmsolver_multistep", "dpmpp_multistep", "vp"),
    "DPMSolverSinglestepScheduler": ("dpmsolver_singlestep", "dpmpp_singlestep", "vp"),
    "DEISMultistepScheduler": ("deis_multistep", "deis", "vp"),
    "UniPCMultistepScheduler": ("unipc_multistep", "unipc", "vp"),
    "SASolverScheduler": ("sasolver", "sa_solver", "vp"),
    "FlowMatchEulerDiscreteScheduler": ("flow_match_euler_discrete", "flow_euler", "flow"),
    "FlowMatchHeunDiscreteScheduler": ("flow_match_heun_discrete", "flow_heun", "flow"),
}
# What their networks predict, where no argument says it.
PREDICTIONS = {"flow_euler": "flow_prediction", "flow_heun": "flow_prediction", "consistency": "epsilon"}
PREDICTIONS |= {"ipndm": "v_prediction", "score_sde_ve": "score", "score_sde_vp": "epsilon"}


class Draws:
    """Standard normal draws from a seed, remembered."""

    def __init__(self, case_id):
        self.seed = zlib.crc32(case_id.encode())
        self.generator = torch.Generator().manual_seed(self.seed)
        self.taken = []
        self.rank = 2

    def __call__(self, *_, **__):
        self.taken.append(torch.randn(8, 2, generator=self.generator, dtype=torch.float32))
        return ranked(self.taken[-1].double(), self.rank)


def ranked(x, rank):
    """Pictures of one pixel, for schedulers that take no points."""
    return x.reshape(*x.shape, *[1] * (rank - 2))


def in_float64(scheduler):
    """The class `scheduler` of diffusers, from its source with float64 for float32."""
    module = SCHEDULERS[scheduler][0]
    module = module if "." in module else f"scheduling_{module}"
    path = Path(diffusers.schedulers.__file__).parent / f"{module.replace('.', '/')}.py"
    source = path.read_text().replace("torch.float32", "torch.float64").replace("np.float32", "np.float64")
    namespace = types.ModuleType(f"float64_{module.rsplit('.')[-1]}")
    namespace.__package__ = ".".join(["diffusers.schedulers", *module.split(".")[:-1]])
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
        "score": -eps / sigma,
    }[prediction]


def level(scheduler, family, space, t):
    """(alpha, sigma) that the scheduler holds for timestep t."""
    if family in ("ddpm", "ddim", "ddim_inverse", "pndm", "lcm", "tcd"):
        alpha_bar = scheduler.alphas_cumprod[int(t)].item()
        return alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    if scheduler.step_index is None:
        scheduler._init_step_index(t)
    at = scheduler.step_index
    if family == "ipndm":
        return scheduler.alphas[at].item(), scheduler.betas[at].item()
    sigma = scheduler.sigmas[at]
    if not getattr(scheduler, "state_in_first_order", True):
        # The second look of a step.
        sigma = {
            "dpmpp_sde": lambda: torch.as_tensor(scheduler.mid_point_sigma),
            "kdpm2": lambda: scheduler.sigmas_interpol[at],
            "kdpm2_ancestral": lambda: scheduler.sigmas_interpol[at - 1],
        }.get(family, lambda: sigma)()
    if hasattr(scheduler, "_sigma_to_alpha_sigma_t") and not family.startswith("edm"):
        return tuple(v.item() for v in scheduler._sigma_to_alpha_sigma_t(sigma))
    return (1 - sigma.item() if space == "flow" else 1.0), sigma.item()


def preconditioned(x, sigma, family, scheduler):
    """The output with which the scheduler's own c_skip x + c_out output is the posterior mean."""
    x0 = posterior(x, 1.0, sigma)[0]
    data = scheduler.config.sigma_data
    if family == "consistency":
        c_skip, c_out = scheduler.get_scalings_for_boundary_condition(torch.tensor(sigma))
    else:
        c_skip, c_out = data**2 / (sigma**2 + data**2), sigma * data / (sigma**2 + data**2) ** 0.5
    return (x0 - c_skip * x) / c_out


def walk(name, variant, steps, config, timesteps=None, step=None):
    """A walk with a scheduler: its case and tensors."""
    _, family, space = SCHEDULERS[name]
    case_id = f"{family}.{variant}.n{steps}"
    draws = Draws(case_id)
    module = in_float64(name)
    module.randn_tensor = draws
    module.BrownianTreeNoiseSampler = lambda *_, **__: draws
    scheduler = getattr(module, name)(**config)
    scheduler.set_timesteps(**(timesteps or {"num_inference_steps": steps}))
    prediction = PREDICTIONS.get(family) or scheduler.config.prediction_type
    start = float(getattr(scheduler, "init_noise_sigma", 1.0))
    inverse = family == "ddim_inverse"
    x = CENTRES.repeat(2, 1) + 0.5 * draws() if inverse else draws() * start
    draws.rank = 3 if config.get("thresholding") else 2
    points, levels, full, outputs = [x], [], [], []
    walked = score_steps(scheduler, family) if family.startswith("score") else scheduler_steps
    for at, out, x, whole in walked(scheduler, family, space, prediction, x, draws, config, step or {}):
        points.append(x)
        levels.append(at)
        full.append(whole)
        outputs.append(out)
    case = {
        "id": case_id,
        "reference": f"diffusers.{name}",
        "config": config,
        "n_steps": steps,
        "prediction_type": prediction,
        "seed": draws.seed,
        "init_noise_sigma": start,
        "start": "data" if inverse else "noise",
        "full_step_after": full,
    }
    if timesteps:
        case["set_timesteps_kwargs"] = timesteps
    if step:
        case["step_kwargs"] = step
    tensors = {"timesteps": scheduler.timesteps.double()}
    if config.get("variance_type") == "learned_range":
        tensors["out"] = torch.stack(outputs)
    return family, case, points, levels, draws, tensors


def scheduler_steps(scheduler, family, space, prediction, x, draws, config, step):
    """Calls step() for each timestep: the level, the output, the point after it and whether a step ends there."""
    order_list = getattr(scheduler, "order_list", None)
    for call, t in enumerate(scheduler.timesteps):
        at = level(scheduler, family, space, t)
        if hasattr(scheduler, "scale_model_input") and space == "ve":
            scheduler.scale_model_input(x, t)
        if family.startswith("edm") or family == "consistency":
            out = preconditioned(x, at[1], family, scheduler)
        else:
            out = output(x, *at, prediction, space)
        if config.get("variance_type") == "learned_range":
            out = torch.cat([out, torch.tanh(x + 0.1 * call)], 1)
        x = scheduler.step(ranked(out, draws.rank), t, ranked(x, draws.rank), **step).prev_sample.reshape(8, 2)
        last = call + 1 == len(scheduler.timesteps)
        if family == "pndm":
            whole = call != 0 if config.get("skip_prk_steps") else call >= 12 or call % 4 == 3
        elif order_list:
            whole = last or order_list[call + 1] == 1
        else:
            whole = last or getattr(scheduler, "state_in_first_order", True)
        yield at, out, x, whole


def score_steps(scheduler, family):
    """The same for score-SDE's schedulers, which have a step of their own each."""

    def exploding(_, __, space, prediction, x, *___):
        scheduler.set_sigmas(len(scheduler.timesteps))
        for sigma, t in zip(scheduler.sigmas, scheduler.timesteps):
            at = 1.0, sigma.item()
            for _ in range(scheduler.config.correct_steps):
                out = output(x, *at, prediction, "score")
                x = scheduler.step_correct(out, x).prev_sample
                yield at, out, x, False
            out = output(x, *at, prediction, "score")
            x = scheduler.step_pred(out, t, x).prev_sample
            yield at, out, x, True

    def preserving(_, __, space, prediction, x, *___):
        low, high = scheduler.config.beta_min, scheduler.config.beta_max
        for t in scheduler.timesteps:
            log_alpha = -0.25 * t**2 * (high - low) - 0.5 * t * low
            at = log_alpha.exp().item(), (1 - (2 * log_alpha).exp()).sqrt().item()
            out = output(x, *at, prediction, space)
            x, _ = scheduler.step_pred(out, x, t)
            yield at, out, x, True

    return exploding if family == "score_sde_ve" else preserving


SPACING = ("sigma_min", "sigma_max", "rho", "beta_d", "beta_min", "eps_s")


def walk_k(function, variant, steps, config):
    """A walk with k-diffusion's sample_<function>, on its get_sigmas_<config["sigmas"]>."""
    case_id = f"kdiff.{function}.{variant}.n{steps}"
    draws = Draws(case_id)
    options = {key: value for key, value in config.items() if key not in (*SPACING, "sigmas")}
    spacing = {key: value for key, value in config.items() if key in SPACING}
    sigmas = getattr(sampling, f"get_sigmas_{config['sigmas']}")(steps, **spacing)
    sample = getattr(sampling, f"sample_{function}")
    if "noise_sampler" in inspect.signature(sample).parameters:
        options["noise_sampler"] = draws
    x = draws() * sigmas[0]
    points, levels, begins = [], [], []

    def model(x, sigma):
        levels.append((1.0, sigma[0].item()))
        return posterior(x, *levels[-1])[0]

    def after_first_call(state):
        points.append(state["x"])
        begins.append(len(levels) - 1)

    def drawn(before):
        # Where there is churn, a step begins with a draw, and its first call is at the noisier point.
        unchurned.append(before)
        return draws()

    unchurned, randn_like = [], torch.randn_like
    torch.randn_like = drawn
    points.append(sample(model, x, sigmas, callback=after_first_call, disable=True, **options))
    torch.randn_like = randn_like
    if unchurned:
        points = [*unchurned, points[-1]]
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
lms, kdpm2, kdpm2_ancestral = of("LMSDiscrete"), of("KDPM2Discrete"), of("KDPM2AncestralDiscrete")
dpm_sde, singlestep = of("DPMSolverSDE"), of("DPMSolverSinglestep")
deis, unipc, pndm, inverse = of("DEISMultistep"), of("UniPCMultistep"), of("PNDM"), of("DDIMInverse")
lcm, tcd, sa_solver = of("LCM"), of("TCD"), of("SASolver")


def plain(name):
    return lambda variant, steps, config, **rest: walk(f"{name}Scheduler", variant, steps, config, **rest)


edm_euler, edm_dpm = plain("EDMEuler"), plain("EDMDPMSolverMultistep")
ipndm, consistency = plain("IPNDM"), plain("CMStochasticIterative")
score_ve, score_vp = plain("ScoreSdeVe"), plain("ScoreSdeVp")
flow_euler, flow_heun = plain("FlowMatchEulerDiscrete"), plain("FlowMatchHeunDiscrete")


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
    v, low = {"prediction_type": "v_prediction"}, {"final_sigmas_type": "sigma_min"}
    karras, threshold = {"use_karras_sigmas": True}, {"thresholding": True, "sample_max_value": 1.5}
    yield ddpm("learned", 6, {"variance_type": "learned_range", "timestep_spacing": "trailing"})
    yield ddpm("large-trailing", 5, {"variance_type": "fixed_large", "timestep_spacing": "trailing"})
    yield ddpm("threshold", 5, threshold)
    yield ddim("clip-beside", 6, {"clip_sample": True, "set_alpha_to_one": False}, eta=0.3)
    yield ddim("threshold-v", 5, {**threshold, **v})
    yield inverse("leading", 5, {"clip_sample": False})
    yield inverse("trailing-v-clip", 5, {"timestep_spacing": "trailing", **v})
    yield pndm("plms", 7, {"skip_prk_steps": True, "steps_offset": 1})
    yield pndm("prk", 6, {"set_alpha_to_one": True, "timestep_spacing": "linspace"})
    yield pndm("plms-v", 6, {"skip_prk_steps": True, **v})
    yield pndm("prk-v", 5, v)
    yield ipndm("plain", 6, {})
    yield lcm("plain", 4, {"original_inference_steps": 20})
    yield lcm("clip-v", 4, {"clip_sample": True, **v}, timesteps={"timesteps": [999, 700, 300, 20]})
    yield tcd("plain", 4, {})
    yield tcd("eta1", 4, {}, timesteps={"num_inference_steps": 4, "original_inference_steps": 9}, step={"eta": 1.0})
    yield euler("churn", 5, karras, step={"s_churn": 3.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.01})
    yield euler("churn-v", 5, {**karras, **v}, step={"s_churn": 3.0, "s_tmin": 0.05})
    yield lms("plain", 6, {})
    yield lms("order2-karras", 5, karras, step={"order": 2})
    yield kdpm2("leading-v", 5, {"timestep_spacing": "leading", **v})
    yield kdpm2_ancestral("plain", 5, {})
    yield dpm_sde("karras", 5, karras)
    yield edm_euler("plain", 5, {})
    yield edm_dpm("order3", 7, {"solver_order": 3})
    yield edm_dpm("sde-exponential", 5, {"algorithm_type": "sde-dpmsolver++", "sigma_schedule": "exponential", **low})
    yield consistency("plain", 4, {"clip_denoised": False, "s_noise": 0.9})
    yield consistency("clipped", None, {}, timesteps={"timesteps": [39, 20, 3, 0]})
    yield score_ve("plain", 4, {"correct_steps": 2})
    yield score_vp("plain", 5, {})
    yield dpm("order3-heun", 7, {"solver_order": 3, "solver_type": "heun", **threshold})
    yield dpm("noise-form", 6, {"algorithm_type": "dpmsolver", **low})
    yield dpm("sde-noise-form", 6, {"algorithm_type": "sde-dpmsolver", **low})
    yield singlestep("order3", 7, {"solver_order": 3})
    yield singlestep("noise-form", 6, {"algorithm_type": "dpmsolver", **low})
    heun_rule = {"solver_type": "heun"}
    yield dpm("heun-rule", 6, heun_rule)
    yield dpm("noise-form-heun-rule", 6, {"algorithm_type": "dpmsolver", **low, **heun_rule})
    yield dpm("sde-noise-form-heun-rule", 6, {"algorithm_type": "sde-dpmsolver", **low, **heun_rule})
    yield dpm("sde-order3", 7, {"algorithm_type": "sde-dpmsolver++", "solver_order": 3})
    yield singlestep("heun-rule", 6, heun_rule)
    yield singlestep("noise-form-heun-rule", 6, {"algorithm_type": "dpmsolver", **low, **heun_rule})
    yield unipc("bh1", 6, {"solver_type": "bh1", "final_sigmas_type": "sigma_min"})
    yield unipc("noise-form", 6, {"predict_x0": False, "final_sigmas_type": "sigma_min"})
    yield edm_euler("churn", 6, {}, step={"s_churn": 4.0, "s_noise": 1.003})
    yield deis("order3", 7, {"solver_order": 3})
    yield deis("karras-held", 5, {**karras, "lower_order_final": False})
    yield unipc("order3", 7, {"solver_order": 3})
    yield unipc("bh1-noise", 6, {"solver_type": "bh1", "predict_x0": False, **low})
    yield unipc("uncorrected", 6, {"solver_order": 3, "disable_corrector": [0, 2]})
    yield sa_solver("order2", 8, {})
    yield sa_solver("order3-corrected2", 8, {"predictor_order": 3})
    yield flow_euler("karras", 5, {"use_karras_sigmas": True, "shift": 3.0})
    yield flow_heun("plain", 5, {})
    yield flow_heun("churn", 5, {"shift": 3.0}, step={"s_churn": 2.0, "s_tmax": 0.8})
    for function in ("dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_3m_sde", "lms"):
        yield walk_k(function, "karras", 5, KARRAS)
    churn = {"s_churn": 3.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}
    for function in ("euler", "heun"):
        yield walk_k(function, "churn", 5, {**KARRAS, **churn})
    yield walk_k("dpmpp_2m_sde", "heun", 5, {**KARRAS, "solver_type": "heun"})
    for part in (0.25, 0.8):
        yield walk_k("dpmpp_sde", f"r{part}", 5, {**KARRAS, "r": part})
    yield walk_k("euler", "polyexponential-default", 5, {**KARRAS, "sigmas": "polyexponential"})
    sde = {"algorithm_type": "sde-dpmsolver++"}
    yield singlestep("sde", 7, sde)
    yield singlestep("sde-heun-v", 6, {**sde, **v, "solver_type": "heun"})
    yield singlestep("sde-third-sigma-min", 8, {**sde, **low, "solver_order": 3})
    yield unipc("fourth", 9, {"solver_order": 4})
    yield unipc("fourth-bh1", 9, {"solver_order": 4, "solver_type": "bh1", **low})
    yield unipc("fourth-eps", 9, {"solver_order": 4, "predict_x0": False, **low})


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
