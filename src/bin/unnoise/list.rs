use crate::Outcome;
use crate::output;
use clap::{Args as ClapArgs, ValueEnum};
use std::process::ExitCode;
use unnoise::math::Spacing;
use unnoise::samplers::{Method, Tuning, methods};
use unnoise::settings::Levels;

#[derive(ClapArgs)]
pub struct Args {
    /// What to list
    #[arg(value_enum, default_value_t = What::Samplers)]
    what: What,
    /// Of samplers also their knobs, what other programs call them, and their papers, as a Markdown table
    #[arg(long)]
    wide: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Samplers,
    Schedules,
}

pub fn run(args: &Args) -> Outcome {
    match (args.what, args.wide) {
        (What::Samplers, false) => samplers(),
        (What::Samplers, true) => wide(),
        (What::Schedules, true) => {
            return Err("--wide is of samplers; the list of schedules has no more columns".into());
        }
        (What::Schedules, false) => {
            output::line(Levels::MODEL);
            Spacing::ALL.iter().for_each(|spacing| match spacing.parameters() {
                Some(parameters) => output::line(format_args!("{}:{parameters}", spacing.id())),
                None => output::line(spacing.id()),
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Calls `row` on each method, and `head` on each family before its methods.
fn families(mut head: impl FnMut(&str), mut row: impl FnMut(&Method<f64>)) {
    let mut family = "";
    for method in methods::<f64>() {
        if method.family != family {
            family = method.family;
            head(&family.replace('_', " "));
        }
        row(&method);
    }
}

fn noise(m: &Method<f64>) -> &'static str {
    if m.stochastic { "fresh" } else { "" }
}

/// What fits into the 80 columns of a terminal.
fn samplers() {
    let line = |cells: [&str; 5]| {
        let [id, name, order, evaluations, noise] = cells;
        output::line(format!("{id:<27}{name:<35}{order:>5} {evaluations:>5} {noise}").trim_end());
    };
    line(["sampler", "name", "order", "evals", "noise"]);
    families(
        |family| output::line(format_args!("-- {family}")),
        |m| {
            let order = m.order_with(&Tuning::default()).to_string();
            line([m.id, m.name, &order, &m.evaluations.to_string(), noise(m)]);
        },
    );
    output::line("\nevals: model evaluations a step. --wide adds knobs, names elsewhere and papers.");
}

fn wide() {
    output::line(
        "| id | name | order | evaluations a step | noise | knobs | ComfyUI | k-diffusion | diffusers | paper |",
    );
    output::line("|---|---|---:|---:|---|---|---|---|---|---|");
    families(
        |family| output::line(format_args!("| **{family}** | | | | | | | | | |")),
        |m| {
            let knobs: Vec<_> = m.knobs.iter().map(|knob| knob.id).collect();
            let [comfyui, k_diffusion, diffusers] =
                [m.comfyui, m.k_diffusion, m.diffusers].map(Option::unwrap_or_default);
            output::line(format_args!(
                "| `{}` | {} | {} | {} | {} | {} | {comfyui} | {k_diffusion} | {diffusers} | {} |",
                m.id,
                m.name,
                m.order_with(&Tuning::default()),
                m.evaluations,
                noise(m),
                knobs.join(" "),
                m.paper
            ));
        },
    );
}
