//! The words of a script.

use super::offers::Kind;
use super::{Place, Plan, Scripted, parts};
use crate::denoise::Prediction;
use crate::interchange::Arguments;
use serde_json::Value;

/// The script of `run` as `plan` has it.
pub(super) fn write(run: &Scripted<'_>, plan: &Plan, prediction: Prediction) -> String {
    let class = plan.offer.class;
    let scheduler = format!("{class}({})", keywords(&plan.config));
    let mut lines = begin(run, class, &scheduler, &timesteps(run, plan));
    if matches!(plan.offer.kind, Kind::Ratio | Kind::Between { .. }) {
        lines.push("x = x * (scheduler.sigmas[0] ** 2 + 1) ** 0.5".to_owned());
    }
    if plan.offer.kind == Kind::Flow && plan.first.alpha > 0.0 {
        lines.push("# The run does not start at pure noise, and the point there has data in it.".to_owned());
        lines.push("x = x * (scheduler.sigmas[0] ** 2 + (1 - scheduler.sigmas[0]) ** 2) ** 0.5".to_owned());
    }
    lines.extend(labels(run));
    if let Some(times) = &plan.times {
        lines.push("# diffusers would round these; the network takes them as they are.".to_owned());
        lines.push(format!("times = torch.tensor({times:?})"));
    }
    lines.extend([
        String::new(),
        "with torch.no_grad():".to_owned(),
        "    for i, t in enumerate(scheduler.timesteps):".to_owned(),
    ]);
    lines.extend(
        evaluation(run, plan.offer.kind == Kind::Flow, if plan.times.is_some() { "times[i]" } else { "t" })
            .into_iter()
            .chain(clip(run, plan.offer.kind, prediction))
            .map(|line| format!("        {line}")),
    );
    let step: String = plan.step.iter().map(|(key, value)| format!(", {key}={}", python(value))).collect();
    let generator = if plan.offer.draws { ", generator=generators" } else { "" };
    lines.push(format!("        x = scheduler.step(out, t, x{step}{generator}).prev_sample"));
    lines.extend(sheet(run));
    lines.join("\n") + "\n"
}

fn timesteps(run: &Scripted<'_>, plan: &Plan) -> String {
    if plan.timesteps.is_empty() { run.steps.to_string() } else { keywords(&plan.timesteps) }
}

/// The script until the first draw `x`: network, scheduler and generators.
pub(super) fn begin(run: &Scripted<'_>, class: &str, scheduler: &str, timesteps: &str) -> Vec<String> {
    let network = parts::network(run.parts.as_ref());
    let [imports, parts] = parts::begin(run.parts.as_ref());
    let more = if run.parts.as_ref().is_some_and(|parts| parts.texts.is_some()) { " transformers" } else { "" };
    let mut lines = vec![
        format!("# pip install torch diffusers==0.42.1 pillow{more}"),
        "import torch".to_owned(),
        format!("from diffusers import {class}, {network}"),
    ];
    lines.extend(imports);
    lines.extend([
        "from PIL import Image".to_owned(),
        String::new(),
        format!("model = {network}.from_pretrained({}).eval()", place(run, true).join(", ")),
    ]);
    lines.extend(parts);
    lines.extend([
        format!("scheduler = {scheduler}"),
        format!("scheduler.set_timesteps({timesteps})"),
        format!("generators = [{} for i in range({})]", seeded(run), run.labels.len()),
    ]);
    lines.extend(match run.size {
        Some([height, width]) => vec![format!("height, width = {height}, {width}")],
        None => vec![
            "size = model.config.sample_size".to_owned(),
            "height, width = size if isinstance(size, (list, tuple)) else (size, size)".to_owned(),
        ],
    });
    lines.extend([
        "shape = (1, model.config.in_channels, height, width)".to_owned(),
        "x = torch.cat([torch.randn(shape, generator=g) for g in generators])".to_owned(),
    ]);
    lines.extend(parts::states(run.parts.as_ref()));
    lines
}

/// The generator of picture `i`.
pub(super) fn seeded(run: &Scripted<'_>) -> String {
    format!("torch.Generator().manual_seed(({} + i) % 2**32)", run.seed)
}

/// Where the weights are, as arguments of `from_pretrained`: of the network alone, or of the whole folder.
pub(super) fn place(run: &Scripted<'_>, network: bool) -> Vec<String> {
    let Place { folder, subfolder, variant } = run.place;
    let subfolder = subfolder.filter(|_| network).map(|name| named("subfolder", name));
    let variant = variant.map(|name| named("variant", name));
    [Some(python(&Value::from(folder))), subfolder, variant].into_iter().flatten().collect()
}

/// A text as an argument with its name.
pub(super) fn named(key: &str, value: &str) -> String {
    format!("{key}={}", python(&Value::from(value)))
}

/// Whether the network is told labels.
fn labelled(run: &Scripted<'_>) -> bool {
    run.labels.iter().any(Option::is_some) || run.null_class.is_some()
}

/// The labels, where there are any.
pub(super) fn labels(run: &Scripted<'_>) -> Option<String> {
    let labels = run.labels.iter().map(|label| label.or(run.null_class).unwrap_or(0)).collect::<Vec<_>>();
    labelled(run).then(|| format!("labels = torch.tensor({labels:?})"))
}

