//! What is known exactly of a distribution of the plane at every noise level.

use super::Cloud;
use super::cloud::Stream;
use crate::denoise::ideal::{Component, Noised};
use crate::denoise::{Branch, Branches, Classifier, Denoiser, Estimate, Mixture};
use crate::math::{Latent, Level};

/// Points with the class of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labelled {
    pub x: Cloud,
    /// As many as there are points.
    pub label: Vec<u8>,
}

/// A component and the class that it is part of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub class: u8,
    pub component: Component<2>,
}

/// A mixture of Gaussians of the plane whose components belong to classes: the distribution `p_0` of a data set.
///
/// Every data set of the lab is drawn from one, so that density, score, posterior and conditional distributions are known exactly at
/// every noise level, for the four Gaussians as for the spiral.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    all: Mixture<2>,
    /// The class of each component.
    class_of: Vec<u8>,
    /// The distribution of each class, and its share of the data.
    classes: Vec<(Mixture<2>, f64)>,
}

impl Distribution {
    /// The distribution with these parts; `None` without any, if a class below the largest one has none, or if a component is no
    /// Gaussian (see [`Mixture::new`]) or has no width, as a density it would be infinite.
    pub fn new(parts: &[Part]) -> Option<Self> {
        let of = |parts: &[&Part]| Mixture::new(parts.iter().map(|part| part.component).collect());
        let all = of(&parts.iter().filter(|part| part.component.std > 0.0).collect::<Vec<_>>())?;
        let total: f64 = parts.iter().map(|part| part.component.weight).sum();
        let last = parts.iter().map(|part| part.class).max()?;
        let class = |k: u8| {
            let own: Vec<_> = parts.iter().filter(|part| part.class == k).collect();
            let share = own.iter().map(|part| part.component.weight).sum::<f64>() / total;
            Some((of(&own)?, share))
        };
        let classes = (0..=last).map(class).collect::<Option<_>>()?;
        let class_of: Vec<u8> = parts.iter().map(|part| part.class).collect();
        (all.components().len() == class_of.len()).then_some(Self { all, class_of, classes })
    }

    /// The mixture of all classes: an exact denoiser of points and of clouds, which the measures of [`crate::eval`] take.
    pub fn mixture(&self) -> &Mixture<2> {
        &self.all
    }

    /// The standard deviation of its narrowest Gaussian.
    pub fn narrowest(&self) -> f64 {
        self.all.components().iter().map(|part| part.std).fold(f64::INFINITY, f64::min)
    }

    /// Number of classes, at least 1.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The distribution of one class, `p(x | y)`: what a model conditioned on it learns. `None` if there is no such class.
    pub fn only(&self, class: usize) -> Option<&Mixture<2>> {
        self.classes.get(class).map(|(distribution, _)| distribution)
    }

    /// The distribution of one class alone. `None` if there is no such class.
    pub fn alone(&self, class: usize) -> Option<Self> {
        let parts = self.only(class)?.components().iter().map(|component| Part { class: 0, component: *component });
        Self::new(&parts.collect::<Vec<_>>())
    }

    /// `n` independent points with their classes. A seed draws the same points on every machine.
    pub fn draw(&self, n: usize, seed: u32) -> Labelled {
        let mut generator = Stream::Data.of(seed);
        let mut total = 0.0;
        let up_to = |c: &Component<2>| {
            total += c.weight;
            total
        };
        let bounds: Vec<f64> = self.all.components().iter().map(up_to).collect();
        let pick = |u: f64| bounds.partition_point(|b| *b <= u * total).min(bounds.len() - 1);
        let picked: Vec<usize> = generator.rand_f64(n).into_iter().map(pick).collect();
        let noise = generator.randn_f64(2 * n);
        let (offsets, _) = noise.as_chunks::<2>();
        let point = |(k, z): (&usize, &[f64; 2])| {
            let c = &self.all.components()[*k];
            c.mean.mix(1.0, z, c.std)
        };
        let x = Cloud(picked.iter().zip(offsets).map(point).collect());
        Labelled { x, label: picked.iter().map(|k| self.class_of[*k]).collect() }
    }

