//! A prompt, and the weights that its words are given.

/// The weight of a text in round brackets, and the inverse of that in square ones.
const STEP: f64 = 1.1;

/// A text, in parts of one weight each.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// As it was typed.
    pub text: String,
    parts: Vec<(String, f64)>,
}

impl Prompt {
    /// Every character counts as it stands.
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), parts: vec![(text.to_owned(), 1.0)] }
    }

    /// Weighted as AUTOMATIC1111's web UI writes it: `(a)` is 1.1 times as strong, `[a]` 1.1 times less, `(a:1.3)` 1.3 times
    /// as strong, brackets in brackets multiply, and one after a backslash is a character like any other. A bracket that is never
    /// closed reaches to the end. `BREAK` is a word like any other, as there is one chunk of tokens.
    pub fn weighted(text: &str) -> Self {
        Self { text: text.to_owned(), parts: parse(text) }
    }

    /// The parts with their weights, in order.
    pub fn parts(&self) -> &[(String, f64)] {
        &self.parts
    }

    /// Whether it says anything else than its characters.
    pub fn is_plain(&self) -> bool {
        matches!(&self.parts[..], [(text, 1.0)] if *text == self.text)
    }
}

fn parse(text: &str) -> Vec<(String, f64)> {
    let mut parts: Vec<(String, f64)> = Vec::new();
    let (mut round, mut square) = (Vec::new(), Vec::new());
    let mut rest = text;
    let multiply = |parts: &mut Vec<(String, f64)>, from: usize, by: f64| {
        parts.iter_mut().skip(from).for_each(|(_, weight)| *weight *= by);
    };
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        let mut literal = None;
        match first {
            '\\' => {
                // What follows, if it is one that has a meaning, loses it; the backslash itself is not read.
                let escaped = rest[1..].chars().next().filter(|c| "()[]\\".contains(*c));
                length += escaped.map_or(0, char::len_utf8);
                literal = escaped.map(String::from);
            }
            '(' => round.push(parts.len()),
            '[' => square.push(parts.len()),
            ':' => match weight(rest).filter(|_| !round.is_empty()) {
                Some((by, read)) => {
                    multiply(&mut parts, round.pop().unwrap_or_default(), by);
                    length = read;
                }
                None => literal = Some(":".to_owned()),
            },
            ')' | ']' => {
                let (open, by) = if first == ')' { (&mut round, STEP) } else { (&mut square, STEP.recip()) };
                match open.pop() {
                    Some(from) => multiply(&mut parts, from, by),
                    None => literal = Some(first.to_string()),
                }
            }
            _ => {
                length = rest.find(['\\', '(', ')', '[', ']', ':']).unwrap_or(rest.len());
                literal = Some(rest[..length].to_owned());
            }
        }
        parts.extend(literal.map(|literal| (literal, 1.0)));
        rest = &rest[length..];
    }
    for (open, by) in [(round, STEP), (square, STEP.recip())] {
        open.into_iter().for_each(|from| multiply(&mut parts, from, by));
    }
    let mut joined: Vec<(String, f64)> = Vec::new();
    for (text, weight) in parts {
        match joined.last_mut().filter(|(_, last)| *last == weight) {
            Some((last, _)) => last.push_str(&text),
            None => joined.push((text, weight)),
        }
    }
    joined
}

/// The weight that closes a bracket, `:1.3)`, and how many bytes it takes; white space may stand around the number.
fn weight(text: &str) -> Option<(f64, usize)> {
    let (inner, _) = text.strip_prefix(':')?.split_once(')')?;
    let number = inner.trim();
    let plain = number.trim_start_matches(['+', '-']).chars().all(|c| c == '.' || c.is_ascii_digit());
    let by = number.parse::<f64>().ok().filter(|by| plain && by.is_finite())?;
    Some((by, inner.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<(String, f64)> {
        Prompt::weighted(text).parts
    }

    fn check(text: &str, expected: &[(&str, f64)]) {
        let found = parts(text);
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|((a, x), (b, y))| a == b && (x - y).abs() < 1e-12);
        assert!(same, "{text}: {found:?}");
    }

    #[test]
    fn brackets_weigh_what_stands_in_them() {
        check("a red heart", &[("a red heart", 1.0)]);
        check("a (red) heart", &[("a ", 1.0), ("red", 1.1), (" heart", 1.0)]);
        check("a [red] heart", &[("a ", 1.0), ("red", 1.0 / 1.1), (" heart", 1.0)]);
        check("a (red:1.3) heart", &[("a ", 1.0), ("red", 1.3), (" heart", 1.0)]);
        check("(red: 0.5 )", &[("red", 0.5)]);
        check("((red) heart)", &[("red", 1.1 * 1.1), (" heart", 1.1)]);
        check("([red])", &[("red", 1.0)]);
        // A number belongs to the bracket that it closes alone.
        check("((red:1.5) heart)", &[("red", 1.5 * 1.1), (" heart", 1.1)]);
        check("(心:-1)", &[("心", -1.0)]);
        // Neighbours of one weight are one part.
        check("(a)(b)", &[("ab", 1.1)]);
    }

    #[test]
    fn brackets_that_do_not_match_reach_to_the_end_or_are_characters() {
        check("a (red", &[("a ", 1.0), ("red", 1.1)]);
        check("[[red", &[("red", 1.0 / 1.21)]);
        check("red) and ]", &[("red) and ]", 1.0)]);
        check("12:30 and :1.2)", &[("12:30 and :1.2)", 1.0)]);
        check("(a:1.2.3)", &[("a:1.2.3", 1.1)]);
        check("(a:inf)", &[("a:inf", 1.1)]);
        check("", &[]);
        check("()", &[]);
    }

    #[test]
    fn a_backslash_makes_a_bracket_a_character() {
        check(r"\(red\) \[x\] \\", &[(r"(red) [x] \", 1.0)]);
        check(r"(a\):1.2)", &[("a)", 1.2)]);
        check(r"a\b", &[("ab", 1.0)]);
        check("a\\", &[("a", 1.0)]);
        assert!(Prompt::weighted("red").is_plain());
        assert!(!Prompt::weighted(r"\(").is_plain());
        assert!(!Prompt::weighted("(red)").is_plain());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in r"[()\[\]\\:.0-9a心 -]{0,40}") {
            prop_assert!(parts(&text).iter().all(|(_, weight)| !weight.is_nan()));
        }

        #[test]
        fn a_text_without_marks_is_itself(text in r"[^()\[\]\\]{1,40}") {
            prop_assert_eq!(parts(&text), vec![(text, 1.0)]);
        }
    }
}
