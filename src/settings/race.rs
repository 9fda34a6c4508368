//! A race of samplers, as a link has it: who runs, with how many evaluations of the model, and towards what, as in
//! `ddim,heun:5,10,20,50:1000`.

use super::problem::{Reason, one_of, unknown_sampler};
use crate::samplers::{method, methods};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Samplers whose distance from their limit is measured at some numbers of evaluations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Race {
    /// Ids of samplers with a limit, each once.
    pub samplers: Vec<&'static str>,
    /// Rising.
    pub evaluations: Vec<usize>,
    pub reference: Reference,
}

/// The run whose end stands for the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// So many steps.
    Steps(usize),
    /// The adaptive method of order 5 at its smallest tolerance. It ends where the ODE does; a sampler that draws noise is compared
    /// with [`Reference::USUAL`] steps of its own.
    Dopri5,
}

impl Reference {
    pub const STEPS: RangeInclusive<usize> = 1..=100_000;
    /// Where nothing is said.
    pub const USUAL: usize = 1000;
    /// The word for the adaptive one.
    pub const DOPRI5: &'static str = "dopri5";

    /// Steps of a sampler that has a limit of its own.
    pub fn own_steps(self) -> usize {
        match self {
            Self::Steps(steps) => steps,
            Self::Dopri5 => Self::USUAL,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => steps.fmt(f),
            Self::Dopri5 => f.write_str(Self::DOPRI5),
        }
    }
}

impl FromStr for Reference {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let steps = || text.parse().ok().filter(|steps| Self::STEPS.contains(steps)).map(Self::Steps);
        let known = Reason::Form { form: "a number of steps from 1 to 100000, or dopri5", example: "1000" };
        if text == Self::DOPRI5 { Ok(Self::Dopri5) } else { steps().ok_or(known) }
    }
}

impl Race {
    /// Of the model, that a sampler may be given.
    pub const EVALUATIONS: RangeInclusive<usize> = 1..=1000;
    /// Where nothing is said.
    pub const USUAL: [usize; 4] = [5, 10, 20, 50];
    /// A race of these samplers, as usual.
    pub fn of(samplers: Vec<&'static str>) -> Self {
        Self { samplers, evaluations: Self::USUAL.to_vec(), reference: Reference::Steps(Reference::USUAL) }
    }

    /// The most samplers, which are told apart by colours, and the most numbers of evaluations.
    pub const MOST: [usize; 2] = [8, 12];
}

impl FromStr for Race {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let form = || Reason::Form {
            form: "up to 8 samplers, and up to 12 numbers of evaluations from 1 to 1000 and a reference after colons",
            example: "ddim,heun:5,10,20:1000",
        };
        let parts: Vec<&str> = text.split(':').collect();
        let (ids, evaluations, reference) = match parts[..] {
            [ids] => (ids, "", ""),
            [ids, evaluations] => (ids, evaluations, ""),
            [ids, evaluations, reference] => (ids, evaluations, reference),
            _ => return Err(form()),
        };
        let mut samplers = Vec::new();
        for id in listed(ids) {
            let known = method::<f64>(id).ok_or_else(|| unknown_sampler(id))?;
            if !known.has_limit() {
                return Err(one_of(id, methods::<f64>().into_iter().filter(|m| m.has_limit()).map(|m| m.id)));
            }
            if !samplers.contains(&known.id) {
                samplers.push(known.id);
            }
        }
        let number = |text: &str| text.parse().ok().filter(|n| Self::EVALUATIONS.contains(n)).ok_or_else(form);
        let mut counts = listed(evaluations).map(number).collect::<Result<Vec<_>, _>>()?;
        if counts.is_empty() {
            counts = Self::USUAL.to_vec();
        }
        counts.sort_unstable();
        counts.dedup();
        let [most_samplers, most_counts] = Self::MOST;
        if samplers.is_empty() || samplers.len() > most_samplers || counts.len() > most_counts {
            return Err(form());
        }
        let reference =
            if reference.trim().is_empty() { Reference::Steps(Reference::USUAL) } else { reference.trim().parse()? };
        Ok(Self { samplers, evaluations: counts, reference })
    }
}

/// What stands between commas.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

impl fmt::Display for Race {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self.evaluations.iter().map(usize::to_string).collect();
        write!(f, "{}:{}:{}", self.samplers.join(","), counts.join(","), self.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Race>().map(|race| race.to_string()).map_err(|reason| reason.to_string())
    }

    #[test]
    fn a_race_reads_back() {
        for text in ["ddim:5:1000", "ddim,heun,dpmpp-2m:5,10,20,50:1000", "euler-ancestral,dopri5:3,1000:dopri5"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        // What is left out is as usual; numbers rise, and nothing stands twice.
        assert_eq!(read("heun").as_deref(), Ok("heun:5,10,20,50:1000"));
        assert_eq!(read(" heun , ddim,heun: 20,5, 20").as_deref(), Ok("heun,ddim:5,20:1000"));
    }

    #[test]
    fn what_cannot_race_is_one_sentence() {
        for text in
            ["", ":5", "ddim:0", "ddim:1001", "ddim:5:1000:7", "ddim:five", "ddim:1,2,3,4,5,6,7,8,9,10,11,12,13"]
        {
            assert!(read(text).is_err_and(|said| said.starts_with("up to 8 samplers")), "{text}");
        }
        for text in ["ddim:5:0", "ddim:5:heun", "ddim:5:100001"] {
            assert!(read(text).is_err_and(|said| said.contains("or dopri5")), "{text}");
        }
        assert!(read("huen").is_err_and(|said| said.starts_with("one of")));
        // A sampler of few steps is trained to end where it does; more steps lead it nowhere else.
        assert!(read("lcm").is_err_and(|said| said.starts_with("one of") && !said.contains("lcm")));
    }
}
