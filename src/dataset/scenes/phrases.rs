//! The phrases that captions are made of.

use super::python::PythonRandom;
use super::words::Entry;

/// The folders of `emojibase-data` for each language.
pub const LANGUAGES: [&str; 2] = ["en", "zh"];
/// Groups of emoji by the names that the index gives them, and as captions call them.
pub const GROUPS: [(&str, [&str; 2]); 8] = [
    ("Smileys and emotions", ["smileys and emotions", "表情"]),
    ("People", ["people", "人物"]),
    ("Animals and nature", ["animals and nature", "动物与自然"]),
    ("Food and drink", ["food and drink", "食物与饮料"]),
    ("Travel and places", ["travel and places", "旅行与地点"]),
    ("Activities and events", ["activities", "活动"]),
    ("Objects", ["objects", "物品"]),
    ("Symbols", ["symbols", "符号"]),
];
pub const COLOURS: [&str; 10] =
    ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey"];
pub const COLOURS_ZH: [&str; 10] = ["红", "橙", "黄", "绿", "蓝", "紫", "粉", "棕", "黑", "灰"];
/// Two, three and four.
const COUNTS: [[&str; 2]; 3] = [["two", "两"], ["three", "三"], ["four", "四"]];
const PLURALS: [(&str, &str); 24] = [
    ("fish", "fish"),
    ("sheep", "sheep"),
    ("deer", "deer"),
    ("bison", "bison"),
    ("squid", "squid"),
    ("shrimp", "shrimp"),
    ("man", "men"),
    ("woman", "women"),
    ("person", "people"),
    ("child", "children"),
    ("mouse", "mice"),
    ("goose", "geese"),
    ("ox", "oxen"),
    ("leaf", "leaves"),
    ("knife", "knives"),
    ("wolf", "wolves"),
    ("tooth", "teeth"),
    ("foot", "feet"),
    ("potato", "potatoes"),
    ("tomato", "tomatoes"),
    ("mango", "mangoes"),
    ("bread", "bread"),
    ("rice", "rice"),
    ("broccoli", "broccoli"),
];

/// A language of captions: English or Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

/// How one of a pair stands to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Left,
    Right,
    Above,
    Below,
}

impl Layout {
    pub fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
            Self::Above => Self::Below,
            Self::Below => Self::Above,
        }
    }
}

fn with_article(phrase: &str) -> String {
    let vowel = phrase.chars().next().is_none_or(|first| "aeiou".contains(first));
    format!("{} {phrase}", if vowel { "an" } else { "a" })
}

fn plural(phrase: &str) -> String {
    let (before, last) =
        phrase.rsplit_once(' ').map_or(("", phrase), |(_, last)| phrase.split_at(phrase.len() - last.len()));
    let ends = |endings: &[&str]| endings.iter().any(|ending| last.ends_with(ending));
    let known = PLURALS.iter().find(|(one, _)| *one == last).map(|(_, many)| (*many).to_owned());
    let many = known.unwrap_or_else(|| {
        if ends(&["s"]) && !ends(&["ss"]) {
            last.to_owned()
        } else if ends(&["s", "x", "ch", "sh"]) {
            format!("{last}es")
        } else if let Some(stem) = last.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
            format!("{stem}ies")
        } else {
            format!("{last}s")
        }
    });
    format!("{before}{many}")
}

pub fn coloured(thing: &str, colour: Option<usize>, language: Language, rng: &mut PythonRandom) -> String {
    match (colour, language) {
        (None, _) => thing.to_owned(),
        (Some(colour), Language::English) => format!("{} {thing}", COLOURS[colour]),
        (Some(colour), Language::Chinese) => {
            format!("{}{}{thing}", COLOURS_ZH[colour], rng.choice(&["色的", "色的", "色", ""]))
        }
    }
}

/// The phrase with its article or its number, from 1 to 4.
pub fn measured(phrase: &str, count: usize, animal: bool, language: Language, rng: &mut PythonRandom) -> String {
    let number = |language: Language| COUNTS[count - 2][language as usize];
    match language {
        Language::English if count == 1 => with_article(phrase),
        Language::English => format!("{} {}", number(language), plural(phrase)),
        Language::Chinese => {
            let measure = if animal && rng.random() < 0.6 { "只" } else { "个" };
            format!("{}{measure}{phrase}", if count == 1 { "一" } else { number(language) })
        }
    }
}

