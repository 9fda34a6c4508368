//! Numbers in sentences.

/// `1 image`, `2 images`, `3 classes`: how many there are of what `noun` names in the singular.
pub fn count(n: usize, noun: &str) -> String {
    let hisses = ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end));
    match (n, hisses) {
        (1, _) => format!("1 {noun}"),
        (_, true) => format!("{n} {noun}es"),
        (_, false) => format!("{n} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        for (n, noun, said) in
            [(0, "image", "0 images"), (1, "step", "1 step"), (2, "class", "2 classes"), (1, "class", "1 class")]
        {
            assert_eq!(count(n, noun), said);
        }
    }
}