/// The network's output `out` for the point `x`, guided.
pub(super) fn evaluation(run: &Scripted<'_>, flows: bool, time: &str) -> Vec<String> {
    let shown = if flows { "shown = x" } else { "shown = scheduler.scale_model_input(x, t)" };
    let parts = run.parts.as_ref();
    if parts.is_some_and(|parts| parts.texts.is_some()) {
        let mut lines =
            vec![shown.to_owned(), format!("out = model(shown, {time}, encoder_hidden_states=states).sample")];
        if run.guidance != 1.0 {
            lines.push(format!("free = model(shown, {time}, encoder_hidden_states=without).sample"));
            lines.push(format!("out = free + {:?} * (out - free)", run.guidance));
        }
        return lines;
    }
    let classes = if labelled(run) { ", class_labels=labels" } else { "" };
    // Transformers want a time for each image, and may answer with a variance, which these steps do not take.
    let transformer = parts::network(parts) == "DiTTransformer2DModel";
    let (time, drawn) = match transformer {
        true => (&*format!("{time}.expand(len(x))"), "[:, :shape[1]]"),
        false => (time, ""),
    };
    let mut lines = vec![shown.to_owned(), format!("out = model(shown, {time}{classes}).sample{drawn}")];
    if let Some(null) = run.null_class.filter(|_| run.guidance != 1.0 && run.labels.iter().any(Option::is_some)) {
        lines.push(format!("free = model(shown, {time}, class_labels=torch.full_like(labels, {null})).sample{drawn}"));
        lines.push(format!("out = free + {:?} * (out - free)", run.guidance));
    }
    lines
}

/// Holds the estimate of `x_0` to the range of values, and the output to what then implies it.
fn clip(run: &Scripted<'_>, kind: Kind, prediction: Prediction) -> Vec<String> {
    let Some([low, high]) = run.clips.filter(|_| !run.raw_noise) else { return Vec::new() };
    let ratio = ["a = 1 / (sigma**2 + 1) ** 0.5".to_owned(), "s = sigma * a".to_owned()];
    let mut lines: Vec<String> = match kind {
        _ if prediction == Prediction::Sample => Vec::new(),
        Kind::Table => vec!["a = scheduler.alphas_cumprod[t] ** 0.5".to_owned(), "s = (1 - a**2) ** 0.5".to_owned()],
        Kind::Solver | Kind::Ratio => [&["sigma = scheduler.sigmas[i]".to_owned()], &ratio[..]].concat(),
        Kind::Between { back } => {
            let between = format!("scheduler.sigmas_interpol[i - {back}]");
            [&[format!("sigma = {between} if i % 2 else scheduler.sigmas[i]")], &ratio[..]].concat()
        }
        Kind::Flow => vec!["s = scheduler.sigmas[i]".to_owned()],
    };
    let clamped = |x0: &str| format!("x0 = ({x0}).clamp({low:?}, {high:?})");
    match prediction {
        Prediction::Epsilon | Prediction::Score => {
            lines.extend([clamped("(shown - s * out) / a"), "out = (shown - a * x0) / s".to_owned()]);
        }
        Prediction::Velocity => lines.extend([clamped("a * shown - s * out"), "out = (a * shown - x0) / s".to_owned()]),
        Prediction::Flow => lines.extend([clamped("x - s * out"), "out = (x - x0) / s".to_owned()]),
        Prediction::Sample => lines.push(format!("out = out.clamp({low:?}, {high:?})")),
    }
    lines
}

/// The pictures of what was drawn, on a sheet.
pub(super) fn sheet(run: &Scripted<'_>) -> Vec<String> {
    let [low, high] = run.range;
    let mut lines = parts::decode(run.parts.as_ref());
    lines.extend([
        String::new(),
        format!("pixels = ((x.clamp({low:?}, {high:?}) - {low:?}) * {:?}).round().byte()", 255.0 / (high - low)),
        "pictures = [Image.fromarray(picture) for picture in pixels.permute(0, 2, 3, 1).squeeze(-1).numpy()]"
            .to_owned(),
    ]);
    lines.extend(tail());
    lines
}

/// The `pictures` on a sheet of eight columns.
pub(super) fn tail() -> [String; 6] {
    [
        "columns = min(8, len(pictures))",
        "width, height = pictures[0].size",
        "sheet = Image.new(pictures[0].mode, (columns * width, -(-len(pictures) // columns) * height))",
        "for i, picture in enumerate(pictures):",
        "    sheet.paste(picture, (i % columns * width, i // columns * height))",
        "sheet.save(\"pictures.png\")",
    ]
    .map(str::to_owned)
}

fn keywords(arguments: &Arguments) -> String {
    arguments.iter().map(|(key, value)| format!("{key}={}", python(value))).collect::<Vec<_>>().join(", ")
}

/// A JSON value as a Python literal.
pub(super) fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(list) => format!("[{}]", list.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", python(&Value::from(&**key)), python(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        // JSON's escapes are Python's.
        other => other.to_string(),
    }
}
