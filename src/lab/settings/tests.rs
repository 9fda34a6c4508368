use super::*;
use crate::lab::data::sets;
use proptest::prelude::*;

fn read(link: &str) -> (Settings, Vec<Problem>) {
    let Checked { settings, problems, .. } = Settings::read_link(link);
    (settings, problems)
}

fn written(settings: &Settings) -> String {
    settings.write_link(&Page::default())
}

#[test]
fn a_link_restores_the_settings_it_was_made_from() {
    let mut cooling = Cooling::default();
    cooling.set_line("20_0.01_1000").unwrap();
    cooling.set_drawn("1.5_0.25_-2").unwrap();
    let settings = Settings {
        data: OWN.to_owned(),
        points: Own::new(&[[0.5, -1.0], [3.0, 2.0]], &[0, 1]).unwrap(),
        process: Kind::Curve,
        curve: Curve::new(vec![0.1, 0.3, 0.8]).unwrap(),
        model: Model::Learned,
        objective: Prediction::Velocity,
        depth: 2,
        width: 64,
        lr: 3e-4,
        batch: 512,
        ema: 0.0,
        train_steps: 2500,
        train_seed: u32::MAX,
        panes: [Pane::new("ode", 7), None, Pane::new("dpmpp-2m", 1000), Pane::new("langevin", 1)],
        eta: 0.35,
        particles: 10_000,
        seed: 9,
        class: Some(1),
        guide: Guide::LearnedClassifier,
        guidance: 0.1 + 0.2,
        view: View::Anneal,
        field: Field::Difference,
        heat: false,
        clock: 0.125,
        cooling,
        places: vec![[0.125, -3.0], [100.0, 2.5]],
        latent_std: 0.25,
        words: "chinese",
        masking: Masking::Cosine,
        unmask_steps: 64,
    };
    let link = written(&settings);
    assert!(link.starts_with("#lab&data=own&points="), "{link}");
    assert_eq!(read(&format!("https://example.org/a/{link}")), (settings, vec![]));
}

#[test]
fn defaults_are_left_out_but_for_the_data_and_the_seed() {
    assert_eq!(written(&Settings::default()), "#lab&data=four-gaussians&seed=0");
    for link in ["#lab", "", "#lab&&=&lang=zh&backend=cpu"] {
        assert_eq!(read(link), (Settings::default(), vec![]), "{link}");
    }
}

#[test]
fn each_bad_value_keeps_its_default_and_is_named() {
    for (pair, reason) in [
        ("data=moon", "one of four-gaussians, "),
        ("points=%25", "points of one's own"),
        ("points=AAAA", "points of one's own"),
        ("process=vp", "one of linear, cosine, ve, flow, curve"),
        ("curve=0.5_0.2", "2 to 12 numbers from 0 to 1, each larger"),
        ("curve=", "2 to 12 numbers"),
        ("model=network", "one of exact, learned"),
        ("objective=eps", "one of epsilon, x0, v, score, flow"),
        ("depth=0", "a whole number from 1 to 6"),
        ("width=513", "a whole number from 8 to 512"),
        ("lr=NaN", "a number from 0.000001 to 1"),
        ("lr=0", "a number from 0.000001 to 1"),
        ("batch=4097", "a whole number from 8 to 4096"),
        ("ema=1", "a number from 0 to 0.999999"),
        ("train-steps=-1", "a whole number from 0 to 1000000"),
        ("train-seed=1e3", "a whole number from 0 to 4294967295"),
        ("pane1=ddim", "none, or a sampler"),
        ("pane2=ddim~0", "a whole number from 1 to 1000"),
        ("pane3=ddim+~5", "one of ode, reverse-sde, langevin, annealed-langevin, predictor-corrector, "),
        ("pane1=none&pane2=none", "none, or a sampler"),
        ("eta=1.01", "a number from 0 to 1"),
        ("particles=15", "a whole number from 16 to 10000"),
        ("seed=-1", "a whole number from 0 to 4294967295"),
        ("class=4", "a number from -1 to 3"),
        ("class=-2", "a whole number from -1 to 255"),
        ("guide=cfg", "one of free, classifier, learned-classifier"),
        ("guidance=10.1", "a number from 0 to 10"),
        ("view=map", "one of forward, reverse, anneal, numbers"),
        ("field=all", "one of none, exact, learned, difference"),
        ("heat=yes", "one of off, on"),
        ("clock=inf", "a number from 0 to 1"),
        ("temperature=8_0.05", "two temperatures"),
        ("temperature=8_0.05_400_1", "two temperatures"),
        ("temperature=0_1_400", "a number from 0.001 to 1000"),
        ("cooling=1", "2 to 12 logarithms"),
        ("cooling=1_4", "2 to 12 logarithms"),
        ("places=1_2_3", "1 to 8 places"),
        ("places=1_101", "1 to 8 places"),
        ("places=NaN_1", "1 to 8 places"),
        ("places=1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1", "1 to 8 places"),
        ("data=own", "points of one's own, at least one"),
    ] {
        let (settings, problems) = read(&format!("#lab&{pair}"));
        assert_eq!(settings, Settings::default(), "{pair}");
        assert_eq!(problems.len(), 1, "{pair}: {problems:?}");
        assert!(problems[0].to_string().contains(reason), "{}", problems[0]);
    }
    let (_, problems) = read(&format!("#lab&points={}", "A".repeat(5001)));
    assert!(problems[0].value.chars().count() < 100);
}

