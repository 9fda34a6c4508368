//! Recorded trajectories of diffusers and k-diffusion against the samplers.
#![cfg(feature = "replay")]

use std::fs;
use std::path::{Path, PathBuf};
use unnoise::replay::{self, By, Outcome, Replayed};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/samplers")
}

/// Those that did not pass.
fn left(replayed: &[Replayed]) -> Vec<&Replayed> {
    replayed.iter().filter(|r| !matches!(r.outcome, Outcome::Passed { .. })).collect()
}

#[test]
fn every_golden_trajectory_is_replayed() {
    let replayed = replay::dir(&golden()).unwrap();
    assert!(left(&replayed).is_empty(), "{:#?}", left(&replayed));
    let families = replay::summary(&replayed, By::Family);
    assert!(replayed.len() > 100 && families.len() > 35, "{families:#?}");
}

#[test]
fn the_reference_trajectories_are_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/samplers");
    if !folder.exists() {
        println!("skipped: {} is not here; tests/golden/samplers holds the same kind of cases", folder.display());
        return;
    }
    let replayed = replay::dir(&folder).unwrap();
    assert!(left(&replayed).is_empty(), "{:#?}", left(&replayed));
}

/// A folder of its own with family `family` of the golden ones, its index changed from `from` to `to`.
fn changed(test: &str, family: &str, from: &str, to: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    let index = fs::read_to_string(golden().join(family).with_extension("json")).unwrap();
    assert!(index.contains(from), "{family} has no {from}");
    fs::write(folder.join(family).with_extension("json"), index.replace(from, to)).unwrap();
    let tensors = format!("{family}.safetensors");
    fs::copy(golden().join(&tensors), folder.join(&tensors)).unwrap();
    folder
}

fn outcome(replayed: Vec<Replayed>, id: &str) -> Outcome {
    replayed.into_iter().find(|r| r.id == id).unwrap().outcome
}

#[test]
fn a_run_with_other_settings_fails() {
    for (i, (family, from, to, id, says)) in [
        ("ddim", r#""eta": 1.0"#, r#""eta": 0.9"#, "ddim.eta1.n10", "a point is"),
        ("ddim", r#""set_alpha_to_one": false"#, r#""set_alpha_to_one": true"#, "ddim.eta.5-not-one.n9", "a point is"),
        (
            "ddim",
            r#""use_clipped_model_output": true"#,
            r#""use_clipped_model_output": false"#,
            "ddim.clip.n8",
            "a point is",
        ),
        ("ddpm", r#""fixed_large""#, r#""fixed_small""#, "ddpm.large.n12", "a point is"),
        ("ddpm", r#""sigmoid""#, r#""linear""#, "ddpm.sigmoid.n5", "began at alpha"),
        (
            "euler",
            r#""timestep_type": "continuous""#,
            r#""timestep_type": "discrete""#,
            "euler.continuous.n5",
            "conditioning time",
        ),
        (
            "dpmpp_multistep",
            r#""euler_at_final": true"#,
            r#""euler_at_final": false"#,
            "dpmpp_multistep.euler-at-final.n7",
            "a point is",
        ),
        ("kdiff", r#""n_steps": 8"#, r#""n_steps": 9"#, "kdiff.heun.karras.n8", "it took 8 steps"),
        ("kdiff", r#"sample_dpmpp_2m""#, r#"sample_dpmpp_2m_sde""#, "kdiff.dpmpp_2m.karras.n8", "draws of noise"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = changed(&format!("fails-{i}"), family, from, to);
        match outcome(replay::dir(&folder).unwrap(), id) {
            Outcome::Failed { worst, reason } => {
                assert!(reason.contains(says) && worst > replay::TOLERANCE, "{id}: {reason}")
            }
            other => panic!("{id} with {to}: {other:?}"),
        }
    }
}

#[test]
fn what_no_sampler_does_is_skipped_with_its_reason() {
    for (i, (family, from, to, id, says)) in [
        (
            "kdiff",
            "k_diffusion.sampling.sample_heun",
            "k_diffusion.sampling.log_likelihood",
            "kdiff.heun.karras.n8",
            "log_likelihood",
        ),
        (
            "ddim",
            "diffusers.DDIMScheduler",
            "diffusers.VQDiffusionScheduler",
            "ddim.leading.n10",
            "VQDiffusionScheduler",
        ),
        ("ddim", r#""set_alpha_to_one": false"#, r#""new_key": 3"#, "ddim.eta.5-not-one.n9", "`new_key` = 3"),
        ("ddpm", r#""fixed_large""#, r#""fixed_large_log""#, "ddpm.large.n12", "fixed_large_log"),
        ("ddpm", r#""sigmoid""#, r#""tanh""#, "ddpm.sigmoid.n5", "tanh"),
        (
            "dpmpp_multistep",
            r#""solver_order": 1"#,
            r#""solver_order": 4"#,
            "dpmpp_multistep.dpmsolver++-first-order.n5",
            "order 4",
        ),
        ("euler", r#""n_steps": 10"#, r#""n_steps": 0"#, "euler.linspace.n10", "steps"),
        ("euler", "[14.0, 3.0, 0.5, 0.0]", "[14.0, 3.0, 3.5, 0.0]", "euler.explicit.nNone", "no grid"),
        ("euler", "[14.0, 3.0, 0.5, 0.0]", "[]", "euler.explicit.nNone", "without steps"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = changed(&format!("skips-{i}"), family, from, to);
        match outcome(replay::dir(&folder).unwrap(), id) {
            Outcome::Skipped { reason } => assert!(reason.contains(says), "{id}: {reason}"),
            other => panic!("{id} with {to}: {other:?}"),
        }
    }
}

#[test]
fn broken_records_are_errors_in_words() {
    for (i, (from, to, says)) in [
        (r#"{"family""#, "{family", "key must be a string"),
        (r#""cases""#, r#""walks""#, "missing field `cases`"),
        (r#""id": "heun.linspace.n8""#, r#""name": "heun.linspace.n8""#, "without an `id`"),
        (r#""id": "heun.linspace.n8""#, r#""id": "heun.other.n8""#, "no tensor `heun.other.n8/x`"),
        (r#""full_step_after": ["#, r#""full_step_after": ["yes", "#, "expected a boolean"),
        (r#""full_step_after""#, r#""full_step""#, "missing field `full_step_after`"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = changed(&format!("broken-{i}"), "heun", from, to);
        let said = replay::dir(&folder).unwrap_err().to_string();
        assert!(said.contains(says) && said.contains("heun.json"), "{to}: {said}");
    }

    let folder = changed("broken-tensors", "heun", "heun", "heun");
    fs::write(folder.join("heun.safetensors"), b"not tensors").unwrap();
    assert!(replay::dir(&folder).unwrap_err().to_string().contains("heun.safetensors"));
    fs::remove_file(folder.join("heun.safetensors")).unwrap();
    assert!(replay::dir(&folder).unwrap_err().to_string().contains("heun.safetensors"));
    fs::remove_file(folder.join("heun.json")).unwrap();
    assert!(replay::dir(&folder).unwrap_err().to_string().contains("no recorded trajectories"));
    assert!(replay::dir(&folder.join("absent")).unwrap_err().to_string().contains("absent"));
}
