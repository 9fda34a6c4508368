//! Scenes: which pictures stand where on a canvas, in which colours, and captions that are true of them.
//!
//! Some combinations never occur: a colour with a thing, and two things together, chosen by a hash of their names, so that figures on
//! them say whether words act apart from each other.

use super::phrases::{self, COLOURS, GROUPS, Language, Layout};
use super::python::PythonRandom;
use super::words::Entry;
use flate2::Crc;
use serde::Deserialize;
use std::collections::HashSet;

/// One of so many colours of a thing, and of pairs of things, is held out.
const HELD_COLOURS: u32 = 10;
const HELD_PAIRS: u32 = 20;

/// Centres, as shares of the canvas, of two, three and four equal things, in the ways in which they can stand.
const ROWS: [&[&[[f64; 2]]]; 3] = [
    &[&[[0.26, 0.5], [0.74, 0.5]]],
    &[&[[0.5, 0.26], [0.26, 0.74], [0.74, 0.74]], &[[0.26, 0.26], [0.74, 0.26], [0.5, 0.74]]],
    &[&[[0.26, 0.26], [0.74, 0.26], [0.26, 0.74], [0.74, 0.74]]],
];

/// `[scenes]` of a recipe: shares of the kinds of scenes, of the captions that are Chinese, and of base emoji in plain scenes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    pub plain: f64,
    pub coloured: f64,
    pub mirrored: f64,
    pub sized: f64,
    pub pairs: f64,
    pub counts: f64,
    pub chinese: f64,
    pub base_share: f64,
}

/// One thing on the canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Of the picture.
    pub index: usize,
    /// Where it is not its own.
    pub colour: Option<usize>,
    /// Its centre, as a share of the canvas.
    pub place: [f64; 2],
    /// As a share of the canvas's width.
    pub size: f64,
    pub mirrored: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub(super) kind: Kind,
    pub parts: Vec<Part>,
    pub caption: String,
    /// Of the caption.
    pub(super) language: Language,
}

/// What a scene is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Coloured,
    Mirrored,
    Sized,
    /// How the first thing of the caption stands to the second.
    Pairs(Layout),
    Counts,
}

/// The distribution of scenes.
#[derive(Clone, Debug)]
pub struct Scenes {
    pub(super) entries: Vec<Entry>,
    /// The colour of a picture that has one clear colour that can be changed.
    natural: Vec<Option<usize>>,
    shares: Shares,
    /// Of the kinds, summed up.
    kinds: Vec<f64>,
    pub(super) bases: Vec<usize>,
    base_weights: Vec<f64>,
    variants: Vec<usize>,
    tones: Vec<usize>,
    colourful: Vec<usize>,
    pub(super) things: Vec<usize>,
}

impl Scenes {
    /// `without` are pictures that never occur. An error says what cannot be drawn of the others.
    pub fn new(
        entries: Vec<Entry>,
        natural: Vec<Option<usize>>,
        shares: Shares,
        without: &HashSet<usize>,
    ) -> Result<Self, String> {
        let all: Vec<usize> = (0..entries.len()).filter(|i| !without.contains(i)).collect();
        let some = |wanted: &dyn Fn(&Entry) -> bool| -> Vec<usize> {
            all.iter().copied().filter(|&i| wanted(&entries[i])).collect()
        };
        let bases = some(&|entry| entry.base);
        let or_bases = |some: Vec<usize>| if some.is_empty() { bases.clone() } else { some };
        let symbol = |i: &usize| if GROUPS[entries[*i].group].0 == "Symbols" { 0.5 } else { 1.0 };
        let kinds = [shares.plain, shares.coloured, shares.mirrored, shares.sized, shares.pairs, shares.counts];
        let scenes = Self {
            kinds: cumulated(kinds.into_iter()),
            base_weights: cumulated(bases.iter().map(symbol)),
            variants: or_bases(some(&|entry| !entry.base && !entry.tone)),
            tones: or_bases(some(&|entry| entry.tone)),
            colourful: bases.iter().copied().filter(|&i| natural[i].is_some()).collect(),
            things: bases.iter().copied().filter(|&i| entries[i].pairs).collect(),
            bases,
            entries,
            natural,
            shares,
        };
        scenes.check()?;
        Ok(scenes)
    }

