//! Masked words: against enumeration of all that the processes can do, and against draws.

use std::collections::BTreeMap;
use unnoise::lab::discrete::{Known, LISTS, MASK, posterior};
use unnoise::lab::{Masking, Words};

/// Words whose letters depend on each other in different ways.
fn few() -> Words {
    Words::new(["aab", "aba", "bbb", "cab", "cbb"]).expect("words")
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{a} is not {b}");
}

/// The times of `steps` steps, from 1 to 0.
fn alphas(masking: Masking, steps: usize) -> Vec<f64> {
    (0..=steps).map(|step| masking.alpha(1.0 - step as f64 / steps as f64)).collect()
}

/// `q(x_t | x_s)` of a letter: it is masked with probability `1 - alpha_t / alpha_s`, and what is masked stays.
fn transition(from: u8, to: u8, [alpha_t, alpha_s]: [f64; 2]) -> f64 {
    match (from == MASK, to == MASK) {
        (true, true) => 1.0,
        (false, true) => 1.0 - alpha_t / alpha_s,
        (false, false) if from == to => alpha_t / alpha_s,
        _ => 0.0,
    }
}

/// All rows of three letters of which each is one of `letters`.
fn rows(letters: &[u8]) -> Vec<[u8; 3]> {
    let each = |f: &dyn Fn(u8) -> Vec<[u8; 3]>| letters.iter().flat_map(|x| f(*x)).collect::<Vec<_>>();
    each(&|a| each(&|b| letters.iter().map(|c| [a, b, *c]).collect()))
}

#[test]
fn alpha_falls_from_one_to_nothing_and_is_read_back() {
    for (id, masking) in Masking::ALL {
        assert_eq!((masking.alpha(0.0), masking.alpha(1.0)), (1.0, 0.0), "{id}");
        for i in 1..=100 {
            let t = f64::from(i) / 100.0;
            assert!(masking.alpha(t) < masking.alpha(t - 0.01), "{id} at {t}");
            assert!((masking.time(masking.alpha(t)) - t).abs() < 1e-12, "{id} at {t}");
        }
    }
    assert!(Masking::Cosine.alpha(0.5) < Masking::Linear.alpha(0.5), "fewer letters are shown at first");
}

/// By Bayes' rule from the transitions: `q(x_s | x_t, x_0) = q(x_t | x_s) q(x_s | x_0) / q(x_t | x_0)`.
#[test]
fn the_posterior_is_that_of_the_transitions() {
    for alphas @ [alpha_t, alpha_s] in [[0.0, 1.0], [0.0, 0.3], [0.2, 0.7], [0.6, 0.61], [0.9, 1.0]] {
        let x0 = 0;
        for x_t in [x0, MASK] {
            let of = |x_s: u8| {
                let forward = transition(x_s, x_t, alphas) * transition(x0, x_s, [alpha_s, 1.0]);
                forward / transition(x0, x_t, [alpha_t, 1.0])
            };
            if transition(x0, x_t, [alpha_t, 1.0]) == 0.0 {
                continue; // it cannot be
            }
            let [shown, masked] = posterior(x_t == MASK, alphas);
            near(shown, of(x0));
            near(masked, of(MASK));
        }
    }
}

#[test]
fn the_denoiser_is_the_share_of_the_words_that_fit() {
    let words = few();
    assert_eq!(words.letters(), ['a', 'b', 'c']);
    let share = |x: [u8; 3]| words.denoise(&x);
    let rows = [[2.0, 1.0, 2.0], [2.0, 3.0, 0.0], [1.0, 4.0, 0.0]].map(|row| row.map(|n: f64| n / 5.0).to_vec());
    let masked = share([MASK; 3]);
    for (got, expected) in masked.iter().flatten().zip(rows.iter().flatten()) {
        near(*got, *expected);
    }
    // cab and cbb begin with c.
    assert_eq!(share([2, MASK, MASK]), [vec![0.0, 0.0, 1.0], vec![0.5, 0.5, 0.0], vec![0.0, 1.0, 0.0]]);
    // No word has c and a at its ends; aba, cab and cbb are one letter off.
    let third = 1.0 / 3.0;
    for (got, expected) in share([2, MASK, 0])[1].iter().zip([third, 2.0 * third, 0.0]) {
        near(*got, expected);
    }
}

