"""The forward process x_t = alpha x0 + sigma eps of a recipe, and what the network answers there."""

import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler, ScoreSdeVeScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin

LEAST = 1e-5  # the least and, from 1, the greatest time in (0, 1) that a continuous process is trained at


class Process:
    def __init__(self, recipe: dict, device: torch.device):
        self.schedule, self.objective = recipe["schedule"], recipe["objective"]
        self.scheduler = build_scheduler(recipe)
        if isinstance(self.scheduler, DDIMScheduler):
            self.alphas_cumprod = self.scheduler.alphas_cumprod.to(device)

    def times(self, u: torch.Tensor) -> torch.Tensor:
        """Times in (0, 1) for u even in [0, 1): the same, or the logit-normal law's quantiles (Esser et al. 2024,
        arXiv 2403.03206, equation 19)."""
        u = u.clamp(LEAST, 1 - LEAST)
        if "logit_normal" not in self.objective:
            return u
        mean, std = self.objective["logit_normal"]
        return torch.sigmoid(mean + std * torch.special.ndtri(u)).clamp(LEAST, 1 - LEAST)

    def level(self, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """alpha, sigma and what the network is told, for times in (0, 1)."""
        match self.schedule["kind"]:
            case "flow":
                return 1 - time, time, self.schedule["timesteps"] * time
            case "ve":
                low, high = self.schedule["sigma_min"], self.schedule["sigma_max"]
                sigma = low * (high / low) ** time
                return torch.ones_like(sigma), sigma, sigma
            case _:
                t = (time * self.schedule["timesteps"]).long()
                a2 = self.alphas_cumprod[t]
                return a2.sqrt(), (1 - a2).sqrt(), t

    def errors(self, network, x0, label, time, noise, teacher=None) -> tuple[torch.Tensor, torch.Tensor]:
        """Weighted loss to descend, and the plain mean square error or cross entropy, one number an image each. `teacher(x, told,
        label, sigma / alpha)` is what guidance adds to an answer."""
        alpha, sigma, told = self.level(time)
        a, s = alpha.view(-1, 1, 1, 1), sigma.view(-1, 1, 1, 1)
        if self.objective["prediction"] == "class":
            error = torch.nn.functional.cross_entropy(network(a * x0 + s * noise, told), label, reduction="none")
            return error, error.detach()
        answer = network(a * x0 + s * noise, told, class_labels=label, return_dict=False)[0]
        match self.objective["prediction"]:
            case "epsilon": error = answer - noise
            case "sample": error = answer - x0
            case "v_prediction": error = answer - (a * noise - s * x0)
            case "flow_prediction": error = answer - (noise - x0)
            case "score": error = s * answer + noise  # lambda = sigma^2 (Song et al. 2021, arXiv 2011.13456, equation 7)
        if teacher is not None:
            error = error - teacher(a * x0 + s * noise, told, label, sigma / alpha)
        error = error.square().mean(dim=(1, 2, 3))
        gamma = self.objective.get("min_snr_gamma")
        if gamma is None:
            return error, error.detach()
        # Hang et al. 2023 (arXiv 2303.09556), section 3.4. At zero signal a weight of v or x0 is 0, and epsilon's has no meaning.
        snr = (alpha / sigma).square()
        weight = snr.clamp(max=gamma) / {"epsilon": snr, "sample": 1.0, "v_prediction": snr + 1}[self.objective["prediction"]]
        return weight * error, error.detach()


def build_scheduler(recipe: dict) -> SchedulerMixin:
    """The class of diffusers that samples from the model, as the model's folder names it."""
    schedule = recipe["schedule"]
    match schedule["kind"]:
        case "flow":
            return FlowMatchEulerDiscreteScheduler(schedule["timesteps"])
        case "ve":
            return ScoreSdeVeScheduler(sigma_min=schedule["sigma_min"], sigma_max=schedule["sigma_max"])
    # A last level without any signal must be the first that a sampler visits (Lin et al. 2023, arXiv 2305.08891).
    zero = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"} if schedule.get("zero_terminal_snr") else {}
    return DDIMScheduler(schedule["timesteps"], schedule["beta_start"], schedule["beta_end"], schedule["kind"],
                         clip_sample=False, prediction_type=recipe["objective"]["prediction"], **zero)
