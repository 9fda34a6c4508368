//! Numbers and names in sentences.

/// `1 image`, `2 images`, `3 classes`: how many there are of what `noun` names in the singular.
pub fn count(n: usize, noun: &str) -> String {
    let hisses = ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end));
    match (n, hisses) {
        (1, _) => format!("1 {noun}"),
        (_, true) => format!("{n} {noun}es"),
        (_, false) => format!("{n} {noun}s"),
    }
}

/// The one of `known` that `word` may be a slip of: at most a third of its letters added, left out, changed or swapped with
/// the next one, whatever their case.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let word = letters(word);
    let most = word.len().div_ceil(3).min(3);
    // One whose length is further away is not looked at, so that a word of any length costs next to nothing.
    let near = known.into_iter().map(|id| (letters(id), id)).filter(|(id, _)| id.len().abs_diff(word.len()) <= most);
    let far = near.map(|(letters, id)| (slips(&word, &letters), id));
    far.filter(|(far, _)| *far <= most && *far < word.len()).min_by_key(|(far, _)| *far).map(|(_, id)| id)
}

/// How many slips lead from one word to another: the distance of optimal string alignment.
fn slips(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_a_name_is_found() {
        let known = ["euler", "euler-ancestral", "heun", "ddim", "ddpm", "dpmpp-2m"];
        for (word, meant) in [
            ("eulr", Some("euler")),
            ("Euler", Some("euler")),
            ("eluer", Some("euler")),
            ("euler-ancestrall", Some("euler-ancestral")),
            ("dpmpp2m", Some("dpmpp-2m")),
            ("dpm++2m", Some("dpmpp-2m")),
            ("huen", Some("heun")),
            ("magic", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn one_is_singular() {
        for (n, noun, said) in
            [(0, "image", "0 images"), (1, "step", "1 step"), (2, "class", "2 classes"), (1, "class", "1 class")]
        {
            assert_eq!(count(n, noun), said);
        }
    }
}
