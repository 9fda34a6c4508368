use super::*;
use proptest::prelude::*;
use serde_json::json;

fn defaults(value: serde_json::Value) -> Defaults {
    serde_json::from_value(value).unwrap()
}

fn score() -> Settings {
    Settings::preset(&defaults(json!({"sampler": "predictor-corrector", "steps": "50", "snr": 0.1}))).unwrap()
}

fn listed(id: &str, values: serde_json::Value, classifier: bool) -> Listed {
    Listed { id: id.to_owned(), defaults: defaults(values), classifier, text: None }
}

/// The codes of problems, in order.
fn codes(problems: &[Problem]) -> Vec<String> {
    let code = |problem| serde_json::to_value(problem).unwrap()["code"].as_str().unwrap().to_owned();
    problems.iter().map(code).collect()
}

#[test]
fn a_link_restores_the_settings_it_was_made_from() {
    let settings = Settings {
        model: "my.model-2".into(),
        prompt: "salt & pepper = 100 % ~26- #1, ＆ “👩‍🚀”; &amp; 猫！ ".into(),
        negative: " \"why\"?".into(),
        blend: 0.5,
        blend_prompt: "a & b".into(),
        blend_class: 4,
        weighting: Weighting::A1111,
        sampler: "deis".into(),
        steps: 1000,
        schedule: Spacing::Beta { alpha: 0.5, beta: 0.7 }.into(),
        seed: u32::MAX,
        variation: 0.25,
        variation_seed: 12,
        images: 64,
        size: Some([64, 96]),
        class: Class::One(3),
        guidance: 0.1 + 0.2,
        guide: Guide::Perpendicular(Some(3)),
        perp_weight: 0.5,
        rescale: 0.7,
        guidance_range: [0.25, 8.0],
        classifier: 1.5,
        clip: Clip::Dynamic,
        noise: Source::Brownian,
        strength: 0.5,
        preview: Preview::Linear,
        start: Start::Asked,
        placing: crate::picture::Placing::Crop { across: 0.25, down: 1.0 },
        from: "3,sampler:deis,order:1".parse().unwrap(),
        knobs: BTreeMap::from([("order", 2.0)]),
    };
    let link = format!("https://example.org/a/b/{}", settings.to_link());
    assert_eq!(Settings::from_link(&link), (settings, vec![]));
}

#[test]
fn a_model_of_a_hub_or_of_ones_own_stays_whatever_a_site_lists() {
    let models = [listed("mnist", json!({"steps": 4}), false)];
    for (value, written) in [
        ("hub:google/ddpm-cifar10-32@main", "hub:google/ddpm-cifar10-32@main"),
        ("hub%3Agoogle%2Fddpm-cifar10-32", "hub:google/ddpm-cifar10-32"),
        ("own:my-cats", "own:my-cats"),
        ("own:模型", "own:%E6%A8%A1%E5%9E%8B"),
    ] {
        let Checked { settings, problems, .. } = Settings::read_link(&format!("#model={value}&steps=3"), &models);
        assert_eq!(problems, []);
        assert!(settings.to_link().starts_with(&format!("#model={written}&")), "{}", settings.to_link());
        assert_eq!(settings.steps, 3);
    }
    let Checked { settings, problems, .. } = Settings::read_link("#model=hub:ddpm", &models);
    assert_eq!(settings.model, "mnist");
    assert!(problems[0].to_string().contains("a repository of a model hub"), "{}", problems[0]);
}

