//! What a form is made of.

use crate::lab;
use crate::lab::data::{Own, sets};
use crate::lab::settings::Pane;
use crate::math::Spacing;
use crate::samplers::{Knob, Method, Tuning, method, methods};
use crate::settings::{self, Axis, Levels, Linked, MOST_CELLS, Shown, Value, Walk};
use serde::Serialize;
use std::ops::RangeInclusive;
use tsify::Tsify;

#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Catalogue {
    version: &'static str,
    samplers: Vec<Sampler>,
    schedules: Vec<Schedule>,
    /// Of a run, then those of the page.
    settings: Vec<Row>,
    /// Of the lab, then those of the page.
    lab: Vec<Row>,
    lab_data: Vec<LabData>,
    /// What a pane of the lab can run.
    lab_samplers: Vec<&'static str>,
    /// Those of them that the theory has its own names for.
    lab_theory: Vec<LabTheory>,
    lab_limits: LabLimits,
    /// The settings and the parameters of samplers that an axis of a grid can be of, and the most cells of one.
    axes: Vec<&'static str>,
    most_cells: usize,
    /// The settings that a walk can be of, and how many steps it has from a stop to the next.
    walk_keys: [&'static str; 3],
    walk_steps: [f64; 2],
    /// The strength that a start picture is given until a person chooses one.
    start_strength: f64,
    /// Where the slider of guidance stops for CFG++.
    cfgpp_end: f64,
}

/// A method of the sampler table.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Sampler {
    id: &'static str,
    /// In prose.
    name: &'static str,
    family: &'static str,
    /// Order of convergence at the default parameters.
    order: usize,
    /// Of the model, a step.
    evaluations: u32,
    /// Whether it draws fresh noise at the default parameters.
    stochastic: bool,
    /// The parameter that must be above 0 for it to draw any, where one decides.
    noise: Option<&'static str>,
    /// Whether it chooses its own steps.
    adaptive: bool,
    /// Whether it replays a quirk of another library and is of no other use.
    compat: bool,
    /// Whether more steps lead it to a limit, from which its distance can be measured.
    limit: bool,
    /// Whether it tells CFG++ from plain guidance.
    cfg_pp: bool,
    /// Other ids that links may have for it.
    aliases: Vec<&'static str>,
    knobs: Vec<Row>,
    comfyui: Option<&'static str>,
    k_diffusion: Option<&'static str>,
    diffusers: Option<&'static str>,
    paper: &'static str,
}

/// A way to space the noise levels.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Schedule {
    id: &'static str,
    /// Its parameters at their defaults, as they stand after the colon.
    values: Option<String>,
    /// Whether it is a list of levels that has its own number of steps.
    list: bool,
}

/// A setting: its key, what it takes and how a form shows it.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Row {
    key: &'static str,
    #[tsify(type = "\"whole\" | \"number\" | \"choice\" | \"list\" | \"text\"")]
    kind: &'static str,
    /// `null` where there is none.
    min: Option<f64>,
    max: Option<f64>,
    options: Option<Vec<&'static str>>,
    #[tsify(type = "Value | null")]
    default: Option<Value>,
    /// The part of the form that it belongs to.
    section: &'static str,
    #[tsify(type = "\"slider\" | \"field\" | \"select\" | \"own\"")]
    shown: &'static str,
    /// Of its slider.
    step: Option<f64>,
    /// Where its slider stops, if that is before the largest value.
    end: Option<f64>,
    /// What the sampler or the model must have for it to act; of a sampler's parameter, the one that must be above 0.
    needs: Option<&'static str>,
    /// Whether every link has it.
    always: bool,
    /// Whether it is of the page, and decides no picture.
    of_page: bool,
}

#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct LabData {
    id: &'static str,
    /// Number of classes.
    components: usize,
}

#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct LabTheory {
    id: &'static str,
    name: &'static str,
    stochastic: bool,
}

/// Limits inside the lab's lists.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct LabLimits {
    /// Steps of a pane.
    steps: [f64; 2],
    /// Points of one's own.
    points: [f64; 2],
    /// A coordinate of a place.
    place: [f64; 2],
    /// Number of places.
    places: [f64; 2],
}

