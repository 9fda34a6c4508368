//! What became of a folder's cases, family by family.

use super::{Outcome, Replayed};
use std::fmt;

/// The outcomes of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// What the ids of its cases begin with; of k-diffusion's, which are one family, each function is its own.
    pub name: String,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// The largest `|dx| / (1 + |x|)` of a case that was compared.
    pub worst: f64,
}

/// Counts the outcomes of each family, in the order in which the families come first.
pub fn summary(replayed: &[Replayed]) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for case in replayed {
        let name = name(&case.id);
        let at = families.iter().position(|family| family.name == name).unwrap_or_else(|| {
            families.push(Family { name, passed: 0, failed: 0, skipped: 0, worst: 0.0 });
            families.len() - 1
        });
        let family = &mut families[at];
        match case.outcome {
            Outcome::Passed { worst } => (family.passed, family.worst) = (family.passed + 1, family.worst.max(worst)),
            Outcome::Failed { worst, .. } => {
                (family.failed, family.worst) = (family.failed + 1, family.worst.max(worst))
            }
            Outcome::Skipped { .. } => family.skipped += 1,
        }
    }
    families
}

/// `family.variant.nN` or `kdiff.function.variant.nN`.
fn name(id: &str) -> String {
    let parts = if id.starts_with("kdiff.") { 2 } else { 1 };
    id.split('.').take(parts).collect::<Vec<_>>().join(" ")
}

/// A row of a Markdown table under [`Family::HEAD`].
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, passed, failed, skipped, worst } = self;
        write!(f, "| {name} | {} | {passed} | {failed} | {skipped} | {worst:.0e} |", passed + failed + skipped)
    }
}

impl Family {
    /// The head of the Markdown table whose rows families are.
    pub const HEAD: &str =
        "| family | cases | passed | failed | skipped | worst deviation |\n|---|---|---|---|---|---|";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_counted_and_written_as_a_table() {
        let case = |id: &str, outcome| Replayed { id: id.to_owned(), outcome };
        let failed = Outcome::Failed { worst: 0.5, reason: "far".to_owned() };
        let replayed = [
            case("ddim.a.n5", Outcome::Passed { worst: 1e-14 }),
            case("kdiff.heun.a.n5", Outcome::Skipped { reason: "why".to_owned() }),
            case("ddim.b.n5", failed),
            case("kdiff.lms.a.n5", Outcome::Passed { worst: 3e-12 }),
        ];
        let rows: Vec<String> = summary(&replayed).iter().map(Family::to_string).collect();
        assert_eq!(
            rows,
            [
                "| ddim | 2 | 1 | 1 | 0 | 5e-1 |",
                "| kdiff heun | 1 | 0 | 0 | 1 | 0e0 |",
                "| kdiff lms | 1 | 1 | 0 | 0 | 3e-12 |"
            ]
        );
    }
}
