//! Captions that are not true of a scene, to tell from those that are.

use super::phrases::{self, COLOURS, Language, Layout};
use super::python::PythonRandom;
use super::scene::{Kind, Part, Scene, Scenes};

/// How many of the same a scene can be of.
const COUNTS: [usize; 3] = [2, 3, 4];
/// Things among which another one is looked for.
const THINGS: usize = 8;

impl Scenes {
    /// Whether there is another emoji than a scene's own, which [`wrong`](Self::wrong) needs.
    pub fn has_others(&self) -> bool {
        self.bases.len() > 1
    }

    /// A caption that is not true of the scene: one fact changed where the scene is of several, else another scene's.
    pub fn wrong(&self, scene: &Scene, rng: &mut PythonRandom) -> String {
        let (part, language) = (&scene.parts[0], scene.language);
        match scene.kind {
            Kind::Plain => another(part, || self.plain(rng, language)),
            Kind::Mirrored => another(part, || self.mirrored(rng, language)),
            Kind::Sized => another(part, || self.sized(rng, language)),
            Kind::Coloured => {
                let colour = another_colour(part, rng);
                self.of_colour(part.index, colour, language, rng)
            }
            Kind::Counts => {
                let others: Vec<usize> = COUNTS.into_iter().filter(|count| *count != scene.parts.len()).collect();
                let count = *rng.choice(&others);
                self.phrase(part.index, part.colour, count, language, rng)
            }
            Kind::Pairs(layout) => self.wrong_pair(&scene.parts, layout, language, rng),
        }
    }

    /// One of the two in another colour, or another thing in its place.
    fn wrong_pair(&self, parts: &[Part], layout: Layout, language: Language, rng: &mut PythonRandom) -> String {
        let name = |index: usize| &self.entries[index].thing[0];
        let mut told = [&parts[0], &parts[1]].map(|part| (part.index, part.colour));
        let place = rng.below(2);
        let (index, colour) = &mut told[place];
        if colour.is_some() && rng.random() < 0.5 {
            *colour = Some(another_colour(&parts[place], rng));
        } else {
            let elsewhere = |&&index: &&usize| parts.iter().all(|part| name(part.index) != name(index));
            let others: Vec<usize> = rng.choices(&self.things, THINGS).into_iter().filter(elsewhere).copied().collect();
            *index = *rng.choice(if others.is_empty() { &self.things } else { &others });
        }
        let [first, second] = told.map(|(index, colour)| self.phrase(index, colour, 1, language, rng));
        phrases::pair(&first, &second, layout, language, rng)
    }
}

/// The caption of the first scene that `draw` gives of another emoji.
fn another(part: &Part, mut draw: impl FnMut() -> Scene) -> String {
    loop {
        let scene = draw();
        if scene.parts[0].index != part.index {
            return scene.caption;
        }
    }
}

fn another_colour(part: &Part, rng: &mut PythonRandom) -> usize {
    let others: Vec<usize> = (0..COLOURS.len()).filter(|&colour| Some(colour) != part.colour).collect();
    *rng.choice(&others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scenes::Shares;
    use crate::dataset::scenes::words::Entry;
    use std::collections::HashSet;

    /// Plain, mirrored and sized scenes of things by these names.
    fn scenes(names: &[&str]) -> Scenes {
        let shares = Shares {
            plain: 1.0,
            coloured: 0.0,
            mirrored: 1.0,
            sized: 1.0,
            pairs: 0.0,
            counts: 0.0,
            chinese: 0.0,
            base_share: 1.0,
        };
        let entry = |name: &&str| Entry {
            code: (*name).to_owned(),
            group: 0,
            base: true,
            tone: false,
            name: [(); 2].map(|()| (*name).to_owned()),
            thing: [(); 2].map(|()| (*name).to_owned()),
            tags: [Vec::new(), Vec::new()],
            pairs: true,
        };
        let entries = names.iter().map(entry).collect();
        Scenes::new(entries, vec![None; names.len()], shares, &HashSet::new()).expect("scenes")
    }

    #[test]
    fn an_untrue_caption_is_of_another_emoji() {
        assert!(!scenes(&["dog"]).has_others());
        let names = ["dog", "cat"];
        let two = scenes(&names);
        assert!(two.has_others());
        let mut rng = PythonRandom::new("0");
        for _ in 0..50 {
            let scene = two.draw(&mut rng);
            let [own, other] = [scene.parts[0].index, 1 - scene.parts[0].index].map(|i| names[i]);
            assert!(scene.caption.contains(own));
            let wrong = two.wrong(&scene, &mut rng);
            assert!(wrong.contains(other), "{} is not {wrong}", scene.caption);
        }
    }
}