    fn check(&self) -> Result<(), String> {
        let Shares { coloured, pairs, counts, .. } = self.shares;
        let together = |one: &usize| self.things.iter().any(|other| self.may_stand_together(*one, *other));
        if self.bases.is_empty() {
            Err("there is no base emoji among them".to_owned())
        } else if coloured > 0.0 && !self.colourful.iter().any(|&i| !self.colours(i).is_empty()) {
            Err("none of them has one colour, which [scenes] coloured needs".to_owned())
        } else if pairs > 0.0 && !self.things.iter().any(together) {
            Err("no two of them can stand together, which [scenes] pairs needs".to_owned())
        } else if counts > 0.0 && self.things.is_empty() {
            Err("none of them has a short name, which [scenes] counts needs".to_owned())
        } else {
            Ok(())
        }
    }

    pub fn draw(&self, rng: &mut PythonRandom) -> Scene {
        let kind = rng.weighted(&self.kinds);
        let language = if rng.random() < self.shares.chinese { Language::Chinese } else { Language::English };
        match kind {
            0 => self.plain(rng, language),
            1 => self.coloured(rng, language),
            2 => self.mirrored(rng, language),
            3 => self.sized(rng, language),
            4 => self.pairs(rng, language),
            _ => self.counts(rng, language),
        }
    }

    fn any_base(&self, rng: &mut PythonRandom) -> usize {
        self.bases[rng.weighted(&self.base_weights)]
    }

    /// The colours that the split allows for a picture, but its own.
    fn colours(&self, index: usize) -> Vec<usize> {
        let thing = &self.entries[index].thing[0];
        let held_out = |colour: usize| hash(&["colour", COLOURS[colour], thing]).is_multiple_of(HELD_COLOURS);
        (0..COLOURS.len()).filter(|&colour| Some(colour) != self.natural[index] && !held_out(colour)).collect()
    }

    fn new_colour(&self, index: usize, rng: &mut PythonRandom) -> Option<usize> {
        let allowed = self.colours(index);
        (!allowed.is_empty()).then(|| *rng.choice(&allowed))
    }

    fn may_stand_together(&self, one: usize, other: usize) -> bool {
        let mut names = [one, other].map(|i| self.entries[i].thing[0].as_str());
        names.sort_unstable();
        names[0] != names[1] && !hash(&["pair", names[0], names[1]]).is_multiple_of(HELD_PAIRS)
    }

    pub(super) fn plain(&self, rng: &mut PythonRandom, language: Language) -> Scene {
        let index = if rng.random() < self.shares.base_share {
            self.any_base(rng)
        } else {
            let among = if rng.random() < 0.3 { &self.variants } else { &self.tones };
            *rng.choice(among)
        };
        let mut part = Part::whole(index);
        if rng.random() < 0.3 {
            part.size = rng.uniform(0.85, 1.0);
            let room = (1.0 - part.size) / 2.0;
            part.place = [(); 2].map(|()| 0.5 + rng.uniform(-room, room));
        }
        let caption = phrases::single(&self.entries[index], language, self.natural[index], rng);
        Scene { kind: Kind::Plain, parts: vec![part], caption, language }
    }

    fn coloured(&self, rng: &mut PythonRandom, language: Language) -> Scene {
        let (index, colour) = loop {
            let index = *rng.choice(&self.colourful);
            if let Some(colour) = self.new_colour(index, rng) {
                break (index, colour);
            }
        };
        let caption = self.of_colour(index, colour, language, rng);
        let part = Part { colour: Some(colour), ..Part::whole(index) };
        Scene { kind: Kind::Coloured, parts: vec![part], caption, language }
    }

    pub(super) fn of_colour(&self, index: usize, colour: usize, language: Language, rng: &mut PythonRandom) -> String {
        let thing = &self.entries[index].thing[language as usize];
        let phrase = phrases::coloured(thing, Some(colour), language, rng);
        phrases::framed(&phrase, language, rng)
    }

    pub(super) fn mirrored(&self, rng: &mut PythonRandom, language: Language) -> Scene {
        let index = self.any_base(rng);
        let caption = phrases::mirrored(&self.entries[index].name[language as usize], language, rng);
        let part = Part { mirrored: true, ..Part::whole(index) };
        Scene { kind: Kind::Mirrored, parts: vec![part], caption, language }
    }

