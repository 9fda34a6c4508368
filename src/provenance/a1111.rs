//! The text `parameters` of AUTOMATIC1111's web UI: the prompt, the negative prompt, and a line of names with their values.

use super::Taken;
use super::names::{SCHEDULES, of_web_ui, to_web_ui};
use crate::settings::{Linked, Page, Settings};

const NEGATIVE: &str = "Negative prompt: ";
/// The line of values begins so.
const FIRST: &str = "Steps: ";

/// The text of a run of ours.
pub fn write(settings: &Settings) -> String {
    let schedule = settings.schedule.to_string();
    let schedule = SCHEDULES.iter().find(|(_, ours)| *ours == schedule).map_or(schedule.as_str(), |(theirs, _)| theirs);
    let mut values = vec![
        ("Steps", settings.steps.to_string()),
        ("Sampler", to_web_ui(&settings.sampler)),
        ("Schedule type", quoted(schedule)),
        ("CFG scale", settings.guidance.to_string()),
        ("Seed", settings.seed.to_string()),
    ];
    let size = settings.value(&Page::default(), "size");
    values.extend(size.map(|size| ("Size", size.to_string())));
    values.push(("Model", quoted(&settings.model)));
    if settings.variation > 0.0 {
        values.push(("Variation seed", settings.variation_seed.to_string()));
        values.push(("Variation seed strength", settings.variation.to_string()));
    }
    values.push(("Version", format!("unnoise {}", env!("CARGO_PKG_VERSION"))));
    let line: Vec<_> = values.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut text = format!("{}\n", settings.prompt);
    if !settings.negative.is_empty() {
        text += &format!("{NEGATIVE}{}\n", settings.negative);
    }
    text + &line.join(", ")
}

/// A value that has what values are told apart by.
fn quoted(value: &str) -> String {
    if value.contains([',', ':', '"', '\n']) { serde_json::Value::from(value).to_string() } else { value.to_owned() }
}

/// `None` where there is no line of values.
pub fn read(text: &str) -> Option<Taken> {
    let at = text.rfind(&format!("\n{FIRST}")).map(|at| at + 1).or_else(|| text.starts_with(FIRST).then_some(0))?;
    let (prompts, line) = text.split_at(at);
    let mut taken = Taken::default();
    let (prompt, negative) = match prompts.strip_prefix(NEGATIVE) {
        Some(negative) => ("", Some(negative)),
        None => prompts.split_once(&format!("\n{NEGATIVE}")).map_or((prompts, None), |(a, b)| (a, Some(b))),
    };
    taken.prompt("prompt", prompt);
    if let Some(negative) = negative {
        taken.prompt("negative", negative);
    }
    for (name, value) in values(line) {
        match name.as_str() {
            "Steps" => taken.number(&name, "steps", &value),
            "Sampler" => sampler(&mut taken, &name, &value),
            "Schedule type" => match SCHEDULES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&value)) {
                Some((_, ours)) => taken.take("schedule", *ours),
                None => taken.leave(&name, value),
            },
            "CFG scale" => taken.number(&name, "guidance", &value),
            "Seed" => taken.seed(&name, "seed", &value),
            "Size" => taken.take("size", value.as_str()),
            "Variation seed" => taken.seed(&name, "variation-seed", &value),
            "Variation seed strength" => taken.number(&name, "variation", &value),
            _ => taken.leave(&name, value),
        }
    }
    Some(taken)
}

/// Older ones write the schedule behind the sampler.
fn sampler(taken: &mut Taken, name: &str, label: &str) {
    let behind = SCHEDULES.iter().find_map(|(theirs, ours)| {
        let sampler = of_web_ui(label.strip_suffix(theirs)?.strip_suffix(' ')?)?;
        Some((sampler, *ours))
    });
    match (of_web_ui(label), behind) {
        (Some(sampler), _) => taken.take("sampler", sampler),
        (None, Some((sampler, schedule))) => {
            taken.take("sampler", sampler);
            taken.take("schedule", schedule);
        }
        (None, None) => taken.leave(name, label),
    }
}

/// Names and values of a line; one in quotation marks is a text of JSON.
fn values(line: &str) -> Vec<(String, String)> {
    let mut values = Vec::new();
    let mut rest = line.trim();
    while let Some((name, after)) = rest.split_once(": ") {
        let (value, after) = if after.starts_with('"') { quotation(after) } else { None }.unwrap_or_else(|| {
            after.split_once(", ").map_or((after.to_owned(), ""), |(value, after)| (value.to_owned(), after))
        });
        values.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
    values
}

/// A text of JSON at the beginning, and what stands behind the comma after it.
fn quotation(text: &str) -> Option<(String, &str)> {
    let mut texts = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = texts.next()?.ok()?;
    let after = text.get(texts.byte_offset()..)?;
    Some((value, after.strip_prefix(',').unwrap_or(after).trim_start()))
}
