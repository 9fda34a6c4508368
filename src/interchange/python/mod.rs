//! A run of this library as a short Python script on diffusers that makes the same pictures.
//!
//! A script is only offered when the arguments that it gives diffusers, mapped back by [`diffusers::map`], lead to the
//! sampler, the orders and every noise level of the run. So it is right by construction, or there is none.

mod offers;
mod own;
mod parts;
mod pipeline;
mod text;

pub use parts::{Parts, Texts};
pub use pipeline::Whole;

use super::Scalings;
use super::scheduler_config::strict;
use super::{Arguments, Draws, Mapped, Requested, Unmapped, diffusers};
use crate::denoise::Prediction;
use crate::math::{Grid, Level, Noise, Schedule, Spacing};
use crate::samplers::{Listed, Run, Tuning, method};
use offers::{Kind, Offer, offer};
use serde_json::{Value, json};

/// What a script must know of a run.
#[derive(Clone, Debug)]
pub struct Scripted<'a> {
    /// Id of the sampler's row.
    pub sampler: &'a str,
    pub tuning: Tuning,
    /// How its levels are spaced; `None` for those of the folder's own scheduler.
    pub spacing: Option<&'a Spacing>,
    pub steps: usize,
    /// Seed of the first image; image `i` has `seed + i`.
    pub seed: u32,
    /// The label of each image, `None` for none; one entry an image.
    pub labels: &'a [Option<usize>],
    /// The label that stands for none, where the network knows labels.
    pub null_class: Option<usize>,
    /// Classifier-free guidance scale; 1 is no guidance.
    pub guidance: f64,
    /// The values of a picture, darkest and brightest.
    pub range: [f64; 2],
    /// What estimates of `x_0` are clipped to, if they are.
    pub clips: Option<[f64; 2]>,
    /// Whether the network's own noise stays beside a clipped estimate, as diffusers' DDIMScheduler leaves it.
    pub raw_noise: bool,
    /// Whether what becomes of them is what its scheduler does.
    pub clips_as_scheduler: bool,
    pub place: Place<'a>,
    /// Height and width of what the network draws, where they are not its own.
    pub size: Option<[usize; 2]>,
    /// What it has besides, where it is a pipeline of latents or of words.
    pub parts: Option<Parts<'a>>,
    /// The pipeline of its folder, where a loop over a network and a scheduler is not what it does.
    pub whole: Option<Whole<'a>>,
    /// Text of its `scheduler_config.json`.
    pub scheduler_config: &'a str,
}

/// Where the network of a run is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The model's folder.
    pub folder: &'a str,
    /// The folder in it, unless the network lies at its root.
    pub subfolder: Option<&'a str>,
    /// The variant of its weights, unless they have the plain name.
    pub variant: Option<&'a str>,
}

/// What a script sets up in diffusers.
struct Plan {
    offer: &'static Offer,
    config: Arguments,
    timesteps: Arguments,
    step: Arguments,
    /// The conditioning times of the network, where diffusers would round them.
    times: Option<Vec<f64>>,
    /// The level that the run starts at.
    first: Level,
}

/// The script of `run`: its own noise from torch's generators, a plain loop, and the pictures on a sheet `pictures.png`.
///
/// # Errors
/// Why diffusers cannot make this trajectory, in words; a scheduler config that cannot be read.
pub fn script(run: &Scripted<'_>) -> Result<String, Unmapped> {
    if let Some(whole) = &run.whole {
        return pipeline::script(run, whole);
    }
    let (schedule, prediction) = Schedule::from_scheduler_config(run.scheduler_config)?;
    if Scalings::of(run.scheduler_config)?.is_some() {
        return Err(Unmapped("a network that is scaled by the noise level is not written as a script".to_owned()));
    }
    let grid = match run.spacing {
        Some(spacing) => spacing.grid(&schedule, run.steps).map_err(|e| Unmapped(e.to_string()))?,
        None => {
            let mapped = diffusers::scheduled(run.scheduler_config, run.steps)?;
            if mapped.is_run_of(run.sampler, &run.tuning, run.scheduler_config) {
                return own::script(run);
            }
            mapped.on(&schedule).grid()?
        }
    };
    let offer = offer(run.sampler, &schedule)?;
    if run.labels.is_empty() || run.clips.is_some() && prediction == Prediction::Score {
        return Err(Unmapped("there is no picture to make, or no estimate of one to clip".to_owned()));
    }
    Ok(text::write(run, &plan(run, offer, &grid)?, prediction))
}

