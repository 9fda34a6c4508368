//! The script of a run that the folder's own scheduler makes.

use super::text::{begin, evaluation, labels, python, sheet};
use super::{Scripted, Unmapped};
use crate::interchange::diffusers::STEP;
use crate::interchange::scheduler_config::strict;
use serde_json::Value;

/// The script: the scheduler as the folder has it, and the loop of its pipeline.
pub(super) fn script(run: &Scripted<'_>) -> Result<String, Unmapped> {
    let mut config: Value = serde_json::from_str(&strict(run.scheduler_config)).map_err(|e| Unmapped(e.to_string()))?;
    let step = config.as_object_mut().and_then(|keys| keys.remove(STEP)).unwrap_or_default();
    // What is null stands at the class's default, which some classes do not take for a value.
    config.as_object_mut().into_iter().for_each(|keys| keys.retain(|_, value| !value.is_null()));
    let class = config["_class_name"].as_str().unwrap_or_default();
    if !run.clips_as_scheduler {
        let why = "on the model's own schedule diffusers clips as its scheduler says; set clip to model, or choose another schedule";
        return Err(Unmapped(why.to_owned()));
    }
    let explodes = class == "ScoreSdeVeScheduler";
    if explodes && run.labels.len() > 1 {
        let why = "diffusers' ScoreSdeVeScheduler takes norms over all pictures of a batch; set images to 1";
        return Err(Unmapped(why.to_owned()));
    }
    let flows = class.starts_with("FlowMatch");
    let scheduler = format!("{class}.from_config({})", python(&config));
    let mut lines = begin(run, class, &scheduler, &run.steps.to_string());
    if !flows {
        lines.push("x = x * scheduler.init_noise_sigma".to_owned());
    }
    lines.extend(labels(run));
    let body: Vec<String> = if explodes { correction(run) } else { plain(run, flows, &step) };
    let before = if explodes { "scheduler.set_sigmas(len(scheduler.timesteps))" } else { GENERATORS };
    lines.extend([before.to_owned(), String::new(), "with torch.no_grad():".to_owned()]);
    lines.push("    for i, t in enumerate(scheduler.timesteps):".to_owned());
    lines.extend(body.into_iter().map(|line| format!("        {line}")));
    if explodes {
        lines.push("x = mean".to_owned());
    }
    lines.extend(sheet(run));
    Ok(lines.join("\n") + "\n")
}

/// Not every class draws.
const GENERATORS: &str =
    "more = {\"generator\": generators} if \"generator\" in scheduler.step.__code__.co_varnames else {}";

/// `step` is what the pipeline gives to every step besides.
fn plain(run: &Scripted<'_>, flows: bool, step: &Value) -> Vec<String> {
    let mut lines = evaluation(run, flows, "t");
    let given = step.as_object().into_iter().flatten().map(|(key, value)| format!(" {key}={},", python(value)));
    lines.push(format!("x = scheduler.step(out, t, x,{} **more).prev_sample", given.collect::<String>()));
    lines
}

/// Corrector and predictor of a variance-exploding process.
fn correction(run: &Scripted<'_>) -> Vec<String> {
    let evaluate = evaluation(run, true, "sigma");
    let mut lines = vec!["sigma = scheduler.sigmas[i]".to_owned()];
    lines.push("for _ in range(scheduler.config.correct_steps):".to_owned());
    lines.extend(evaluate.iter().map(|line| format!("    {line}")));
    lines.push("    x = scheduler.step_correct(out, x, generator=generators[0]).prev_sample".to_owned());
    lines.extend(evaluate);
    lines.push("step = scheduler.step_pred(out, t, x, generator=generators[0])".to_owned());
    lines.push("x, mean = step.prev_sample, step.prev_sample_mean".to_owned());
    lines
}