#[test]
fn each_bad_value_keeps_its_default_and_is_named() {
    for (pair, reason) in [
        ("steps=0", "a whole number from 1 to 1000"),
        ("steps=1e9", "a whole number from 1 to 1000"),
        ("steps=3.5", "a whole number from 1 to 1000"),
        ("seed=-1", "a whole number from 0 to 4294967295"),
        ("images=65", "a whole number from 1 to 64"),
        ("guidance=NaN", "a number from 0 to 20"),
        ("class=shoe", "one of all, none, a class number"),
        ("model=..%2F..%2Fetc", "a name of letters"),
        ("sampler=euler++", "one of "),
        ("schedule=", "one of "),
        ("schedule=karras:0", "karras, or karras:rho with a number"),
        ("schedule=custom:1,2", "each less than the one before"),
        ("eta=1", "DPM-Solver++(2M) has no eta"),
        ("stesp=4", "there is no setting stesp"),
        ("seed", "seed must be a whole number"),
    ] {
        let (settings, problems) = Settings::from_link(&format!("#{pair}"));
        assert_eq!(settings, Settings::default(), "{pair}");
        assert_eq!(problems.len(), 1, "{pair}");
        assert!(problems[0].to_string().contains(reason), "{}", problems[0]);
    }
    let (_, problems) = Settings::from_link("#sampler=ddim&eta=2&steps=0");
    assert_eq!(codes(&problems), ["whole", "range"]);
    assert_eq!(problems[0].used, Some(Value::Number(20.0)));
}

#[test]
fn tracking_keys_and_the_pages_own_are_no_problem() {
    let link = "#lang=zh&&=&backend=cpu&utm_source=chat&fbclid=x&gclid=y";
    let Checked { settings, page, problems } = Settings::read_link(link, &[]);
    assert_eq!((settings, problems), (Settings::default(), vec![]));
    assert_eq!((page.lang, page.backend), (Some("zh"), Backend::Cpu));
    assert!(Settings::default().write_link(&page).ends_with("&backend=cpu&lang=zh"));
    assert!(Settings::default().write_link(&page.shared()).ends_with("&backend=cpu"));
    assert_eq!(Settings::from_link("").0, Settings::default());
}

#[test]
fn mangled_links_are_repaired_and_said_to_be() {
    let plain = "model=mnist&sampler=ddim&steps=7&schedule=karras:5&seed=3&images=4&class=1&guidance=2&eta=0.5";
    let whole = format!("https://example.org/#{plain}");
    let (settings, problems) = Settings::from_link(&whole);
    assert_eq!((settings.steps, settings.knobs["eta"], problems), (7, 0.5, vec![]));
    for mangled in [
        whole.replace('&', "&amp;"),
        whole.replace('&', "&amp;amp;"),
        whole.replace('&', "&#38;"),
        whole.replace('&', "%26"),
        whole.replace('=', "%3D"),
        whole.replace('=', "%3d").replace('&', "%26"),
        whole.replace('=', "%253D").replace('&', "%2526"),
        format!("https://example.org/%23{}", plain.replace('=', "%3D").replace('&', "%26").replace(':', "%3A")),
        format!("{whole})"),
        format!("{whole}."),
        format!("{whole},"),
        format!("<{whole}>"),
        format!("{whole}%29."),
        whole.replace("steps", "st\u{200b}eps"),
        format!("{whole}\u{200b}"),
        whole.replace("sampler=ddim", "sampler=ddim%E2%80%8B"),
        whole.replace('#', "##"),
        whole.replace("&seed", "#seed"),
        whole.replace('&', "& "),
        whole.replace('&', "＆").replace('=', "＝"),
    ] {
        let (repaired, problems) = Settings::from_link(&mangled);
        assert_eq!(repaired, settings, "{mangled}");
        assert_eq!(codes(&problems), ["repaired"], "{mangled}");
    }
    // The same key with two values: one of them cannot be meant.
    let (twice, problems) = Settings::from_link(&format!("{whole}&seed=9"));
    assert_eq!((twice.seed, codes(&problems)), (9, vec!["repaired".to_owned()]));
    assert_eq!(Settings::from_link(&format!("{whole}&seed=3")), (settings.clone(), vec![]));
    // What is only encoded, as addresses may be, needs no word.
    assert_eq!(Settings::from_link(&whole.replace(':', "%3A").replace("https%3A", "https:")).1, []);
}

#[test]
fn defaults_stand_where_a_link_is_silent() {
    let (settings, problems) = Settings::from_link_to(&score(), "#model=mnist-score&seed=3");
    assert_eq!((settings.sampler.as_str(), settings.steps, settings.seed), ("predictor-corrector", 50, 3));
    assert_eq!((settings.model.as_str(), settings.knobs["snr"]), ("mnist-score", 0.1));
    assert_eq!(problems, []);
    let (settings, _) = Settings::from_link_to(&score(), "#steps=7&snr=0.2");
    assert_eq!((settings.steps, settings.knobs["snr"]), (7, 0.2));
}

