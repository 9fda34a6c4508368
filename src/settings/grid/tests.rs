use super::*;
use serde_json::json;

fn axis(text: &str) -> Vec<String> {
    text.parse::<Axis>().map_err(|reason| reason.to_string()).expect(text).values
}

fn checked(link: &str) -> Checked<Settings> {
    Settings::read_link(link, &[])
}

#[test]
fn values_are_listed_ranged_or_counted() {
    for (text, values) in [
        ("steps:5,10,20", &["5", "10", "20"][..]),
        ("steps: 1-4 ", &["1", "2", "3", "4"]),
        ("steps:4-1", &["4", "3", "2", "1"]),
        ("steps:3-12 [4]", &["3", "6", "9", "12"]),
        ("steps:1-3 [5]", &["1", "2", "3"]),
        ("steps:8-9 [1],20", &["8", "20"]),
        ("guidance:0-0.4 [5],2", &["0", "0.1", "0.2", "0.3", "0.4", "2"]),
        ("eta:1e-3,1", &["1e-3", "1"]),
        ("class:all,none,0-2", &["all", "none", "0", "1", "2"]),
        ("sampler:ddim,dpmpp-2m", &["ddim", "dpmpp-2m"]),
        ("schedule:karras:5,\"custom:14.6,3,0.5\"", &["karras:5", "custom:14.6,3,0.5"]),
        ("prompt:a cat,\"a dog, \"\"big\"\"\",\"\", 1-4", &["a cat", "a dog, \"big\"", "", "1-4"]),
        ("negative:say \"no\",", &["say \"no\""]),
    ] {
        assert_eq!(axis(text), values, "{text}");
    }
}

#[test]
fn an_axis_that_cannot_be_read_says_why() {
    for (text, why) in [
        ("steps", "a setting with its values, such as steps:5,10,20"),
        ("steps:", "a setting with its values, such as steps:5,10,20"),
        ("prompt:\"a", "a setting with its values, such as steps:5,10,20"),
        ("steps:5,x", "a whole number from 1 to 1000"),
        ("steps:5-2000 [3]", "a whole number from 1 to 1000"),
        ("eta:2", "a number from 0 to 1"),
        ("guidance:1-100", "values of which both axes together have at most 64 cells"),
        ("guidance:1-2 [65]", "values of which both axes together have at most 64 cells"),
    ] {
        assert_eq!(text.parse::<Axis>().map_err(|reason| reason.to_string()), Err(why.to_owned()), "{text}");
    }
    for key in ["images", "start", "preview", "lang", "stesp"] {
        let reason = format!("{key}:1").parse::<Axis>().expect_err(key);
        assert!(matches!(&reason, Reason::OneOf { known, .. } if known.contains(&"steps".to_owned())), "{reason:?}");
    }
}

#[test]
fn a_link_carries_the_axes_as_they_were_typed() {
    for (x, y) in [("steps:3-12 [4]", "guidance:1-4"), ("prompt:salt & pepper=1,\"a, b\"", "seed:7"), ("eta:0,1", "")] {
        let read =
            checked("#model=mnist&sampler=ddim").settings.change(Page::default(), ("x", Some(x.into())), &[], None);
        let read = read.settings.change(read.page, ("y", Some(y.into())), &[], None);
        assert_eq!(read.problems, []);
        let link = read.settings.write_link(&read.page);
        let again = checked(&format!("https://example.org/{link})"));
        assert_eq!((again.settings, &again.page), (read.settings, &read.page), "{link}");
        let [typed_x, typed_y] =
            [&again.page.x, &again.page.y].map(|axis| axis.as_ref().map_or(String::new(), Axis::to_string));
        assert_eq!((typed_x, typed_y), (x.to_owned(), y.to_owned()));
    }
}

#[test]
fn two_axes_of_one_setting_or_of_too_many_cells_are_refused() {
    let start = checked("#x=steps:1-8");
    for (y, code) in [("steps:9,10", "one-of"), ("seed:1-9", "cells")] {
        let changed = start.settings.clone().change(start.page.clone(), ("y", Some(y.into())), &[], None);
        let problem = &changed.problems[0];
        assert_eq!(
            (serde_json::to_value(problem).expect("it is plain")["code"].clone(), &*problem.key),
            (json!(code), "y")
        );
        assert_eq!(changed.page, start.page);
        let read = checked(&format!("#x=steps:1-8&y={y}"));
        assert_eq!((read.page, read.problems.len()), (start.page.clone(), 1));
    }
    let whole = start.settings.clone().change(start.page.clone(), ("y", Some("seed:1-8".into())), &[], None);
    assert_eq!(whole.cells(&[], None).len(), MOST_CELLS);
}

