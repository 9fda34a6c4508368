use super::*;
use crate::math::Spacing;
use crate::settings::{Class, Start};
use proptest::prelude::*;

fn root() -> Settings {
    Settings { sampler: "ddim".into(), steps: 10, seed: 3, class: Class::One(4), ..Settings::default() }
}

fn branch(wanted: Settings, run: &Settings, step: usize) -> Settings {
    let checked = wanted.branch(run, step).unwrap();
    assert_eq!(checked.problems, vec![]);
    checked.settings
}

#[test]
fn a_way_reads_back_from_its_link() {
    let prompt = "a, b: \"c\"/d & 50% ~e- 火.".to_owned();
    let mut second =
        Settings { sampler: "deis".into(), schedule: Spacing::Karras { rho: 5.0 }.into(), prompt, ..root() };
    second.knobs.insert("order", 1.0);
    let run = branch(second, &root(), 4);
    let third = Settings { seed: 9, from: Path::default(), ..run.clone() };
    let run = branch(Settings { guidance: 3.5, ..third.clone() }, &branch(third, &run, 6), 8);
    assert_eq!(run.from.0.iter().map(|leg| leg.step).collect::<Vec<_>>(), [4, 6, 8]);
    let (read, problems) = Settings::from_link(&run.to_link());
    assert_eq!((read, problems), (run, vec![]));
}

#[test]
fn the_legs_are_those_of_the_runs_and_have_what_is_of_the_whole_way() {
    let second = Settings { class: Class::One(2), ..root() };
    let run = branch(second.clone(), &root(), 4);
    let run = Settings { images: 5, ..run };
    let all = |settings: Settings| Settings { images: 5, ..settings };
    assert_eq!(run.legs(), [(all(root()), Some(4)), (all(second), None)]);
}

#[test]
fn the_ways_of_a_run_are_those_that_it_went_on_from() {
    let second = branch(Settings { class: Class::One(2), steps: 12, ..root() }, &root(), 4);
    let mut third = Settings { sampler: "deis".into(), ..second.clone() };
    third.knobs.insert("order", 1.0);
    let run = branch(third, &second, 7);
    let ways = run.ways();
    assert_eq!(ways.iter().map(|way| way.step).collect::<Vec<_>>(), [0, 4, 7]);
    let keys = |i: usize| ways[i].changes.iter().map(|(key, _)| *key).collect::<Vec<_>>();
    assert_eq!(
        [keys(0), keys(1), keys(2)],
        [vec!["sampler", "steps"], vec!["steps", "class"], vec!["sampler", "order"]]
    );
    let runs: Vec<_> = ways.into_iter().map(|way| way.settings).collect();
    assert_eq!(runs, [root(), second, run]);
}

/// 4 steps of DDIM, then what is left of 20 steps: those below the level of step 4 of 10, which is that of step 8 of 20.
#[test]
fn the_cost_of_a_way_is_that_of_its_legs() {
    let run = branch(Settings { steps: 20, ..root() }, &root(), 4);
    assert_eq!((root().evaluations(), run.evaluations()), (Some(10), Some(4 + 12)));
}

#[test]
fn where_nothing_was_changed_there_is_no_branch() {
    let run = branch(root(), &root(), 4);
    assert_eq!(run, root());
    let other = branch(Settings { guidance: 1.0, ..root() }, &root(), 4);
    // Typed by hand, too.
    let typed = Settings { from: "4,sampler:ddim,steps:10,seed:3,class:4".parse().unwrap(), ..root() };
    assert_eq!(typed.legs(), [(root(), None)]);
    let back = branch(root(), &other, 7);
    assert_eq!(back.legs().len(), 3);
}

#[test]
fn a_step_before_a_branch_is_one_of_the_leg_that_it_lies_on() {
    let run = branch(Settings { guidance: 1.0, ..root() }, &root(), 4);
    let early = branch(Settings { guidance: 5.0, ..root() }, &run, 3);
    assert_eq!(early.from.to_string(), "3,sampler:ddim,steps:10,seed:3,class:4");
    // The point at the branch is that of the run before.
    assert_eq!(branch(root(), &run, 4), root());
    assert_eq!(branch(Settings { guidance: 1.0, ..root() }, &run, 6), run);
}

#[test]
fn what_lies_behind_a_branch_stays_as_it_is_there() {
    let wanted = Settings { model: "mnist".into(), strength: 0.5, start: Start::Asked, steps: 30, ..root() };
    let Checked { settings, problems, .. } = wanted.branch(&root(), 4).unwrap();
    assert_eq!((settings.model.as_str(), settings.strength, settings.steps), ("fashion-mnist", 1.0, 30));
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["model", "strength", "start"]);
    assert_eq!(problems[1].to_string(), "strength must be as in the run that this one goes on from, got \"0.5\"");
}

#[test]
fn a_way_is_bounded_and_rises() {
    let mut run = root();
    for step in 1..=Path::MOST {
        run = branch(Settings { seed: step as u32 + 10, ..root() }, &run, step);
    }
    let problem = root().branch(&run, 9).unwrap_err();
    assert_eq!(problem.reason, Reason::Legs { most: 8 });
    let longer = format!("{}/20,seed:1", run.from);
    let reads = |text: &str| text.parse::<Path>().map(|_| ()).map_err(|reason| reason.to_string());
    assert!(reads(&longer).unwrap_err().starts_with("a way of at most 8 branches"));
    assert!(reads("4,seed:2/4,seed:3").is_err());
    assert!(reads("4,seed:2/3,seed:3").unwrap_err().contains("3"));
    for wrong in ["x", "4,seed", "4,seed:x", "4,model:mnist", "4,colour:red", "4,from:3", "-1", "4,eta:0.5"] {
        assert!(reads(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_way_that_does_not_fit_the_model_is_left_out() {
    let mut run = branch(Settings { class: Class::One(1), ..root() }, &root(), 4);
    let facts = Facts { classes: 3, null_class: Some(3), ..Facts::default() };
    let problems = run.fit(&[], Some(facts));
    assert!(run.from.is_empty());
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["from"]);
    assert!(problems[0].to_string().contains("class"), "{}", problems[0]);
}

#[test]
fn seeds_of_all_legs_go_on_with_the_images() {
    let run = branch(Settings { seed: 20, ..root() }, &root(), 4).from_image(2);
    assert_eq!(run.legs().iter().map(|(leg, _)| leg.seed).collect::<Vec<_>>(), [5, 22]);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[0-9a-z,:/~-]{0,40}") {
        let _ = text.parse::<Path>();
    }
}
