use crate::Outcome;
use crate::output;
use clap::{Args as ClapArgs, ValueEnum};
use std::process::ExitCode;
use unnoise::math::Spacing;
use unnoise::samplers::{Method, Tuning, methods};

#[derive(ClapArgs)]
pub struct Args {
    /// What to list
    #[arg(value_enum, default_value_t = What::Samplers)]
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Samplers,
    Schedules,
}

/// Prints the lists as Markdown, which reads well in a terminal too.
pub fn run(args: &Args) -> Outcome {
    match args.what {
        What::Samplers => samplers(),
        What::Schedules => Spacing::ALL.iter().for_each(|spacing| match spacing.parameters() {
            Some(parameters) => output::line(format_args!("{}:{parameters}", spacing.id())),
            None => output::line(spacing.id()),
        }),
    }
    Ok(ExitCode::SUCCESS)
}

fn samplers() {
    output::line(
        "| id | name | order | evaluations a step | noise | knobs | ComfyUI | k-diffusion | diffusers | paper |",
    );
    output::line("|---|---|---:|---:|---|---|---|---|---|---|");
    let mut family = "";
    for method in methods::<f64>() {
        if method.family != family {
            family = method.family;
            output::line(format_args!("| **{}** | | | | | | | | | |", family.replace('_', " ")));
        }
        output::line(row(&method));
    }
}

fn row(m: &Method<f64>) -> String {
    let knobs: Vec<_> = m.knobs.iter().map(|knob| knob.id).collect();
    let noise = if m.stochastic { "fresh" } else { "" };
    let [comfyui, k_diffusion, diffusers] = [m.comfyui, m.k_diffusion, m.diffusers].map(Option::unwrap_or_default);
    format!(
        "| `{}` | {} | {} | {} | {noise} | {} | {comfyui} | {k_diffusion} | {diffusers} | {} |",
        m.id,
        m.name,
        m.order_with(&Tuning::default()),
        m.evaluations,
        knobs.join(" "),
        m.paper
    )
}