#[test]
fn a_whole_link_is_read_as_if_there_were_no_defaults() {
    let link = Settings::default().to_link();
    assert_eq!(Settings::from_link_to(&score(), &link), (Settings::default(), vec![]));
    let link = Settings { knobs: BTreeMap::new(), ..score() }.to_link();
    assert_eq!(Settings::from_link_to(&score(), &link).0.knobs, BTreeMap::new());
}

#[test]
fn a_parameter_stays_with_its_sampler_and_old_keys_live_on() {
    let (settings, _) = Settings::from_link_to(&score(), "#sampler=heun&churn=5");
    assert_eq!((settings.steps, settings.knobs), (50, BTreeMap::from([("churn", 5.0)])));
    let (settings, problems) = Settings::from_link("#sampler=langevin&inner=3");
    assert_eq!((settings.knobs, problems), (BTreeMap::from([("langevin-steps", 3.0)]), vec![]));
    let (settings, problems) = Settings::from_link("#sampler=res-multistep");
    assert_eq!((settings.sampler.as_str(), problems), ("dpmpp-2m-heun", vec![]));
}

#[test]
fn defaults_that_no_link_could_have_are_named() {
    for (value, said) in [
        (json!({"steps": 0}), "steps must be a whole number from 1 to 1000, got \"0\""),
        (json!({"sampler": "magic"}), "sampler must be one of "),
        (json!({"stesp": 4}), "there is no setting stesp"),
        (json!({"lang": "zh"}), "there is no setting lang"),
        (json!({"model": "mnist"}), "the key of a default must be one of prompt, "),
        (json!({"sampler": "deis", "order": 9}), "order must be a whole number from "),
    ] {
        let problem = Settings::preset(&defaults(value.clone())).unwrap_err().to_string();
        assert!(problem.starts_with(said), "{value}: {problem}");
    }
    assert!(serde_json::from_value::<Defaults>(json!({"guidance": [2]})).is_err());
}

#[test]
fn settings_are_made_to_fit_the_models_the_sampler_and_the_classes() {
    let models = [listed("fashion-mnist", json!({}), false), listed("mnist", json!({"guidance": 3}), true)];
    let read = |link: &str| Settings::read_link(link, &models);
    let facts = Facts { classes: 10, ..Facts::default() };
    assert_eq!(codes(&read("#model=emoji").problems), ["one-of"]);
    assert_eq!(read("#model=emoji").settings.model, "fashion-mnist");
    assert_eq!(read("#model=mnist").settings.guidance, 3.0);
    assert_eq!(codes(&read("#classifier=2").problems), ["no-classifier"]);
    assert_eq!(read("#model=mnist&classifier=2").problems, []);
    assert_eq!(codes(&read("#sampler=heun&guide=cfgpp&eta=1").problems), ["no-knob", "no-cfgpp"]);
    assert_eq!(read("#schedule=custom:3,2,1&steps=9").settings.steps, 3);
    let fit = |link: &str, facts| read(link).settings.fit(&models, Some(facts));
    assert_eq!(codes(&fit("#class=10&guidance=1", facts)), ["class"]);
    assert_eq!(codes(&fit("#class=none&guidance=1", facts)), ["class"]);
    assert_eq!(codes(&fit("#guide=perp-10&guidance=1", facts)), ["class"]);
    assert_eq!(codes(&fit("#guide=cfgpp&sampler=ddim&guidance=2", facts)), ["no-guidance", "no-guidance"]);
    let labelled = Facts { null_class: Some(10), ..facts };
    assert_eq!(fit("#class=none&guidance=2", labelled), []);
    assert_eq!(fit("#class=none&guidance=2", Facts::default()), []);
    assert_eq!(codes(&fit("#class=0", Facts::default())), ["class"]);
}