/// The likelihood by the sum over every row that the reverse process can go through, words or not.
#[test]
fn the_likelihood_is_that_of_all_trajectories() {
    let words = few();
    for (id, masking) in Masking::ALL {
        for steps in 1..=3 {
            let alphas = alphas(masking, steps);
            let mut at = BTreeMap::from([([MASK; 3], 1.0)]);
            for pair in alphas.windows(2) {
                let mut next = BTreeMap::new();
                for (from, chance) in &at {
                    let shares = words.denoise(from);
                    for to in rows(&[0, 1, 2, MASK]) {
                        let letter = |i: usize| {
                            let [shown, kept] = posterior(from[i] == MASK, [pair[0], pair[1]]);
                            match (from[i], to[i]) {
                                (MASK, MASK) => kept,
                                (MASK, letter) => shown * shares[i][usize::from(letter)],
                                (a, b) => f64::from(u8::from(a == b)),
                            }
                        };
                        *next.entry(to).or_insert(0.0) += chance * (0..3).map(letter).product::<f64>();
                    }
                }
                at = next;
            }
            near(at.values().sum(), 1.0);
            let logs = words.words().iter().map(|word| -at[&word[..3]].ln());
            let Known { likelihood, words: share, .. } = words.known(steps, masking);
            near(likelihood, logs.sum::<f64>() / 5.0);
            near(share, words.words().iter().map(|word| at[&word[..3]]).sum());
            assert!(share < 1.0, "{id}: in {steps} steps letters are drawn together");
        }
    }
}

/// The bound by its definition, `E_q[ln q(x_1..T | x_0) - ln p(x_0..T)]` over every forward trajectory.
#[test]
fn the_bound_is_that_of_all_trajectories() {
    let words = few();
    for (_, masking) in Masking::ALL {
        for steps in 1..=3 {
            // From time 0 to 1.
            let levels: Vec<f64> = alphas(masking, steps).into_iter().rev().collect();
            let mut total = 0.0;
            for word in words.words() {
                let word = [word[0], word[1], word[2]];
                // Each trajectory with its probability and ln q - ln p so far.
                let mut all = vec![(word, 1.0, 0.0)];
                for pair in levels.windows(2) {
                    let [alpha_s, alpha_t] = [pair[0], pair[1]];
                    let mut next = Vec::new();
                    for (x_s, chance, log) in &all {
                        for x_t in rows(&[0, 1, 2, MASK]) {
                            let q: f64 = (0..3).map(|i| transition(x_s[i], x_t[i], [alpha_t, alpha_s])).product();
                            if q == 0.0 {
                                continue;
                            }
                            let shares = words.denoise(&x_t);
                            let p = |i: usize| {
                                let [shown, kept] = posterior(x_t[i] == MASK, [alpha_t, alpha_s]);
                                match (x_t[i], x_s[i]) {
                                    (MASK, MASK) => kept,
                                    (MASK, letter) => shown * shares[i][usize::from(letter)],
                                    _ => 1.0,
                                }
                            };
                            next.push((x_t, chance * q, log + q.ln() - (0..3).map(p).product::<f64>().ln()));
                        }
                    }
                    all = next;
                }
                // The prior is one row of masks, which the forward process reaches for sure.
                total += all
                    .iter()
                    .map(|(x, chance, log)| {
                        assert_eq!(x, &[MASK; 3]);
                        chance * log
                    })
                    .sum::<f64>();
            }
            near(words.known(steps, masking).bound, total / 5.0);
        }
    }
}