impl Catalogue {
    pub fn new() -> Self {
        let theory = Pane::THEORY.map(|(id, row)| {
            let row = row.and_then(method::<f64>);
            let stochastic = row.as_ref().is_none_or(|row| row.stochastic);
            LabTheory { id, name: row.map_or("Langevin dynamics", |row| row.name), stochastic }
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            samplers: methods::<f64>().iter().map(Sampler::new).collect(),
            schedules: std::iter::once(Schedule::of_model()).chain(Spacing::ALL.iter().map(Schedule::new)).collect(),
            settings: rows::<settings::Settings>(),
            lab: rows::<lab::Settings>(),
            lab_data: sets()
                .iter()
                .map(|set| LabData { id: set.id, components: set.distribution().classes() })
                .collect(),
            lab_samplers: Pane::samplers(),
            lab_theory: theory.into(),
            lab_limits: LabLimits {
                steps: whole(lab::Settings::STEPS),
                points: [1.0, Own::MOST as f64],
                place: [*lab::Settings::PLACE.start(), *lab::Settings::PLACE.end()],
                places: [1.0, lab::Settings::MOST_PLACES as f64],
            },
            axes: Axis::keys().collect(),
            most_cells: MOST_CELLS,
            walk_keys: Walk::KEYS,
            walk_steps: [1.0, (Walk::MOST - 1) as f64],
            start_strength: settings::Settings::START_STRENGTH,
            cfgpp_end: *settings::Settings::CFG_PP.end(),
        }
    }
}

fn whole(range: RangeInclusive<usize>) -> [f64; 2] {
    [*range.start() as f64, *range.end() as f64]
}

fn rows<S: Linked>() -> Vec<Row> {
    let of_page = |row| Row { of_page: true, ..Row::new(row) };
    S::TABLE.iter().map(Row::new).chain(S::PAGE.iter().map(of_page)).collect()
}

impl Sampler {
    fn new(m: &Method<f64>) -> Self {
        Self {
            id: m.id,
            name: m.name,
            family: m.family,
            order: m.order_with(&Tuning::default()),
            evaluations: m.evaluations,
            stochastic: m.stochastic,
            noise: m.noise.map(|knob| knob.id),
            adaptive: m.on_grid().is_none(),
            compat: m.compat,
            limit: m.has_limit(),
            cfg_pp: m.cfg_pp,
            aliases: m.aliases.to_vec(),
            knobs: m.knobs.iter().map(Row::of_knob).collect(),
            comfyui: m.comfyui,
            k_diffusion: m.k_diffusion,
            diffusers: m.diffusers,
            paper: m.paper,
        }
    }
}

impl Schedule {
    fn of_model() -> Self {
        Self { id: Levels::MODEL, values: None, list: false }
    }

    fn new(spacing: &Spacing) -> Self {
        Self { id: spacing.id(), values: spacing.parameters(), list: spacing.steps().is_some() }
    }
}

impl Row {
    fn new<S: Default>(row: &settings::Row<S>) -> Self {
        let [min, max] = row.limits().map_or([None; 2], |limits| limits.map(finite));
        let (shown, step, end) = match row.shown {
            Shown::Slider { step, end } => ("slider", Some(step), end),
            Shown::Field => ("field", None, None),
            Shown::Select => ("select", None, None),
            Shown::Own => ("own", None, None),
        };
        Self {
            key: row.key,
            kind: row.kind(),
            min,
            max,
            options: row.options(),
            default: Some(row.default()).filter(|value| *value != Value::from("")),
            section: row.section,
            shown,
            step,
            end,
            needs: row.needs,
            always: row.always,
            of_page: false,
        }
    }

    fn of_knob(knob: &Knob) -> Self {
        let step = knob_step(knob);
        Self {
            key: knob.id,
            kind: if knob.whole { "whole" } else { "number" },
            min: finite(knob.min),
            max: finite(knob.max),
            options: None,
            default: Some(Value::Number(knob.default)),
            section: "tuning",
            shown: if step.is_some() { "slider" } else { "field" },
            step,
            end: None,
            needs: knob.needs,
            always: false,
            of_page: false,
        }
    }
}

/// The step of a parameter's slider, a round number; none where a slider would be too fine to hit or would start within
/// its first few steps.
fn knob_step(knob: &Knob) -> Option<f64> {
    const PLACES: f64 = 100.0;
    const FIRST_FEW: f64 = 10.0;
    let Knob { min, max, default, whole, .. } = *knob;
    let width = max - min;
    if !width.is_finite() || !default.is_finite() || width <= 0.0 {
        return None;
    }
    if whole {
        return (width <= FIRST_FEW).then_some(1.0);
    }
    let step = libm::exp10((2.0 * width / PLACES).log10().floor());
    (width <= PLACES && (default == min || default >= FIRST_FEW * step)).then_some(step)
}

/// A number for a form, which has no infinite one.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