/// A single thing as people ask for it: bare more often than not.
pub fn framed(phrase: &str, language: Language, rng: &mut PythonRandom) -> String {
    let draw = rng.random();
    match language {
        Language::English if draw < 0.5 => phrase.to_owned(),
        Language::English if draw < 0.75 => with_article(phrase),
        Language::English if draw < 0.82 => format!("{phrase} emoji"),
        Language::English if draw < 0.88 => format!("an emoji of {}", with_article(phrase)),
        Language::English if draw < 0.94 => format!("a picture of {}", with_article(phrase)),
        Language::English => format!("the {phrase}"),
        Language::Chinese if draw < 0.6 => phrase.to_owned(),
        Language::Chinese if draw < 0.8 => format!("一个{phrase}"),
        Language::Chinese if draw < 0.87 => format!("{phrase}的图片"),
        Language::Chinese if draw < 0.94 => format!("画一个{phrase}"),
        Language::Chinese => format!("{phrase}表情"),
    }
}

/// A picture as it is: by its name, by keywords, or by both.
pub fn single(entry: &Entry, language: Language, natural: Option<usize>, rng: &mut PythonRandom) -> String {
    let said = language as usize;
    let (tags, draw) = (&entry.tags[said], rng.random());
    if draw < 0.12 && natural.is_some() {
        let phrase = coloured(&entry.thing[said], natural, language, rng);
        return framed(&phrase, language, rng);
    }
    if draw < 0.58 || tags.is_empty() {
        let named = if entry.base && rng.random() < 0.3 { &entry.thing } else { &entry.name };
        return framed(&named[said], language, rng);
    }
    if draw < 0.80 {
        let tag = rng.choice(tags);
        return framed(tag, language, rng);
    }
    let comma = if rng.random() < 0.7 { [", ", "，"][said] } else { " " };
    if draw < 0.90 {
        let count = *rng.choice(&[2, 3]);
        let some = rng.sample(tags, tags.len().min(count));
        return some.into_iter().map(String::as_str).collect::<Vec<_>>().join(comma);
    }
    let before = if draw < 0.97 { &entry.name[said] } else { GROUPS[entry.group].1[said] };
    format!("{before}{comma}{}", rng.choice(tags))
}

pub fn mirrored(phrase: &str, language: Language, rng: &mut PythonRandom) -> String {
    let [before, after] = *rng.choice(match language {
        Language::English => &[["mirrored ", ""], ["", ", mirrored"], ["a mirrored ", ""], ["", " mirrored"]],
        Language::Chinese => &[["镜像的", ""], ["", "，镜像"], ["左右翻转的", ""], ["", "镜像"]],
    });
    format!("{before}{phrase}{after}")
}

pub fn sized(phrase: &str, small: bool, language: Language, rng: &mut PythonRandom) -> String {
    let words = match (language, small) {
        (Language::English, true) => &["small ", "tiny ", "little "],
        (Language::English, false) => &["large ", "big ", "huge "],
        (Language::Chinese, true) => &["小", "小小的", "很小的"],
        (Language::Chinese, false) => &["大", "大大的", "巨大的"],
    };
    let word = rng.choice(words);
    let article = rng.choice(&[["", ""], ["a ", "一个"]])[language as usize];
    format!("{article}{word}{phrase}")
}

/// Two phrases with their articles; `layout` is how the first stands to the second.
pub fn pair(first: &str, second: &str, layout: Layout, language: Language, rng: &mut PythonRandom) -> String {
    if rng.random() < 0.5 {
        let between = rng.choice(match language {
            Language::English => &[" and ", " and ", " next to ", " with "],
            Language::Chinese => &["和", "和", "与", "，"],
        });
        return format!("{first}{between}{second}");
    }
    match (language, layout) {
        (Language::English, Layout::Above) => format!("{first} above {second}"),
        (Language::English, Layout::Below) => format!("{first} below {second}"),
        (Language::English, _) => {
            let side = if layout == Layout::Left { "left" } else { "right" };
            let toward = rng.choice(&["to the ", ""]);
            format!("{first} {toward}{side} of {second}")
        }
        (Language::Chinese, _) => {
            let side = match layout {
                Layout::Left => "左边",
                Layout::Right => "右边",
                Layout::Above => "上面",
                Layout::Below => "下面",
            };
            format!("{first}在{second}{}{side}", rng.choice(&["", "的"]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_has_articles_and_plurals() {
        assert_eq!(["apple", "cat"].map(with_article), ["an apple", "a cat"]);
        let plurals = ["star", "red fish", "berry", "box", "snow man", "scissors", "glass", "toy"].map(plural);
        assert_eq!(plurals, ["stars", "red fish", "berries", "boxes", "snow men", "scissors", "glasses", "toys"]);
    }
}
