//! A short run of every target, the same each time.

use unnoise_fuzz::{run, targets::TARGETS};

const INPUTS: usize = 2000;

#[test]
fn no_input_is_a_fault() {
    run::watch();
    let mut faults = Vec::new();
    for target in TARGETS {
        let report = run::run(target, INPUTS, &run::scratch(target)).expect("the corpus is read and the input written");
        assert_eq!(report.inputs, INPUTS, "{}", target.name);
        assert!(
            report.outcomes > 3,
            "{}: {} outcomes, so it is not the target that is read",
            target.name,
            report.outcomes
        );
        faults.extend(
            report
                .faults
                .into_iter()
                .map(|fault| format!("{}: {} on \"{}\"", target.name, fault.what, fault.input.escape_ascii())),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