#[test]
fn bound_and_likelihood_come_down_to_the_entropy() {
    for (id, _) in LISTS {
        let words = Words::of(id);
        let entropy = words.entropy();
        near(entropy, (words.words().len() as f64).ln());
        for (_, masking) in Masking::ALL {
            let all: Vec<Known> = [1, 2, 4, 8, 16, 32, 64].map(|steps| words.known(steps, masking)).to_vec();
            for Known { steps, bound, likelihood, words } in &all {
                assert!(bound >= likelihood, "{id} in {steps}: {bound} is below {likelihood}");
                assert!(*likelihood > entropy && *words < 1.0 && *words > 0.0, "{id} in {steps}");
            }
            // In one step there is nothing that the bound could leave out.
            near(all[0].bound, all[0].likelihood);
            for pair in all.windows(2) {
                assert!(pair[1].bound < pair[0].bound && pair[1].words > pair[0].words, "{id}: {pair:?}");
            }
            let [before, last] = [all[5], all[6]];
            // Two letters are shown in one step with a probability that falls as 1/T, and so does what is lost.
            let halved = (last.bound - entropy) / (before.bound - entropy);
            assert!((0.45..0.6).contains(&halved), "{id}: {halved}");
            assert!(last.bound - entropy < 0.15, "{id}: {last:?}");
        }
    }
}

#[test]
fn every_list_has_different_words_of_one_length() {
    for (id, _) in LISTS {
        let words = Words::of(id);
        let mut all = words.words().to_vec();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 24, "{id}");
        assert!(all.iter().all(|word| words.has(word)) && !words.has(&[0; 5]), "{id}");
    }
    assert_eq!(Words::new(["one", "three"]), None);
    assert_eq!(Words::new([]), None);
    assert_eq!(Words::new([""]), None);
}

#[test]
fn letters_are_masked_as_often_as_alpha_says() {
    const ROWS: usize = 4000;
    let words = Words::of("english");
    for (id, masking) in Masking::ALL {
        let (rows, times) = words.masked(ROWS, (masking, 3));
        assert!(rows.iter().all(|row| words.has(row)));
        for t in [0.1, 0.5, 0.9] {
            let masked = times.iter().flatten().filter(|time| t > **time).count() as f64 / (5 * ROWS) as f64;
            let p = 1.0 - masking.alpha(t);
            // Five standard errors.
            assert!(
                (masked - p).abs() < 5.0 * (p * (1.0 - p) / (5 * ROWS) as f64).sqrt(),
                "{id} at {t}: {masked} is not {p}"
            );
        }
        assert!(times.iter().flatten().all(|time| (0.0..=1.0).contains(time)), "{id}");
    }
}

/// What is drawn has the exact probabilities, the words and all else together; with many steps these are next to the data's.
#[test]
fn draws_have_the_probabilities_of_the_process() {
    const ROWS: usize = 20_000;
    let words = Words::of("english");
    for (id, masking) in Masking::ALL {
        for steps in [1, 4, 64] {
            let run = words.unmask(ROWS, steps, (masking, 5));
            assert_eq!((run.frames.len(), run.guesses.len()), (steps + 1, steps + 1));
            assert!(run.frames[0].iter().flatten().all(|letter| *letter == MASK));
            let ends = &run.frames[steps];
            assert!(ends.iter().flatten().all(|letter| *letter != MASK), "{id} in {steps}");
            // A letter that is shown stays.
            for pair in run.frames.windows(2) {
                assert!(pair[0].iter().flatten().zip(pair[1].iter().flatten()).all(|(a, b)| *a == MASK || a == b));
            }
            let share = ends.iter().filter(|row| words.has(row)).count() as f64 / ROWS as f64;
            let p = words.known(steps, masking).words;
            // Five standard errors.
            assert!(
                (share - p).abs() < 5.0 * (p * (1.0 - p) / ROWS as f64).sqrt(),
                "{id} in {steps}: {share} is not {p}"
            );
            if steps == 64 {
                let expected = ROWS as f64 / 24.0;
                let off = |word: &Vec<u8>| {
                    (ends.iter().filter(|row| *row == word).count() as f64 - expected).powi(2) / expected
                };
                let chi: f64 = words.words().iter().map(off).sum();
                // Chi squared of 24 counts has mean 23 and standard deviation 6.8; five of these, and the share that is no word.
                let lost = (1.0 - p).powi(2) * ROWS as f64;
                assert!(chi < 23.0 + 5.0 * 6.8 + lost, "{id}: {chi}");
            }
        }
    }
}
