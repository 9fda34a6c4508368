//! What other programs call our samplers and schedules.

use crate::samplers::{Method, method, methods};

/// The web UI's names of samplers, by ComfyUI's.
const WEB_UI: [(&str, &str); 18] = [
    ("Euler", "euler"),
    ("Euler a", "euler_ancestral"),
    ("Heun", "heun"),
    ("LMS", "lms"),
    ("DPM2", "dpm_2"),
    ("DPM2 a", "dpm_2_ancestral"),
    ("DPM++ 2M", "dpmpp_2m"),
    ("DPM++ SDE", "dpmpp_sde"),
    ("DPM++ 2M SDE", "dpmpp_2m_sde"),
    ("DPM++ 2M SDE Heun", "dpmpp_2m_sde_heun"),
    ("DPM++ 2S a", "dpmpp_2s_ancestral"),
    ("DPM++ 3M SDE", "dpmpp_3m_sde"),
    ("DPM adaptive", "dpm_adaptive"),
    ("DDIM", "ddim"),
    ("DDPM", "ddpm"),
    ("DEIS", "deis"),
    ("UniPC", "uni_pc"),
    ("LCM", "lcm"),
];

/// Its names of schedules, and ours.
pub const SCHEDULES: [(&str, &str); 11] = [
    ("Karras", "karras"),
    ("Exponential", "exponential"),
    ("Polyexponential", "polyexponential"),
    ("SGM Uniform", "sgm-uniform"),
    ("KL Optimal", "kl-optimal"),
    ("Align Your Steps", "align-your-steps"),
    ("Simple", "simple"),
    ("Normal", "normal"),
    ("Uniform", "normal"),
    ("DDIM", "ddim-uniform"),
    ("Beta", "beta"),
];

/// Our id of what ComfyUI calls so.
pub fn of_comfyui(name: &str) -> Option<&'static str> {
    known(|method| method.comfyui == Some(name))
}

/// Our id of what the web UI calls so, or of what we do.
pub fn of_web_ui(label: &str) -> Option<&'static str> {
    let theirs = WEB_UI.iter().find(|(name, _)| name.eq_ignore_ascii_case(label));
    theirs
        .map_or_else(|| known(|method| method.name == label || method.id == label), |(_, comfyui)| of_comfyui(comfyui))
}

/// Our id of what diffusers calls so: the class of a scheduler, with or without its arguments.
pub fn of_diffusers(class: &str) -> Option<&'static str> {
    known(|method| method.diffusers.is_some_and(|name| name.split(['(', ' ', ',']).next() == Some(class)))
}

/// What the web UI calls a sampler of ours, or its own name where it has none.
pub fn to_web_ui(id: &str) -> String {
    let Some(method) = method::<f64>(id) else { return id.to_owned() };
    let theirs = WEB_UI.iter().find(|(_, comfyui)| method.comfyui == Some(comfyui));
    theirs.map_or(method.name, |(label, _)| label).to_owned()
}

/// The first row of the table of which this holds.
fn known(is: impl Fn(&Method<f64>) -> bool) -> Option<&'static str> {
    methods::<f64>().iter().find(|method| !method.compat && is(method)).map(|method| method.id)
}