    pub(super) fn sized(&self, rng: &mut PythonRandom, language: Language) -> Scene {
        let (index, small) = (self.any_base(rng), rng.random() < 0.7);
        let (size, room) = if small { (rng.uniform(0.35, 0.55), 0.12) } else { (1.0, 0.0) };
        let place = [(); 2].map(|()| 0.5 + rng.uniform(-room, room));
        let caption = phrases::sized(&self.entries[index].name[language as usize], small, language, rng);
        let part = Part { size, place, ..Part::whole(index) };
        Scene { kind: Kind::Sized, parts: vec![part], caption, language }
    }

    /// A thing among others, with its number. The colour is said where it was changed, and sometimes where it is its own.
    pub(super) fn phrase(
        &self,
        index: usize,
        colour: Option<usize>,
        count: usize,
        language: Language,
        rng: &mut PythonRandom,
    ) -> String {
        let entry = &self.entries[index];
        let said = if colour.is_none() && rng.random() < 0.25 { self.natural[index] } else { colour };
        let named = if said.is_none() && rng.random() < 0.7 { &entry.name } else { &entry.thing };
        let phrase = phrases::coloured(&named[language as usize], said, language, rng);
        phrases::measured(&phrase, count, GROUPS[entry.group].0 == "Animals and nature", language, rng)
    }

    fn pairs(&self, rng: &mut PythonRandom, language: Language) -> Scene {
        let both = loop {
            let both = [(); 2].map(|()| *rng.choice(&self.things));
            if self.may_stand_together(both[0], both[1]) {
                break both;
            }
        };
        let colours = both.map(|i| {
            let changed = self.natural[i].is_some() && rng.random() < 0.35;
            if changed { self.new_colour(i, rng) } else { None }
        });
        let layout = *rng.choice(&[Layout::Left, Layout::Left, Layout::Right, Layout::Above, Layout::Below]);
        let ends = [rng.uniform(0.24, 0.28), rng.uniform(0.72, 0.76)];
        let across = [(); 2].map(|()| 0.5 + rng.uniform(-0.06, 0.06));
        let sizes = [(); 2].map(|()| rng.uniform(0.42, 0.5));
        let part = |which: usize| {
            let first = matches!(layout, Layout::Left | Layout::Above) == (which == 0);
            let (along, across) = (ends[usize::from(!first)], across[which]);
            let level = matches!(layout, Layout::Left | Layout::Right);
            let place = if level { [along, across] } else { [across, along] };
            Part { colour: colours[which], place, size: sizes[which], ..Part::whole(both[which]) }
        };
        let parts = [0, 1].map(part);
        let mut phrases = [0, 1].map(|which| self.phrase(both[which], colours[which], 1, language, rng));
        let mut said = layout;
        if rng.random() < 0.3 {
            // The same scene told from the other thing.
            phrases.reverse();
            said = layout.opposite();
        }
        let caption = phrases::pair(&phrases[0], &phrases[1], said, language, rng);
        Scene { kind: Kind::Pairs(said), parts: parts.into(), caption, language }
    }

    fn counts(&self, rng: &mut PythonRandom, language: Language) -> Scene {
        let count = *rng.choice(&[2, 3, 4]);
        let index = *rng.choice(&self.things);
        let changed = self.natural[index].is_some() && rng.random() < 0.3;
        let colour = if changed { self.new_colour(index, rng) } else { None };
        let size = rng.uniform(0.42, 0.5);
        let part = |place: &[f64; 2], rng: &mut PythonRandom| {
            let place = place.map(|at| at + rng.uniform(-0.03, 0.03));
            Part { colour, place, size, ..Part::whole(index) }
        };
        let parts = rng.choice(ROWS[count - 2]).iter().map(|place| part(place, rng)).collect();
        let caption = self.phrase(index, colour, count, language, rng);
        Scene { kind: Kind::Counts, parts, caption, language }
    }
}

impl Part {
    /// A picture as it is, on all of the canvas.
    pub fn whole(index: usize) -> Self {
        Self { index, colour: None, place: [0.5; 2], size: 1.0, mirrored: false }
    }
}

/// `zlib.crc32` of words with bars between them.
fn hash(words: &[&str]) -> u32 {
    let mut crc = Crc::new();
    crc.update(words.join("|").as_bytes());
    crc.sum()
}

fn cumulated(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}