#[test]
fn a_change_is_taken_or_named_and_takes_along_what_hangs_on_it() {
    let flow = json!({"sampler": "euler", "steps": 4});
    let models = [listed("fashion-mnist", json!({}), true), listed("flow", flow, false)];
    let (start, _) = Settings::from_link("#sampler=ddim&eta=0.5&seed=9&class=3&classifier=2");
    let change = |key: &str, value: Option<Value>| {
        let facts = Facts { classes: 10, null_class: Some(10), ..Facts::default() };
        start.clone().change(Page::default(), (key, value), &models, Some(facts))
    };
    let bad = change("steps", Some(5000.0.into()));
    assert_eq!((&bad.settings, codes(&bad.problems)), (&start, vec!["whole".to_owned()]));
    assert_eq!(change("steps", Some("30".into())).settings.steps, 30);
    let plus = change("guide", Some("cfgpp".into()));
    assert_eq!((plus.settings.guidance, codes(&plus.problems)), (0.6, vec!["cfgpp-scale".to_owned()]));
    let heun = plus.settings.change(Page::default(), ("sampler", Some("heun".into())), &models, None);
    assert_eq!((heun.settings.guide, heun.settings.guidance), (Guide::Cfg, 2.0));
    assert_eq!(codes(&heun.problems), ["no-cfgpp", "plain-scale"]);
    let (linked, _) = Settings::from_link("#sampler=ddim&guide=cfgpp&guidance=3");
    assert_eq!(linked.guidance, 3.0);
    assert_eq!(change("steps", None).settings.steps, 20);
    assert_eq!(change("eta", None).settings.knobs, BTreeMap::new());
    assert_eq!(change("lang", Some("en".into())).page.lang, Some("en"));
    assert!(change("embed", Some("1".into())).page.embed);
    assert!(change("bench", Some("1".into())).page.bench);
    assert!(["#bench", "#bench=1"].iter().all(|link| Settings::read_link(link, &[]).page.bench));
    assert!(!change("embed", Some("1".into())).page.shared().embed);
    let heun = change("sampler", Some("heun".into()));
    assert_eq!((heun.settings.knobs, heun.problems), (BTreeMap::new(), vec![]));
    // What stood as the first model has it is as the other has it; what was set stays, but not the class.
    let Checked { settings, problems, .. } = change("model", Some("flow".into()));
    assert_eq!((settings.model.as_str(), settings.steps, settings.seed), ("flow", 4, 9));
    assert_eq!((settings.sampler.as_str(), settings.class, settings.classifier), ("ddim", Class::All, 0.0));
    assert_eq!((settings.knobs["eta"], problems), (0.5, vec![]));
}

#[test]
fn prompts_are_read_as_a_person_writes_them_and_fit_models_of_words() {
    let words = Listed { text: Some(true), ..listed("words", json!({"prompt": "red heart"}), false) };
    let dots = Listed { text: Some(false), ..listed("dots", json!({}), false) };
    let models = [words, dots];
    let read = |link: &str| Settings::read_link(link, &models);
    let written = read("#model=words&prompt=three%20stars&negative=一只猫");
    assert_eq!((written.settings.prompt.as_str(), written.settings.negative.as_str()), ("three stars", "一只猫"));
    assert_eq!((read("#model=words").settings.prompt.as_str(), written.problems), ("red heart", vec![]));
    // A whole link without a prompt is of none.
    let empty = Settings { model: "words".to_owned(), ..Settings::default() };
    assert_eq!(read(&empty.to_link()).settings, empty);
    assert_eq!(codes(&read("#model=dots&prompt=a&negative=b&guide=perp").problems), ["no-text", "no-text", "no-text"]);
    assert_eq!(read("#model=dots&prompt=a").settings.prompt, "");
    assert_eq!(codes(&read(&format!("#model=words&prompt={}", "字".repeat(1001))).problems), ["long"]);
    assert_eq!(read(&format!("#model=words&prompt={}", "字".repeat(1000))).problems, []);

    assert_eq!(codes(&read("#model=dots&weighting=a1111").problems), ["no-text"]);
    assert_eq!(read("#model=words&weighting=a1111").problems, []);

    let text = Facts { text: true, latent: true, ..Facts::default() };
    let fit = |link: &str, facts| read(link).settings.fit(&models, Some(facts));
    assert_eq!(fit("#model=words&prompt=a&guide=perp&guidance=3", text), []);
    assert_eq!(codes(&fit("#model=words&prompt=a", Facts::default())), ["no-text"]);
    assert_eq!(codes(&fit("#model=words&guide=perp-1", text)), ["no-classes"]);
    assert_eq!(codes(&fit("#model=words&clip=range", text)), ["latent-clip"]);
    // A prompt goes along to another model of words, and stays behind at one of none, which needs no notice.
    let moved = written.settings.change(Page::default(), ("model", Some("dots".into())), &models, Some(text));
    assert_eq!((moved.settings.prompt.as_str(), moved.problems), ("", vec![]));
}