fn plan(run: &Scripted<'_>, offer: &'static Offer, grid: &Grid) -> Result<Plan, Unmapped> {
    let config = config(run, offer)?;
    let step = object((offer.step)(&run.tuning));
    let mut orders_differ = false;
    for (more, timesteps) in candidates(grid, offer) {
        let mut config = config.clone();
        config.extend(more);
        let steps = timesteps.is_empty().then(|| grid.steps());
        let requested = Requested { name: offer.class, config: &config, timesteps: &timesteps, step: &step, steps };
        let Ok(mapped) = diffusers::map(&requested) else { continue };
        let Some(times) = same_levels(&mapped, grid) else { continue };
        // A list of the grid's times is not one of the calls where a step has two.
        if times.is_some() && method::<f64>(run.sampler).is_none_or(|row| row.evaluations > 1) {
            continue;
        }
        if !same_trajectory(&mapped, run, grid) {
            orders_differ = true;
            continue;
        }
        config.extend(own_clip(run)?);
        return Ok(Plan { offer, config, timesteps, step, times, first: grid.first() });
    }
    Err(Unmapped(if orders_differ {
        format!(
            "diffusers' {} goes through these levels in another way: with other orders, noise or knobs",
            offer.class
        )
    } else {
        let id = run.spacing.map_or("model", Spacing::id);
        format!("diffusers' {} has no noise levels like those of {id} spacing", offer.class)
    }))
}

/// The constructor's arguments that do not depend on the spacing: the process of the network, and the sampler's own.
fn config(run: &Scripted<'_>, offer: &Offer) -> Result<Arguments, Unmapped> {
    const PROCESS: &[&str] = &[
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "trained_betas",
        "rescale_betas_zero_snr",
        "prediction_type",
    ];
    let known = if offer.kind == Kind::Flow { &PROCESS[..1] } else { PROCESS };
    let said: Value = serde_json::from_str(&strict(run.scheduler_config)).map_err(|e| Unmapped(e.to_string()))?;
    // Classes differ in what they know; what stands at their default is left out.
    let stands = |key: &str, value: &Value| value.is_null() || key.starts_with("rescale") && *value == json!(false);
    let process = known.iter().filter_map(|key| Some((*key, said.get(*key)?))).filter(|(key, v)| !stands(key, v));
    let mut config: Arguments = process.map(|(key, value)| (key.to_owned(), value.clone())).collect();
    config.extend(object((offer.config)(&run.tuning)));
    Ok(config)
}

/// The arguments that make the scheduler itself clip, where it leaves the network's noise beside the clipped estimate.
fn own_clip(run: &Scripted<'_>) -> Result<Arguments, Unmapped> {
    match run.clips.filter(|_| run.raw_noise) {
        Some([low, high]) if low == -high => Ok(object(json!({"clip_sample": true, "clip_sample_range": high}))),
        Some(_) => Err(Unmapped("diffusers clips to as much below 0 as above".to_owned())),
        None => Ok(Arguments::new()),
    }
}

/// Arguments of the constructor and of `set_timesteps` that may lead to the levels of `grid`, plainest first.
fn candidates(grid: &Grid, offer: &Offer) -> Vec<(Arguments, Arguments)> {
    const RESPACED: [&str; 4] = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas"];
    let kind = offer.kind;
    // Some classes know one spacing of timesteps only.
    let mut all = vec![(Arguments::new(), Arguments::new())];
    if kind != Kind::Flow {
        for spacing in ["trailing", "linspace", "leading"].into_iter().filter(|_| offer.spaces()) {
            all.push((object(json!({"timestep_spacing": spacing})), Arguments::new()));
        }
        all.extend(RESPACED.map(|flag| (object(json!({flag: true})), Arguments::new())));
        let times: Vec<i64> = grid.pairs().map(|(from, _)| from.t.round() as i64).collect();
        all.push((Arguments::new(), object(json!({"timesteps": times}))));
    }
    let ratios = grid.levels().into_iter().map(|at| if kind == Kind::Flow { at.sigma } else { at.nsr() });
    // The flow's own list has no end.
    let sigmas: Vec<f64> = ratios.take(grid.steps() + usize::from(kind != Kind::Flow)).collect();
    all.push((Arguments::new(), object(json!({"sigmas": sigmas}))));
    all
}

