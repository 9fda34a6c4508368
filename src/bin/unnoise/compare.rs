use crate::Outcome;
use crate::output;
use burn::tensor::Tensor;
use clap::Args as ClapArgs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unnoise::backend::{self, Backend, ImageNoise};
use unnoise::denoise::Denoiser;
use unnoise::denoise::ideal::{Component, Mixture};
use unnoise::eval::convergence::{Task, TaskError, steps_within};
use unnoise::math::noise::BrownianPath;
use unnoise::math::{Discrete, Latent, Level, Noise, Schedule, Spacing, TorchGenerator};
use unnoise::models::{NetworkDenoiser, Pretrained};
use unnoise::samplers::{Method, Tuning, method, methods};

#[derive(ClapArgs)]
pub struct Args {
    /// Model folder in the diffusers layout; without it the data are four Gaussians, whose model is exact
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Model evaluations to compare at
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', default_values_t = [5, 10, 20, 50],
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    evaluations: Vec<u16>,
    /// Spacing of the noise levels
    #[arg(long, value_name = "SPACING", default_value = "log-snr")]
    schedule: Spacing,
    /// Only these samplers, by id
    #[arg(long, value_name = "ID,ID,..", value_delimiter = ',')]
    samplers: Vec<String>,
    /// Pictures of each run, where there is a model folder
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    images: u16,
    /// Steps of the run that the others are compared with
    #[arg(long, value_name = "N", default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    reference: u32,
    /// Seed of the starting noise
    #[arg(long, default_value_t = 7)]
    seed: u32,
}

/// Families whose methods have a limit as their steps grow: the ODE's end, or that of the SDE along one Brownian path.
const FAMILIES: [&str; 6] = ["ode", "multistep", "singlestep", "adaptive", "ancestral", "sde"];

/// Points of the plane that are compared together where the data are Gaussians.
const POINTS: usize = 256;

type Cloud = [f64; 2 * POINTS];

pub async fn run(args: Args) -> Outcome {
    match &args.model {
        None => gaussians(&args),
        Some(dir) => pictures(&args, dir).await,
    }
}

/// Four Gaussians with the schedule of Ho et al. 2020.
fn gaussians(args: &Args) -> Outcome {
    let means = [[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]];
    let components = means.map(|mean| Component { weight: 1.0, mean, std: 0.5 });
    let data = Mixture::new(components.to_vec()).ok_or("four Gaussians are a mixture")?;
    let model = |x: &Cloud, at: Level| {
        let mut x0 = *x;
        x0.as_chunks_mut::<2>().0.iter_mut().for_each(|point| *point = data.denoise(point, at));
        x0
    };
    let schedule = Schedule::Discrete(Discrete::linear(1e-4, 0.02, 1000)?);
    let normals = TorchGenerator::new(args.seed.into()).randn_f64(2 * POINTS);
    output::line(format_args!(
        "RMS distance from the limit ({} steps of the same spacing), {POINTS} points, data of standard deviation 2.06.\n",
        args.reference
    ));
    let z: Cloud = std::array::from_fn(|i| normals[i]);
    let noise = || Box::new(BrownianPath::new(args.seed.into())) as Box<dyn Noise<Cloud>>;
    let rms = |x: &Cloud| x.rms()[0];
    print(
        args,
        &Task { schedule: &schedule, spacing: args.schedule.clone(), model: &model, z, noise: &noise, rms: &rms },
    )
}

/// The model's pictures, each class in turn, without guidance.
async fn pictures(args: &Args, dir: &Path) -> Outcome {
    let device = backend::open(Backend::Cpu).await?.device;
    let model = Pretrained::from_dir(dir, &device)?;
    let images = usize::from(args.images);
    let labels: Vec<_> = (0..images).map(|i| i.checked_rem(model.classes())).collect();
    let network = NetworkDenoiser::new(&model, &labels, 1.0);
    let [channels, height, width] = model.shape();
    let z = ImageNoise::new(args.seed, images).normal(&Tensor::zeros([images, channels, height, width], &device));
    output::line(format_args!(
        "RMS distance from the limit ({} steps of the same spacing), {} pictures with values {} to {}.\n",
        args.reference, args.images, model.card.range[0], model.card.range[1]
    ));
    let noise = || Box::new(BrownianPath::new(args.seed.into())) as Box<dyn Noise<Tensor<4>>>;
    let rms = |x: &Tensor<4>| {
        let each = pollster::block_on(backend::read(x.rms().max_dims(&[1, 2, 3])));
        // A failed device is a distance that is no number.
        each.map_or(f64::NAN, |each| f64::from(each.iter().copied().fold(0.0, f32::max)))
    };
    let task = Task {
        schedule: &model.schedule,
        spacing: args.schedule.clone(),
        model: &network,
        z,
        noise: &noise,
        rms: &rms,
    };
    print(args, &task)
}

