//! What became of a folder's cases, by family or by sampler.

use super::{Outcome, Replayed};
use crate::samplers::methods;
use std::fmt;

/// What cases are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// What their ids begin with; of k-diffusion's, which are one family, each function is its own.
    Family,
    /// The sampler of this library that replays them. Those that none replays are one group.
    Sampler,
}

/// The outcomes of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// The largest `|dx| / (1 + |x|)` of a case that was compared.
    pub worst: f64,
}

/// Counts the outcomes of each group: families in the order in which they come first, samplers in that of their table.
pub fn summary(replayed: &[Replayed], by: By) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for case in replayed {
        let name = match by {
            By::Family => family(&case.id),
            By::Sampler => case.sampler.unwrap_or("none").to_owned(),
        };
        let at = groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
            groups.push(Group { name, passed: 0, failed: 0, skipped: 0, worst: 0.0 });
            groups.len() - 1
        });
        let group = &mut groups[at];
        match case.outcome {
            Outcome::Passed { worst } => (group.passed, group.worst) = (group.passed + 1, group.worst.max(worst)),
            Outcome::Failed { worst, .. } => (group.failed, group.worst) = (group.failed + 1, group.worst.max(worst)),
            Outcome::Skipped { .. } => group.skipped += 1,
        }
    }
    if by == By::Sampler {
        let rows = methods::<f64>();
        groups.sort_by_key(|group| rows.iter().position(|row| row.id == group.name));
    }
    groups
}

/// `family.variant.nN` or `kdiff.function.variant.nN`.
fn family(id: &str) -> String {
    let parts = if id.starts_with("kdiff.") { 2 } else { 1 };
    id.split('.').take(parts).collect::<Vec<_>>().join(" ")
}

/// A row of a Markdown table under [`Group::HEAD`].
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, passed, failed, skipped, worst } = self;
        write!(f, "| {name} | {} | {passed} | {failed} | {skipped} | {worst:.0e} |", passed + failed + skipped)
    }
}

impl Group {
    /// The head of the Markdown table whose rows groups are.
    pub const HEAD: &str =
        "| trajectories of | cases | passed | failed | skipped | worst deviation |\n|---|---|---|---|---|---|";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_and_written_as_a_table() {
        let case =
            |id: &str, outcome| Replayed { id: id.to_owned(), sampler: id.contains("ddim").then_some("ddim"), outcome };
        let failed = Outcome::Failed { worst: 0.5, reason: "far".to_owned() };
        let replayed = [
            case("ddim.a.n5", Outcome::Passed { worst: 1e-14 }),
            case("kdiff.heun.a.n5", Outcome::Skipped { reason: "why".to_owned() }),
            case("ddim.b.n5", failed),
            case("kdiff.lms.a.n5", Outcome::Passed { worst: 3e-12 }),
        ];
        let rows = |by| summary(&replayed, by).iter().map(Group::to_string).collect::<Vec<_>>();
        assert_eq!(rows(By::Sampler), ["| none | 2 | 1 | 0 | 1 | 3e-12 |", "| ddim | 2 | 1 | 1 | 0 | 5e-1 |"]);
        assert_eq!(
            rows(By::Family),
            [
                "| ddim | 2 | 1 | 1 | 0 | 5e-1 |",
                "| kdiff heun | 1 | 0 | 0 | 1 | 0e0 |",
                "| kdiff lms | 1 | 1 | 0 | 0 | 3e-12 |"
            ]
        );
    }
}
