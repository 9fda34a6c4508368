//! The table of the lab's settings.

use super::values::{self, Field, Guide, Model, OBJECTIVES, OFF_OR_ON, View, numbers};
use super::{Pane, Settings};
use crate::lab::data::{self, OWN};
use crate::lab::discrete::{LISTS, Masking};
use crate::lab::process::Kind;
use crate::settings::problem::one_of;
use crate::settings::table::{choice, name, names, set};
use crate::settings::{Reason, Row};
use std::ops::RangeInclusive;

/// A row of a choice from a list of names and values.
macro_rules! choose {
    ($key:literal, $field:ident, $all:expr) => {
        Row::<Settings>::choice(
            $key,
            || names(&$all),
            |s| name(&$all, &s.$field),
            set!($field, |text| choice(text, &$all)),
        )
    };
}

/// A row of a whole number.
macro_rules! whole {
    ($key:literal, $field:ident, $range:expr) => {
        Row::<Settings>::whole(
            $key,
            [*$range.start() as i64, *$range.end() as i64],
            |s: &Settings| s.$field as i64,
            |s, value| s.$field = value as _,
        )
    };
}

macro_rules! pane {
    ($key:literal, $i:literal) => {
        Row::<Settings>::text(
            $key,
            |s: &Settings| s.panes[$i].as_ref().map_or_else(|| Pane::NONE.to_owned(), Pane::to_string),
            |s, text| {
                s.panes[$i] = values::pane(text)?;
                Ok(())
            },
        )
        .section("panes")
    };
}

const SEEDS: RangeInclusive<u32> = 0..=u32::MAX;

/// What decides what the lab shows, in the order of a link.
pub const TABLE: &[Row<Settings>] = &[
    Row::<Settings>::choice("data", data_ids, |s| s.data.clone(), set!(data, data_id)).section("data").always(),
    Row::<Settings>::text("points", |s| s.points.pack(), set!(points, values::points)).section("data"),
    choose!("process", process, Kind::ALL).section("process"),
    Row::<Settings>::list("curve", |s| numbers::join(s.curve.values()), set!(curve, values::curve)).section("process"),
    choose!("model", model, Model::ALL).section("model"),
    choose!("objective", objective, OBJECTIVES).section("network"),
    whole!("depth", depth, Settings::DEPTH).section("network"),
    whole!("width", width, Settings::WIDTH).section("network"),
    Row::<Settings>::number("lr", Settings::LR, |s| s.lr, |s, lr| s.lr = lr).section("network"),
    whole!("batch", batch, Settings::BATCH).section("network"),
    Row::<Settings>::number("ema", Settings::EMA, |s| s.ema, |s, ema| s.ema = ema).section("network"),
    whole!("train-steps", train_steps, Settings::TRAIN_STEPS).section("network"),
    whole!("train-seed", train_seed, SEEDS).section("network"),
    pane!("pane1", 0),
    pane!("pane2", 1),
    pane!("pane3", 2),
    pane!("pane4", 3),
    Row::<Settings>::number("eta", Settings::ETA, |s| s.eta, |s, eta| s.eta = eta).section("sde").slider(0.05),
    whole!("particles", particles, Settings::PARTICLES).section("show"),
    whole!("seed", seed, SEEDS).section("show").always(),
    Row::<Settings>::whole(
        "class",
        [-1, u8::MAX as i64],
        |s| s.class.map_or(-1, |class| class as i64),
        |s, class| s.class = usize::try_from(class).ok(),
    )
    .section("guidance"),
    choose!("guide", guide, Guide::ALL).section("guidance"),
    Row::<Settings>::number("guidance", Settings::GUIDANCE, |s| s.guidance, |s, scale| s.guidance = scale)
        .section("guidance")
        .slider(0.1),
    choose!("view", view, View::ALL).section("view"),
    choose!("field", field, Field::ALL).section("show"),
    choose!("heat", heat, OFF_OR_ON).section("show"),
    Row::<Settings>::number("clock", Settings::CLOCK, |s| s.clock, |s, clock| s.clock = clock).section("view"),
    Row::<Settings>::list("temperature", |s| s.cooling.line(), |s, text| s.cooling.set_line(text)).section("anneal"),
    Row::<Settings>::list("cooling", drawn, |s, text| s.cooling.set_drawn(text)).section("anneal"),
    Row::<Settings>::list("places", |s| numbers::join(s.places.as_flattened()), set!(places, values::places))
        .section("numbers"),
    Row::<Settings>::number("latent-std", Settings::LATENT_STD, |s| s.latent_std, |s, std| s.latent_std = std)
        .section("latent"),
    choose!("words", words, LISTS.map(|(id, _)| (id, id))).section("discrete"),
    choose!("masking", masking, Masking::ALL).section("discrete"),
    whole!("unmask-steps", unmask_steps, Settings::UNMASK_STEPS).section("discrete"),
];

fn data_ids() -> Vec<&'static str> {
    data::sets().iter().map(|set| set.id).chain([OWN]).collect()
}

fn data_id(text: &str) -> Result<String, Reason> {
    let known = data_ids();
    if known.contains(&text) { Ok(text.to_owned()) } else { Err(one_of(text, known)) }
}

fn drawn(settings: &Settings) -> String {
    settings.cooling.drawn().map(numbers::join).unwrap_or_default()
}
