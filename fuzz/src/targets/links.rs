//! Share links, of the pictures and of the laboratory.

use super::{Input, Target, text_of};
use unnoise::lab;
use unnoise::math::Spacing;
use unnoise::settings::{Checked, Facts, Levels, Linked, Problem, Settings};

pub const LINK: Target = Target {
    name: "link",
    words: &[
        "#model=",
        "&sampler=",
        "&schedule=",
        "&steps=",
        "&seed=",
        "&images=",
        "&guidance=",
        "&class=",
        "&prompt=",
        "&from=",
        "&start=",
        "&x=",
        "&y=",
        "&walk=",
        "&race=",
        "&show=",
        "&size=",
        "&variation=",
        "&blend=",
        "&clip=",
        "&inpaint=",
        "&weighting=",
        "&strength=",
        "&preview=",
        "heun",
        "ddim",
        "dpmpp-2m",
        "unipc",
        "restart",
        "dopri5",
        "karras",
        "trailing",
        "model",
        "beta:",
        "blend:",
        "timesteps:",
        "sigmas:",
        "seed:1,2,3",
        "class:0-9",
        "[8]",
        "..",
        "hub:a/b",
        "own:",
        "%5B",
        "%26",
        "&amp;",
        "large:1:2",
        "forward:3",
    ],
    read: link,
};

fn link(input: &Input) -> String {
    let text = text_of(input);
    let checked = Settings::read_link(&text, &[]);
    let again = Settings::read_link(&checked.to_link(), &[]);
    assert_eq!(again.settings, checked.settings, "the link that is written reads back to the settings");
    assert_eq!(again.page, checked.page, "the link that is written reads back to the page");
    let facts = Facts { classes: 10, null_class: Some(10), text: false, latent: false, sizes: None };
    let mut fitted = checked.settings.clone();
    let mut problems = fitted.fit(&[], Some(facts));
    let evaluations = fitted.evaluations().is_some();
    let ways = fitted.ways().len().min(3);
    let cells = if checked.page.has_axes() { checked.cells(&[], Some(facts)).len().min(9) } else { 0 };
    let frames = match checked.walk(Some(facts)) {
        Ok(frames) => frames.len().min(9),
        Err(problem) => {
            problems.push(problem);
            0
        }
    };
    let spacing = spacing(&checked.settings.schedule);
    format!("{evaluations} {ways}{cells}{frames} {spacing} {} {}", named(&checked), listed(&problems))
}

pub const LAB_LINK: Target = Target {
    name: "lab-link",
    words: &[
        "#lab",
        "&data=",
        "&process=",
        "&curve=",
        "&points=",
        "&pane1=",
        "&pane2=",
        "&class=",
        "&guidance=",
        "&clock=",
        "&places=",
        "&steps=",
        "&sampler=",
        "&seed=",
        "&particles=",
        "own",
        "AAAAAA",
        "AQ",
        "moons",
        "checkerboard",
        "flow",
        "curve",
        "cosine",
    ],
    read: lab_link,
};

fn lab_link(input: &Input) -> String {
    let text = text_of(input);
    let checked = lab::Settings::read_link(&text);
    let again = lab::Settings::read_link(&checked.settings.write_link(&checked.page));
    assert_eq!(again.settings, checked.settings, "the link that is written reads back to the settings");
    let process = checked.settings.process().map_or_else(|error| error.to_string(), |_| "process".to_owned());
    let classes = checked.settings.distribution().classes().min(3);
    format!("{process} {classes} {} {}", checked.settings.towards().is_some(), named(&checked))
}

fn named<S: Linked>(checked: &Checked<S>) -> String {
    listed(&checked.problems)
}

/// The keys of problems, and of what kind they are.
fn listed(problems: &[Problem]) -> String {
    let kind = |problem: &Problem| {
        let reason: String = format!("{:?}", problem.reason).chars().take_while(char::is_ascii_alphanumeric).collect();
        let known = Settings::row(&problem.key).is_some() || lab::Settings::row(&problem.key).is_some();
        if known { format!("{} {reason}", problem.key) } else { reason }
    };
    problems.iter().take(3).map(kind).collect::<Vec<_>>().join(", ")
}

fn spacing(levels: &Levels) -> &'static str {
    match levels {
        Levels::Model => Levels::MODEL,
        Levels::Spaced(spacing) => Spacing::id(spacing),
    }
}