#[test]
fn what_a_message_gives_as_an_example_is_taken() {
    let examples = [values::PANE, values::POINTS].into_iter().zip(["pane1", "points"]);
    let bad = ["curve=1", "temperature=1", "cooling=1", "places=1"].map(|pair| read(pair).1.remove(0));
    let told = bad.into_iter().map(|problem| (problem.reason, problem.key));
    for (reason, key) in examples.map(|(reason, key)| (reason, key.to_owned())).chain(told) {
        let Reason::Form { example, .. } = reason else { panic!("{key}: {reason}") };
        assert!(Settings::row(&key).unwrap().set(&mut Settings::default(), &example.into()).is_ok(), "{key}={example}");
    }
}

#[test]
fn every_key_and_every_word_is_read() {
    for row in TABLE {
        assert_eq!(row.set(&mut Settings::default(), &row.default()), Ok(()), "{}", row.key);
    }
    for set in sets() {
        let (settings, problems) = read(&format!("data={}", set.id));
        assert_eq!((settings.data.as_str(), problems), (set.id, vec![]));
    }
    for sampler in Pane::samplers() {
        let mut settings = Settings::default();
        Settings::row("pane4").unwrap().set(&mut settings, &Value::Text(format!("{sampler}~3"))).unwrap();
        let pane = settings.panes[3].clone().unwrap();
        let row = pane.row().is_none_or(|row| crate::samplers::method::<f64>(row).is_some());
        assert!(row && pane.row().is_none() == (sampler == "langevin"), "{sampler}");
    }
}

#[test]
fn temperatures_fall_along_the_line_or_the_curve() {
    let mut cooling = Cooling::default();
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} is not {b}");
    near(cooling.temperature(0.0), 8.0);
    near(cooling.temperature(0.5), (8.0_f64 * 0.05).sqrt());
    near(cooling.temperature(1.0), 0.05);
    cooling.set_drawn("1_0_-2").unwrap();
    near(cooling.temperature(0.25), 10.0_f64.sqrt());
    near(cooling.temperature(0.75), 0.1);
    near(cooling.temperature(7.0), 0.01);
}

proptest! {
    #[test]
    fn no_link_panics(link in "#lab(&(data|points|curve|cooling|temperature|pane1|class)=[a-z0-9A-Z_~.%-]{0,20}){0,4}") {
        let (settings, _) = read(&link);
        prop_assert_eq!(read(&written(&settings)), (settings, vec![]));
    }

    #[test]
    fn numbers_come_back_to_the_last_digit(
        lr in 1e-6..=1.0_f64, ema in 0.0..=0.999999_f64, guidance in 0.0..=10.0_f64, clock in 0.0..=1.0_f64,
        seed: u32, steps in 1_usize..=1000, class in 0_usize..4,
        points in prop::collection::vec((prop::array::uniform2(-6.0..6.0_f64), 0_u8..3), 1..20),
        curve in prop::collection::btree_set(0_u32..=4096, 2..=12),
    ) {
        let (x, labels): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let settings = Settings {
            points: Own::new(&x, &labels).unwrap(),
            curve: Curve::new(curve.into_iter().map(|v| f64::from(v) / 4096.0).collect()).unwrap(),
            panes: [None, Pane::new("heun", steps), None, None],
            lr, ema, guidance, clock, seed, class: Some(class),
            ..Settings::default()
        };
        prop_assert_eq!(read(&written(&settings)), (settings, vec![]));
    }
}