/// Whether the noise levels are those of `grid`; if so, the times of the grid where diffusers would condition the network on
/// others.
fn same_levels(mapped: &Mapped, grid: &Grid) -> Option<Option<Vec<f64>>> {
    let near = |a: Level, b: Level| (a.nsr() - b.nsr()).abs() <= 1e-9 * b.nsr() || a.nsr() == b.nsr();
    let same = |((a, b), (c, d)): (&(Level, Level), (Level, Level))| near(*a, c) && near(*b, d);
    if mapped.steps.len() != grid.steps() || !mapped.steps.iter().zip(grid.pairs()).all(same) {
        return None;
    }
    let apart = |((from, _), (own, _)): (&(Level, Level), (Level, Level))| (from.t - own.t).abs();
    let apart = mapped.steps.iter().zip(grid.pairs()).map(apart).fold(0.0, f64::max);
    match apart {
        apart if apart < 1e-6 => Some(None),
        apart if apart <= 1.0 => Some(Some(grid.pairs().map(|(from, _)| from.t).collect())),
        _ => None,
    }
}

/// Whether the sampler, its orders and its knobs are those of `run`, and no draw or estimate is treated apart.
fn same_trajectory(mapped: &Mapped, run: &Scripted<'_>, grid: &Grid) -> bool {
    let (ours, theirs) = (end(mapped, grid, &run.tuning, None), end(mapped, grid, &mapped.tuning, mapped.listed()));
    mapped.sampler == run.sampler
        && ours.zip(theirs).is_some_and(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + a.abs()))
        && mapped.last_noise.is_none_or(|noise| noise.large <= 1e-9)
        && mapped.draws == Draws::All
        && mapped.bound.is_none()
        && mapped.shown.is_none()
}

/// Where a trajectory on data of plus and minus 1 ends, all its noise being the same: orders and knobs that matter move it.
fn end(mapped: &Mapped, grid: &Grid, tuning: &Tuning, orders: Option<Listed<'_>>) -> Option<f64> {
    let sampler = method::<f64>(mapped.sampler)?.on_grid()?;
    let model = |x: &f64, at: Level| (at.alpha * x / (at.sigma * at.sigma)).tanh();
    let start = 0.7 * grid.first().marginal_std();
    let mut noise = Constant;
    let run = Run::new(start, grid, &mapped.schedule, &model, &mut noise).with_tuning(tuning.clone());
    sampler(Run { orders, ..run }).last().map(|step| step.x)
}

/// The same number whenever noise is drawn.
struct Constant;

impl Noise<f64> for Constant {
    fn normal(&mut self, _: &f64) -> f64 {
        0.4
    }
}