    /// The distribution at noise level `at`, to be asked at many points. Each class that is asked for costs as much as its share
    /// of the components.
    pub fn at(&self, at: Level) -> LawAt {
        let classes = self.classes.iter().map(|(distribution, share)| (distribution.at(at), share.ln())).collect();
        LawAt { all: self.all.at(at), classes }
    }
}

/// A [`Distribution`] at one noise level.
#[derive(Clone, Debug)]
pub struct LawAt {
    all: Noised<2>,
    /// Each class with `ln` of its share of the data.
    classes: Vec<(Noised<2>, f64)>,
}

/// Towards which class, and how far: the guided score is `grad ln p + scale grad ln p(y | x)`, which at scale 0 is that of the
/// distribution and at scale 1 that of the class. With an exact classifier, classifier guidance (Dhariwal & Nichol 2021, arXiv
/// 2105.05233) and classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598) are this same score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Towards {
    /// Below [`Distribution::classes`].
    pub class: usize,
    pub scale: f64,
}

impl LawAt {
    /// `ln p_t(x)` in nats.
    pub fn log_density(&self, x: &[f64; 2]) -> f64 {
        self.all.log_density(x)
    }

    /// The score `grad ln p_t(x)`.
    pub fn score(&self, x: &[f64; 2]) -> [f64; 2] {
        self.all.score(x)
    }

    /// `ln p(y | x_t = x)`: how sure the exact classifier is of a class.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn log_posterior(&self, class: usize, x: &[f64; 2]) -> f64 {
        let (distribution, share) = &self.classes[class];
        distribution.log_density(x) + share - self.all.log_density(x)
    }

    /// `grad ln p(y | x_t = x)`.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn classifier_gradient(&self, class: usize, x: &[f64; 2]) -> [f64; 2] {
        self.classes[class].0.score(x).mix(1.0, &self.all.score(x), -1.0)
    }

    /// `ln p_t(x) + scale ln p(y | x)`: the potential whose slope is the guided score. Up to a constant it is the density
    /// `p_t(x) p(y | x)^scale` at this level. What a guided sampler ends with is another one, as the levels' tilted
    /// densities are not noised versions of each other.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn tilted(&self, towards: Towards, x: &[f64; 2]) -> f64 {
        self.log_density(x) + towards.scale * self.log_posterior(towards.class, x)
    }

    /// The slope of [`tilted`](Self::tilted).
    ///
    /// # Panics
    /// If there is no such class.
    pub fn guided_score(&self, towards: Towards, x: &[f64; 2]) -> [f64; 2] {
        self.score(x).mix(1.0, &self.classifier_gradient(towards.class, x), towards.scale)
    }
}

/// A distribution asked for one of its classes: the exact classifier, and the exact model with and without a label, for
/// [`ClassifierGuided`](crate::denoise::ClassifierGuided) and [`Guided`](crate::denoise::Guided).
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    distribution: &'a Distribution,
    class: usize,
}

impl<'a> Asked<'a> {
    /// `None` if the distribution has no such class.
    pub fn new(distribution: &'a Distribution, class: usize) -> Option<Self> {
        (class < distribution.classes()).then_some(Self { distribution, class })
    }

    fn conditional(&self) -> &'a Mixture<2> {
        &self.distribution.classes[self.class].0
    }
}

impl Branches<Cloud> for Asked<'_> {
    fn branches(&self, x: &Cloud, at: Level, which: &[Branch]) -> Vec<Estimate<Cloud>> {
        let model = |branch: &Branch| match branch {
            Branch::Conditional => self.conditional(),
            Branch::Unconditional | Branch::Negative => self.distribution.mixture(),
        };
        which.iter().map(|branch| model(branch).estimate(x, at)).collect()
    }
}

impl Classifier<Cloud> for Asked<'_> {
    fn gradient(&self, x: &Cloud, at: Level) -> Cloud {
        let (class, all) = (self.conditional().at(at), self.distribution.mixture().at(at));
        x.map(|x| class.score(x).mix(1.0, &all.score(x), -1.0))
    }
}
