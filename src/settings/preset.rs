//! What a model starts with, and how settings go from one model to another.

use super::fit::{Facts, judged, knob, no_knob};
use super::link::{Link, Linked, unknown};
use super::problem::{Problem, Reason, one_of};
use super::value::Value;
use super::{Page, Path, Settings, Start};
use crate::samplers::{Method, methods};
use std::collections::BTreeMap;

/// Values by the keys of a link, as a model's card has them: `{"sampler": "euler", "steps": 4}`.
pub type Defaults = BTreeMap<String, Value>;

/// A model that can be chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// Name of its folder.
    pub id: String,
    pub defaults: Defaults,
    /// Whether a classifier comes with it.
    pub classifier: bool,
    /// Whether it reads texts; `None` where that is not known.
    pub text: Option<bool>,
}

impl Listed {
    /// What the model starts with; defaults that cannot be used, which loading it names, are passed over.
    fn preset(&self) -> Settings {
        let preset = Settings::preset(&self.defaults).unwrap_or_default();
        Settings { model: self.id.clone(), ..preset }
    }
}

/// What a link says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked<S> {
    pub settings: S,
    pub page: Page,
    pub problems: Vec<Problem>,
}

impl<S: Linked> Checked<S> {
    /// Names the value that is used in place of each that cannot be.
    pub(crate) fn with_used(mut self) -> Self {
        for problem in &mut self.problems {
            problem.used = problem.used.take().or_else(|| self.settings.value(&self.page, &problem.key));
        }
        self
    }
}

impl Settings {
    /// The settings that a model with these defaults starts with.
    ///
    /// # Errors
    /// A key that no link has or that is not for a model to say, or a value that its key does not take.
    pub fn preset(defaults: &Defaults) -> Result<Self, Problem> {
        if let Some(value) = defaults.get("model") {
            let keys = Self::TABLE.iter().map(|row| row.key).filter(|key| *key != "model");
            return Err(Problem::new("the key of a default", format!("model={value}"), one_of("model", keys)));
        }
        let mut settings = Self::default();
        let pairs = defaults.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        settings.take_all(pairs)?;
        settings.fitted(None)
    }