/// One row a method, one column a number of evaluations.
fn print<X: Latent + 'static>(args: &Args, task: &Task<'_, X>) -> Outcome {
    let chosen = |m: &Method<X>| match args.samplers.is_empty() {
        true => FAMILIES.contains(&m.family),
        false => args.samplers.iter().any(|id| id == m.id),
    };
    if let Some(unknown) = args.samplers.iter().find(|id| method::<X>(id).is_none()) {
        return Err(format!("there is no sampler \"{unknown}\"; `unnoise list` names them").into());
    }
    let columns: Vec<_> = args.evaluations.iter().map(|n| format!(" {n} |")).collect();
    output::line(format_args!("| evaluations |{}", columns.concat()));
    output::line(format_args!("|---|{}", "---:|".repeat(columns.len())));
    // Every method of the ODE has the same limit.
    let limit = method::<X>("dpmpp-2m").ok_or("the table has its default row")?;
    let of_ode = task.end(&limit, Tuning::default(), args.reference as usize)?.x;
    for method in methods::<X>().into_iter().filter(chosen) {
        let own = match method.stochastic {
            true => Some(task.end(&method, Tuning::default(), args.reference as usize)?.x),
            false => None,
        };
        let reference = own.as_ref().unwrap_or(&of_ode);
        let cells = args.evaluations.iter().map(|n| cell(&method, task, usize::from(*n), reference));
        output::line(format_args!("| `{}` |{}", method.id, cells.collect::<Result<String, _>>()?));
    }
    Ok(ExitCode::SUCCESS)
}

/// The distance from the reference after at most `evaluations`.
fn cell<X: Latent + 'static>(
    method: &Method<X>,
    task: &Task<'_, X>,
    evaluations: usize,
    reference: &X,
) -> Result<String, TaskError> {
    if method.on_grid().is_none() {
        return tolerance_cell(method, task, evaluations, reference);
    }
    let plain = unnoise::samplers::method::<f64>(method.id).expect("the table is the same for every point");
    let Some(steps) = steps_within(&plain, task.schedule, &task.spacing, evaluations) else {
        return Ok(" |".to_owned());
    };
    let end = task.end(method, Tuning::default(), steps)?;
    Ok(format!(" {:.2e} |", task.distance(&end.x, reference)))
}

/// Steps of the grid that an adaptive method reads the ends of.
const FINEST: usize = 1000;

/// An adaptive method is given the loosest of these tolerances that uses the evaluations up.
const TOLERANCES: [f64; 12] = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 1e-4, 1e-5];

fn tolerance_cell<X: Latent + 'static>(
    method: &Method<X>,
    task: &Task<'_, X>,
    evaluations: usize,
    reference: &X,
) -> Result<String, TaskError> {
    let mut best = None;
    for tolerance in TOLERANCES {
        let set = [("tolerance", tolerance), ("absolute-tolerance", 0.1 * tolerance)];
        let knobs = set.into_iter().filter_map(|(id, value)| Some((method.knob(id)?, value)));
        let tuning = knobs.fold(Tuning::default(), |tuning, (knob, value)| tuning.with(knob, value));
        // It reads the ends of the grid, and the finest grid ends where the others do.
        let end = task.end(method, tuning, FINEST)?;
        if end.evaluations > evaluations {
            break;
        }
        best = Some(format!(" {:.2e} |", task.distance(&end.x, reference)));
    }
    Ok(best.unwrap_or_else(|| " |".to_owned()))
}
