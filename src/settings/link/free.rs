//! Texts of people in a link.
//!
//! What mail programs and chats do to a link is undone before it is read (see [`super::repair`]), and that would change a
//! text that has a separator, an invisible character or a full stop at its end of its own. Such characters are written as
//! `~` with the hexadecimal code point and `-`: `salt ~26- pepper`.

use super::repair::{ESCAPED, INVISIBLE, TRAILING};

/// Begins and ends the code point of a character.
const BEGIN: char = '~';
const END: char = '-';

/// `text` without the characters that a link does not carry unchanged.
pub fn escaped(text: &str) -> String {
    escaped_with(text, &[])
}

/// The same without these characters, which separate something in it.
pub fn escaped_with(text: &str, separators: &[char]) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        let at_an_end = (i == 0 || i == last) && c.is_whitespace() || i == last && TRAILING.contains(&c);
        let separates = ['&', '=', '#', '%', BEGIN].contains(&c)
            || separators.contains(&c)
            || ESCAPED.iter().any(|(form, _)| form.starts_with(c));
        if separates || at_an_end || INVISIBLE.contains(&c) {
            out.push_str(&format!("{BEGIN}{:x}{END}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// The text that [`escaped`] was made from. What is no code point between the two marks stays as it is.
pub fn unescaped(text: &str) -> String {
    let mut parts = text.split(BEGIN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let character = |(code, rest)| Some((u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?, rest));
        match part.split_once(END).and_then(character) {
            Some((c, rest)) => {
                out.push(c);
                out.push_str(rest);
            }
            None => {
                out.push(BEGIN);
                out.push_str(part);
            }
        }
    }
    out
}
