//! Options made of the settings table: one a row, and one a parameter of the samplers.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use unnoise::samplers::methods;
use unnoise::settings::{Linked, Problem, Settings, Value};
use unnoise::words::nearest;

/// Which rows a command has no option for, as it has its own word on them.
pub trait Except {
    const KEYS: &'static [&'static str];
}

/// The settings that the options name, by their keys.
pub struct SettingsArgs<E> {
    pub pairs: Vec<(String, Value)>,
    except: PhantomData<E>,
}

/// The key of the options that name any setting.
const SET: &str = "set";

/// A setting with its value, from `key=value`.
///
/// # Errors
/// No setting has that key, or it does not take that value.
pub fn pair(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    checked(key, value).map(|value| (key.to_owned(), value))
}

/// A value that some sampler takes for this key.
fn checked(key: &str, text: &str) -> Result<Value, String> {
    let value = Value::from(text);
    if let Some(row) = Settings::row(key) {
        let problem = row.set(&mut Settings::default(), &value).err();
        let said = |problem: Problem| format!("{key} must be {}{}", problem.reason, problem.reason.hint());
        return problem.map_or(Ok(value), |problem| Err(said(problem)));
    }
    let knobs = parameters();
    let ranges = knobs.get(key).ok_or_else(|| {
        let known = Settings::TABLE.iter().map(|row| row.key).chain(knobs.keys().copied());
        let hint = nearest(key, known).map_or(String::new(), |meant| format!("; did you mean {meant}?"));
        format!("there is no setting {key}{hint}")
    })?;
    let number: f64 = text.parse().map_err(|_| format!("{key} must be a number"))?;
    match ranges.iter().any(|(_, [min, max])| (*min..=*max).contains(&number)) {
        true => Ok(value),
        false => Err(format!("{key} must be a number {}", said(ranges))),
    }
}

/// The samplers that have a parameter, each with the limits that it has there.
type Ranges = Vec<(&'static str, [f64; 2])>;

/// The parameters of all samplers, by their ids.
fn parameters() -> BTreeMap<&'static str, Ranges> {
    let mut all: BTreeMap<_, Ranges> = BTreeMap::new();
    for method in methods::<f64>() {
        for knob in method.knobs {
            all.entry(knob.id).or_default().push((method.id, [knob.min, knob.max]));
        }
    }
    all
}

/// The widest limits in words.
fn said(ranges: &Ranges) -> String {
    let min = ranges.iter().map(|(_, [min, _])| *min).fold(f64::INFINITY, f64::min);
    let max = ranges.iter().map(|(_, [_, max])| *max).fold(f64::NEG_INFINITY, f64::max);
    format!("from {min} to {max}")
}

impl<E: Except> Args for SettingsArgs<E> {
    fn augment_args(command: Command) -> Command {
        let option = |key: &'static str, help: String| {
            let arg = Arg::new(key).long(key).help(help).allow_hyphen_values(true);
            arg.value_name("VALUE").value_parser(move |text: &str| checked(key, text))
        };
        let rows = Settings::TABLE.iter().filter(|row| !E::KEYS.contains(&row.key));
        let rows = rows.map(|row| {
            let takes = match (row.options(), row.limits()) {
                (Some(options), _) if options.len() < 5 => format!(": {}", options.join(", ")),
                (_, Some([min, max])) => format!(", {min} to {max}"),
                _ => String::new(),
            };
            let default = match row.default().to_string() {
                none if none.is_empty() => "none".to_owned(),
                default => default,
            };
            let help = format!("{}{takes} [default: the model's, or {default}]", row.about);
            option(row.key, help).help_heading("Settings")
        });
        let knobs = parameters().into_iter().map(|(key, ranges)| {
            let (limits, names) = (said(&ranges), ranges.iter().map(|(id, _)| *id).collect::<Vec<_>>());
            let names = match &names[..] {
                [first, second, third, _, ..] => format!("{first}, {second}, {third} and others"),
                few => few.join(", "),
            };
            option(key, format!("Of {names}, {limits}")).help_heading("Parameters of samplers")
        });
        let set = Arg::new(SET).long(SET).value_name("KEY=VALUE").value_parser(pair).action(ArgAction::Append);
        let set = set.help("Any of these as a link has it; may be given often").help_heading("Settings");
        command.args(rows).args(knobs).arg(set)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<E: Except> FromArgMatches for SettingsArgs<E> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let keys = Settings::TABLE.iter().map(|row| row.key).filter(|key| !E::KEYS.contains(key));
        let keys = keys.chain(parameters().into_keys());
        let named = keys.filter_map(|key| Some((key.to_owned(), matches.get_one::<Value>(key)?.clone())));
        let set = matches.get_many::<(String, Value)>(SET).into_iter().flatten().cloned();
        Ok(Self { pairs: named.chain(set).collect(), except: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