fn object(value: Value) -> Arguments {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::offers::OFFERS;
    use super::*;

    const CONFIG: &str = r#"{"_class_name": "DDIMScheduler", "beta_start": 0.0001, "beta_end": 0.02, "trained_betas": null,
        "beta_schedule": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon", "clip_sample": false}"#;
    const FLOW: &str =
        r#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 1.0}"#;

    /// A run of ten steps and two pictures.
    fn run<'a>(config: &'a str, sampler: &'a str, spacing: &'a Spacing) -> Scripted<'a> {
        Scripted {
            sampler,
            tuning: Tuning::default(),
            spacing: Some(spacing),
            steps: 10,
            seed: 7,
            labels: &[Some(3), Some(4)],
            null_class: Some(10),
            guidance: 2.0,
            range: [-1.0, 1.0],
            clips: Some([-1.0, 1.0]),
            raw_noise: false,
            clips_as_scheduler: false,
            size: None,
            parts: None,
            whole: None,
            place: Place { folder: "models/fashion-mnist", subfolder: Some("unet"), variant: None },
            scheduler_config: config,
        }
    }

    fn of(sampler: &str, spacing: &str) -> Result<String, String> {
        let spacing = Spacing::from_id(spacing).ok_or("no such spacing")?;
        script(&run(CONFIG, sampler, &spacing)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_script_asks_diffusers_for_the_steps_of_the_run() {
        let process =
            r#"clip_sample=False, num_train_timesteps=1000, prediction_type="epsilon", timestep_spacing="trailing")"#;
        for (sampler, spacing, says) in [
            ("ddim", "trailing", process),
            ("ddim", "trailing", "scheduler.set_timesteps(10)"),
            ("ddim", "trailing", "manual_seed((7 + i) % 2**32) for i in range(2)"),
            ("ddim", "trailing", "step(out, t, x, eta=0.0, generator=generators)"),
            ("dpmpp-2m", "karras", "use_karras_sigmas=True"),
            ("dpmpp-2m", "karras", "model(shown, times[i], class_labels=labels)"),
            ("euler", "kl-optimal", "set_timesteps(sigmas=[157.40"),
            ("euler", "trailing", "x = x * (scheduler.sigmas[0] ** 2 + 1) ** 0.5"),
            ("ddpm", "beta", "set_timesteps(timesteps=[999, "),
            ("dpm2-ancestral", "trailing", "scheduler.sigmas_interpol[i - 1] if i % 2 else"),
        ] {
            let script = of(sampler, spacing).unwrap();
            assert!(script.contains(says), "{sampler} on {spacing} does not say {says}:\n{script}");
        }
        let flow = script(&run(FLOW, "euler", &Spacing::Trailing)).unwrap();
        assert!(flow.contains("sigmas=[1.0, 0.9, ") && flow.contains("x0 = (x - s * out).clamp"), "{flow}");
        // Leading steps start below pure noise, where the point is narrower than at both ends.
        let scaled = "x = x * (scheduler.sigmas[0] ** 2 + (1 - scheduler.sigmas[0]) ** 2) ** 0.5";
        let leading = script(&run(FLOW, "euler", &Spacing::Leading)).unwrap();
        assert!(leading.contains(scaled) && !flow.contains(scaled), "{leading}");
    }

    #[test]
    fn labels_guidance_and_clipping_are_there_when_they_act() {
        let guided = run(CONFIG, "ddim", &Spacing::Trailing);
        let plain = Scripted { labels: &[None], null_class: None, clips: None, guidance: 1.0, ..guided.clone() };
        for (script, acts) in [(script(&guided).unwrap(), true), (script(&plain).unwrap(), false)] {
            for word in ["class_labels", "free", "x0"] {
                assert_eq!(script.contains(word), acts, "{word}:\n{script}");
            }
        }
    }

    #[test]
    fn what_diffusers_cannot_run_is_refused_in_words() {
        for (sampler, spacing, says) in [
            ("dpmpp-2m", "kl-optimal", "no noise levels like those of kl-optimal spacing"),
            ("euler-ancestral", "karras", "no noise levels like those of karras spacing"),
            ("lms", "trailing", "in another way: with other orders"),
            ("ddpm-large", "trailing", "in another way"),
            ("dpmpp-sde", "trailing", "Brownian tree"),
            ("deis", "trailing", "no scheduler of diffusers is known to make the pictures of DEIS"),
            ("nothing", "trailing", "no sampler `nothing`"),
        ] {
            let said = of(sampler, spacing).unwrap_err();
            assert!(said.contains(says), "{sampler} on {spacing}: {said}");
        }
        let exploding = r#"{"_class_name": "ScoreSdeVeScheduler", "sigma_max": 50.0}"#;
        let said = script(&run(exploding, "predictor-corrector", &Spacing::Trailing)).unwrap_err().to_string();
        assert!(said.contains("ScoreSdeVeScheduler"), "{said}");
        let churned = Tuning::default().with(&crate::samplers::ode::CHURN, 40.0);
        assert!(script(&Scripted { tuning: churned, ..run(CONFIG, "euler", &Spacing::Trailing) }).is_err());
    }

    #[test]
    fn every_class_that_is_offered_makes_the_pictures_of_some_run() {
        let scripted = |id: &str| ["trailing", "linspace"].iter().any(|spacing| of(id, spacing).is_ok());
        // diffusers' LMS keeps its order to the end, and the rows here lower it.
        for offer in OFFERS.iter().filter(|offer| offer.kind != Kind::Flow && offer.sampler != "lms") {
            assert!(scripted(offer.sampler), "{} has no script", offer.sampler);
        }
    }
}
