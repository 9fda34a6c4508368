//! The model that a command is given, or that of a link.

use clap::Args as ClapArgs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use unnoise::pipeline::Pipeline;
use unnoise::provenance::{self, Found};
use unnoise::samplers::methods;
use unnoise::settings::{Checked, Link, Linked as _, Origin, Repository, Settings, Value};

#[derive(ClapArgs)]
pub struct Linked {
    /// A share link of the page, quoted; the options below change what it says.
    #[arg(long)]
    link: Option<String>,
    /// A saved picture that says how it was made, which this makes again: one of ours, or as far as its settings have a place here
    /// one of AUTOMATIC1111's web UI, of ComfyUI, or with the arguments of a pipeline of diffusers
    #[arg(long, value_name = "PNG", conflicts_with = "link")]
    from: Option<PathBuf>,
    /// Model folder in the diffusers layout [default: models/NAME of the link, or models/fashion-mnist]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// SHA-256 of the weights that the picture was made with.
    #[arg(skip)]
    weights: BTreeMap<String, String>,
}

impl Linked {
    /// The model's folder: the given one, or the one that the link names. A model that is nowhere here has to be fetched first.
    pub fn folder(&self) -> Result<PathBuf, String> {
        if let Some(folder) = &self.model {
            return Ok(folder.clone());
        }
        let linked = Settings::from_link(self.text()).0.model;
        match Origin::of(&linked) {
            Origin::Folder => Ok(Path::new("models").join(linked)),
            Origin::Own(name) => Err(format!(
                "the link's model is a folder {name} on the computer of whoever made the link: ask for it, and give it with --model DIR"
            )),
            Origin::Hub(Repository { id, revision }) => {
                let name = id.rsplit('/').next().unwrap_or("model");
                let of = revision.map_or(String::new(), |revision| format!(" --revision {revision}"));
                Err(format!(
                    "the link's model is {id} of a model hub: fetch it with `hf download {id}{of} --local-dir {name}` (or `git clone https://huggingface.co/{id}`), and add `--model {name}`"
                ))
            }
        }
    }

    /// The name of the model's folder as a link has it, or the folder if no link can name it.
    pub fn name_of(folder: &Path) -> Result<String, PathBuf> {
        let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = full.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let taken = Settings::default().take_all(vec![("model".to_owned(), (&*name).into())]);
        taken.map(|()| name).map_err(|_| full)
    }

    /// Reads the picture, if there is one, and finds out whether the link says anything of a run of pictures. What a picture says
    /// and has no place here is named.
    pub fn read(&mut self) -> Result<(), String> {
        if let Some(path) = &self.from {
            let found = of_picture(path)?;
            (self.link, self.weights) = (Some(found.link), found.weights);
        }
        self.check()
    }

    /// Whether it is known with which weights the picture was made.
    pub fn knows_weights(&self) -> bool {
        !self.weights.is_empty()
    }

    /// Names the files of the model whose weights are not those that the picture was made with.
    pub fn compare(&self, here: &BTreeMap<String, String>) {
        let others = provenance::other_weights(&self.weights, here);
        if !others.is_empty() {
            eprintln!("warning: the picture was made with other weights: {}", others.join(", "));
        }
    }

    fn check(&self) -> Result<(), String> {
        let Some(text) = &self.link else { return Ok(()) };
        let link = Link::new(text);
        if link.view.is_some() {
            return Err(
                "--link is a link of the lab, and draws points; `unnoise lab` trains the network of one".to_owned()
            );
        }
        let knobs = || methods::<f64>().into_iter().flat_map(|method| method.knobs);
        let is_one = |key: &str| {
            let page = Settings::PAGE.iter().any(|row| row.key == key);
            Settings::row(key).is_some() || page || knobs().any(|knob| knob.id == key || knob.formerly == Some(key))
        };
        match link.pairs.iter().any(|(key, _)| is_one(key)) {
            true => Ok(()),
            false => Err(format!("--link \"{text}\" is no share link: it has no setting, such as #model=mnist&seed=3")),
        }
    }

    /// What the link says, changed by options, for a model in a folder. What cannot be used of the link is named.
    pub fn with(
        &self,
        options: &[(String, Value)],
        model: &Pipeline,
        folder: &Path,
    ) -> Result<Checked<Settings>, Box<dyn std::error::Error>> {
        let mut linked = Settings::linked_to(&model.preset()?, self.text());
        for problem in linked.problems.drain(..) {
            eprintln!("warning: the link: {problem}");
        }
        linked.settings.take_all(options.to_vec())?;
        if let Ok(name) = Self::name_of(folder) {
            linked.settings.model = name;
        }
        Ok(linked)
    }

    /// The link; an empty one says nothing.
    pub fn text(&self) -> &str {
        self.link.as_deref().unwrap_or_default()
    }
}

/// What a picture says. What has no place here is named.
fn of_picture(path: &Path) -> Result<Found, String> {
    let shown = path.display();
    let png = std::fs::read(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let found = provenance::read(&png).map_err(|e| format!("{shown} cannot be read: {e}"))?;
    let found = found.ok_or_else(|| format!("{shown} does not say how it was made; give the settings, or --link"))?;
    if !found.left.is_empty() {
        let left: Vec<_> = found.left.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        eprintln!("warning: {shown}: these have no place here: {}", left.join(", "));
    }
    if let Some(step) = found.step {
        eprintln!("warning: {shown} shows step {step} of the run, which is drawn to its end");
    }
    Ok(found)
}