#[test]
fn the_cheapest_cells_come_first_and_each_is_the_run_of_its_place() {
    let grid = checked("#model=mnist&sampler=ddim&seed=3&x=steps:10,5&y=sampler:heun,ddim");
    let cells = grid.cells(&[], None);
    let seen: Vec<_> = cells.iter().map(|cell| (cell.column, cell.row, cell.evaluations)).collect();
    // Heun evaluates twice a step but for the last, which ends clean.
    assert_eq!(seen, [(1, 1, Some(5)), (1, 0, Some(9)), (0, 1, Some(10)), (0, 0, Some(19))]);
    for cell in &cells {
        let (steps, sampler) = ([10, 5][cell.column], ["heun", "ddim"][cell.row]);
        let expected = Settings { steps, sampler: sampler.to_owned(), ..grid.settings.clone() };
        assert_eq!((&cell.settings, &cell.problem), (&expected, &None));
    }
}

#[test]
fn a_cell_that_there_is_not_says_why() {
    let why = |link: &str| {
        let cells = checked(link).cells(&[], Some(Facts { classes: 10, null_class: Some(10), ..Facts::default() }));
        let mut cells: Vec<_> =
            cells.into_iter().map(|cell| (cell.column, cell.problem.map(|p| p.to_string()))).collect();
        cells.sort_by_key(|(column, _)| *column);
        cells.into_iter().map(|(_, why)| why).collect::<Vec<_>>()
    };
    let foreign = "DPM-Solver++(2M) has no eta; its parameters are none";
    assert_eq!(why("#x=eta:0.5&y=sampler:ddim,dpmpp-2m").iter().flatten().collect::<Vec<_>>(), [foreign]);
    assert_eq!(
        why("#x=class:9,10"),
        [None, Some("class must be one of the model's classes 0 to 9, got \"10\"".to_owned())]
    );
    let listed = "steps changes nothing here: another setting of the grid decides it";
    assert_eq!(why("#schedule=custom:14.6,3,0.5&x=steps:3,10"), [None, Some(listed.to_owned())]);
}

#[test]
fn another_model_comes_after_the_chosen_one_and_as_it_starts() {
    let listed = |id: &str, steps: usize| Listed {
        id: id.to_owned(),
        defaults: serde_json::from_value(json!({ "steps": steps })).expect("they are plain"),
        ..Listed::default()
    };
    let models = [listed("mnist", 50), listed("dots", 4), listed("lines", 30)];
    let grid = Settings::read_link("#model=mnist&x=model:dots,mnist,lines", &models);
    let seen: Vec<_> = grid.cells(&models, None).iter().map(|cell| (cell.column, cell.settings.steps)).collect();
    assert_eq!(seen, [(1, 50), (0, 4), (2, 30)]);
}

#[test]
fn evaluations_are_those_of_the_sampler() {
    let count = |link: &str| checked(link).settings.evaluations();
    for (link, evaluations) in [
        ("#sampler=ddim&steps=20", Some(20)),
        ("#sampler=heun&steps=20", Some(39)),
        ("#sampler=dopri5", None),
        ("#sampler=ddim&schedule=model&steps=7", Some(7)),
        ("#sampler=ddim&steps=20&strength=0.5", Some(10)),
    ] {
        assert_eq!(count(link), evaluations, "{link}");
    }
}

#[test]
fn a_table_has_a_row_a_cell() {
    let page = checked("#x=prompt:\"a, b\",c&y=steps:5").page;
    let cell = |column, rms| Measured { column, row: 0, evaluations: 5, seconds: 0.25, rms };
    let table = "prompt,steps,evaluations,seconds,rms\n\"a, b\",5,5,0.250,0.000000\nc,5,5,0.250,\n";
    assert_eq!(page.csv(&[cell(0, Some(0.0)), cell(1, None)]), table);
}
