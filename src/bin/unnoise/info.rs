use crate::Outcome;
use crate::output;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use unnoise::backend::{self, Backend};
use unnoise::interchange::diffusers;
use unnoise::pipeline::{Conditioning, Part, Pipeline, TEXTS_KEPT};
use unnoise::settings::{Linked, Page, Settings};
use unnoise::words::count;

#[derive(ClapArgs)]
pub struct Args {
    /// Model folder in the diffusers layout
    dir: PathBuf,
}

pub async fn run(args: &Args) -> Outcome {
    let opened = backend::open(Backend::Cpu).await?;
    let model = Pipeline::from_dir(&args.dir, &opened.device)?;
    let [channels, height, width] = model.picture();
    let card = &model.card;
    output::line(format_args!("{}: {}", args.dir.display(), card.name.en));
    output::line(format_args!(
        "pictures    {width} x {height}, {}, values {} to {}",
        count(channels, "channel"),
        card.range[0],
        card.range[1]
    ));
    if let Some([least, multiple]) = model.sizes() {
        output::line(format_args!("sizes       from {least} pixels a side, in multiples of {multiple}"));
    }
    if model.is_latent() {
        let [channels, height, width] = model.shape();
        output::line(format_args!("latents     {width} x {height}, {}", count(channels, "channel")));
    }
    if let Some(net) = model.network.unet2d() {
        output::line(format_args!("network     {}", net.config()));
    }
    if let Conditioning::Text(encoders) = &model.conditioning {
        let (tokens, megabytes) = (encoders.length(), encoders.bytes() as f64 / 1e6);
        output::line(format_args!(
            "texts       up to {tokens} tokens; of the last {TEXTS_KEPT} what was read is kept, {megabytes:.2} MB each, and the text encoder for the next"
        ));
    }
    for Part { folder, class, parameters, bytes, stored } in &model.parts {
        let (megabytes, stored) = (*bytes as f64 / 1e6, stored.join(" and "));
        output::line(format_args!(
            "part        {folder}/ {class}, {parameters} parameters, {megabytes:.2} MB in {stored}"
        ));
    }
    output::line(format_args!("parameters  {}", model.parameters()));
    output::line(format_args!("weights     {:.2} MB", model.bytes() as f64 / 1e6));
    output::line(format_args!("predicts    {:?}", model.prediction));
    output::line(format_args!("schedule    {}", model.schedule));
    match diffusers::describe(&model.scheduler_config) {
        Ok(described) => output::line(format_args!("scheduler   {described}")),
        Err(unmapped) => output::line(format_args!("scheduler   {unmapped}")),
    }
    match card.classes.len() {
        0 => output::line("classes     none"),
        n => {
            let names: Vec<_> = card.classes.iter().enumerate().map(|(i, c)| format!("{i} {}", c.en)).collect();
            output::line(format_args!("classes     {n}: {}", names.join(", ")));
            let guidance = if card.null_class.is_some() { "yes" } else { "no, it was never trained without a label" };
            output::line(format_args!("guidance    {guidance}"));
        }
    }
    if let Some(classifier) = &card.classifier {
        output::line(format_args!("classifier  {classifier}"));
    }
    let own = model.preset()?;
    let own = own.record(&Page::default()).into_iter();
    let own = own.filter(|(key, value)| Settings::default().value(&Page::default(), key).as_ref() != Some(value));
    let own: Vec<_> = own.map(|(key, value)| format!("{key}={value}")).collect();
    if !own.is_empty() {
        output::line(format_args!("starts with {}", own.join(" ")));
    }
    let licence = if card.licence.is_empty() { "not said" } else { &card.licence };
    output::line(format_args!("licence     {licence}"));
    model.notes.iter().for_each(|note| output::line(format_args!("note        {note}")));
    Ok(ExitCode::SUCCESS)
}