    /// Takes values by their keys, none of them the page's.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn take_all(&mut self, pairs: Vec<(String, Value)>) -> Result<(), Problem> {
        let page = pairs.iter().find(|(key, _)| Self::PAGE.iter().any(|row| row.key == key));
        if let Some((key, value)) = page {
            return Err(Problem::new(key, value, Reason::UnknownKey { nearest: None }));
        }
        self.take(&mut Page::default(), pairs).into_iter().next().map_or(Ok(()), Err)
    }

    /// Reads a share link, a whole address or only its hash. A value that cannot be used keeps its default and is named.
    pub fn from_link(link: &str) -> (Self, Vec<Problem>) {
        Self::from_link_to(&Self::default(), link)
    }

    /// The same for a model that starts with `preset`, which stands where the link is silent.
    pub fn from_link_to(preset: &Self, link: &str) -> (Self, Vec<Problem>) {
        let Checked { settings, problems, .. } = Self::linked_to(preset, link);
        (settings, problems)
    }

    /// The same with what the link says of the page.
    pub fn linked_to(preset: &Self, link: &str) -> Checked<Self> {
        Self::read(&Link::new(link), preset, &[])
    }

    /// Reads a share link to one of these models; without any, to the model that it names, whatever that starts with.
    pub fn read_link(link: &str, models: &[Listed]) -> Checked<Self> {
        let link = Link::new(link);
        let mut named = Self::default();
        named.model = link.text("model").unwrap_or(named.model);
        named.fit_model(models);
        let listed = models.iter().find(|model| model.id == named.model);
        Self::read(&link, &listed.map(Listed::preset).unwrap_or_default(), models)
    }

    /// A link with every key that is always written is a whole one, and no default of a model changes what it shows. That
    /// of a model without classes speaks of none.
    fn read(link: &Link, preset: &Self, models: &[Listed]) -> Checked<Self> {
        let whole = Self::TABLE.iter().filter(|row| row.always && !row.of_classes()).all(|row| link.has(row.key));
        let (mut settings, mut page) = (if whole { Self::default() } else { preset.clone() }, Page::default());
        let mut problems: Vec<_> = link.problem.clone().into_iter().collect();
        problems.extend(settings.take(&mut page, Self::pairs(link)));
        // A run that began with a picture does not begin without one, though the link's is broken.
        if problems.iter().any(|problem| problem.reason == Reason::Start) {
            settings.start = Start::Asked;
        }
        problems.extend(page.fit_axes());
        problems.extend(settings.fit(models, None));
        Checked { settings, page, problems }.with_used()
    }

    /// Settings by their keys, as a page keeps them, made to fit.
    pub fn checked(record: Vec<(String, Value)>, models: &[Listed], facts: Option<Facts>) -> Checked<Self> {
        let (mut settings, mut page) = (Self::default(), Page::default());
        let mut problems = settings.take(&mut page, record);
        problems.extend(page.fit_axes());
        problems.extend(settings.fit(models, facts));
        Checked { settings, page, problems }.with_used()
    }

    /// Changes one setting as a person does, `None` to what the model starts with. A value that cannot be used changes
    /// nothing and is named.
    pub fn change(
        self,
        page: Page,
        (key, value): (&str, Option<Value>),
        models: &[Listed],
        facts: Option<Facts>,
    ) -> Checked<Self> {
        let listed = |id: &str| models.iter().find(|model| model.id == id).map(Listed::preset).unwrap_or_default();
        let preset = listed(&self.model);
        let (mut settings, mut next_page) = (self.clone(), page.clone());
        let mut problems = match value.or_else(|| preset.value(&Page::default(), key)) {
            Some(value) => settings.take(&mut next_page, vec![(key.to_owned(), value)]),
            None => {
                settings.knobs.retain(|id, _| *id != key);
                next_page.reset(key);
                Vec::new()
            }
        };
        problems.extend(next_page.fit_axes());
        if !problems.is_empty() {
            return Checked { settings: self, page, problems }.with_used();
        }
        if settings.model != self.model {
            problems.extend(settings.fit_model(models));
            let model = std::mem::take(&mut settings.model);
            settings = self.moved(&preset, &listed(&model));
            if models.iter().any(|listed| listed.id == model && listed.text == Some(false)) {
                settings.fit_text(false);
            }
            settings.model = model;
            // No model goes on from where another one was.
            settings.from = Path::default();
            // What is known of the model before does not hold for this one; what a move leaves out needs no notice.
            settings.fit(models, None);
            settings.fit_scale(self.guide, listed(&settings.model).guidance);
        } else {
            problems.extend(settings.fit(models, facts));
            problems.extend(settings.fit_scale(self.guide, preset.guidance));
        }
        Checked { settings, page: next_page, problems }.with_used()
    }

    /// Settings taken from a model that starts with `from` to one that starts with `to`: what stands as the one before
    /// has it will be as the other has it, and what a person or a link has set stays.
    #[must_use]
    pub fn moved(&self, from: &Self, to: &Self) -> Self {
        let mut next = self.clone();
        for row in Self::TABLE {
            if CLASSES.contains(&row.key) || row.get(self) == row.get(from) {
                // What a preset has, its row takes.
                let _ = row.set(&mut next, &row.get(to));
            }
        }
        next.knobs.retain(|id, value| from.knobs.get(id) != Some(value));
        if next.sampler == to.sampler {
            to.knobs.iter().for_each(|(id, value)| _ = next.knobs.entry(id).or_insert(*value));
        }
        next
    }
}

/// Every key that a link to a run with this sampler can have.
fn known<X>(method: &Method<X>) -> impl Iterator<Item = &'static str> {
    let page = Settings::PAGE.iter().map(|row| row.key);
    Settings::TABLE.iter().map(|row| row.key).chain(page).chain(method.knobs.iter().map(|knob| knob.id))
}

/// Settings that speak of classes, which are each model's own.
const CLASSES: [&str; 2] = ["class", "guide"];

impl Linked for Settings {
    const VIEW: Option<&'static str> = None;
    const TABLE: &'static [super::Row<Self>] = super::TABLE;
    const PAGE: &'static [super::Row<Page>] = super::PAGE;

    /// The parameters of the sampler.
    fn take_others(&mut self, others: Vec<(String, Value)>) -> Vec<Problem> {
        let Ok(method) = self.method::<f64>() else { return Vec::new() };
        let rows = methods::<f64>();
        let mut problems = Vec::new();
        for (key, value) in others {
            let Some(knob) = knob(&method, &key) else {
                let of_another = rows.iter().any(|row| super::fit::knob(row, &key).is_some());
                let foreign = || Some(Problem::new(&key, &value, no_knob(&method)));
                problems.extend(if of_another { foreign() } else { unknown(&key, &value, known(&method)) });
                continue;
            };
            match judged(knob, &value) {
                Ok(number) => _ = self.knobs.insert(knob.id, number),
                Err(reason) => problems.push(Problem::new(&key, &value, reason)),
            }
        }
        problems
    }

    fn others(&self) -> Vec<(&'static str, Value)> {
        self.knobs.iter().map(|(id, value)| (*id, Value::Number(*value))).collect()
    }
}