#[test]
fn sizes_are_brought_to_those_that_the_model_draws() {
    let fit = |link: &str, sizes| {
        let (mut settings, problems) = Settings::from_link(link);
        assert_eq!(problems, []);
        let problems = settings.fit(&[], Some(Facts { text: true, sizes, ..Facts::default() }));
        (settings.size, problems)
    };
    assert_eq!(fit("#size=96x64", Some([8, 4])), (Some([64, 96]), vec![]));
    let (size, problems) = fit("#size=97x10", Some([16, 8]));
    assert_eq!((size, codes(&problems)), (Some([16, 96]), vec!["size-multiple".to_owned()]));
    assert_eq!(problems[0].used, Some("96x16".into()));
    assert!(problems[0].to_string().contains("multiples of 8"), "{}", problems[0]);
    let (size, problems) = fit("#size=96x64", None);
    assert_eq!((size, codes(&problems)), (None, vec!["one-size".to_owned()]));
    assert_eq!(codes(&Settings::from_link("#size=96").1), ["size"]);
    assert!(!Settings::default().to_link().contains("size"));
}

#[test]
fn every_row_takes_its_default_and_has_a_line_of_help() {
    for row in TABLE {
        let mut settings = Settings::default();
        assert_eq!(row.set(&mut settings, &row.default()), Ok(()), "{}", row.key);
        assert!(settings == Settings::default() && !row.about.is_empty() && !row.section.is_empty(), "{}", row.key);
    }
    for key in ["backend", "lang", "embed"] {
        assert!(PAGE.iter().any(|row| row.key == key));
    }
}

proptest! {
    #[test]
    fn no_link_panics(link in "\\PC{0,80}") {
        Settings::read_link(&link, &[]);
    }

    #[test]
    fn every_prompt_is_read_back_from_its_link(prompt in "(&amp;|~[0-9a-f]{2}-|%26|[&=#%~ ).!]|\u{200d}|\\PC){0,30}") {
        let settings = Settings { prompt: prompt.clone(), negative: prompt, ..Settings::default() };
        prop_assert_eq!(Settings::from_link(&settings.to_link()), (settings, vec![]));
    }

    #[test]
    fn no_mangled_link_panics_and_what_is_read_is_written_again(
        link in "(#|&|=|%26|%3D|&amp;|%25|％|steps|seed|schedule|eta|model|class|karras:|custom:|[0-9.,)>]|\\PC){0,30}"
    ) {
        let (settings, _) = Settings::from_link(&link);
        prop_assert_eq!(Settings::from_link(&settings.to_link()), (settings, vec![]));
    }

    #[test]
    fn no_value_leaves_its_range(key in "steps|images|guidance|eta|order|churn|seed|class", value in "-?[0-9.eE%a-f]{0,12}") {
        let (s, _) = Settings::from_link(&format!("#sampler=sde-dpm-solver&{key}={value}"));
        prop_assert!(Settings::STEPS.contains(&s.steps) && Settings::IMAGES.contains(&s.images));
        prop_assert!(Settings::GUIDANCE.contains(&s.guidance));
        for knob in s.method::<f64>().unwrap().knobs {
            prop_assert!(s.knobs.get(knob.id).is_none_or(|value| knob.range().contains(value)));
        }
    }
}
