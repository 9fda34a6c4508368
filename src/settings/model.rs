//! What the setting `model` names: a folder of the site, a repository of a model hub, or files of a person's own.

use super::problem::{Reason, folder_name};
use std::fmt;

/// How the two begin that are no folders of the site.
const HUB: &str = "hub:";
const OWN: &str = "own:";
/// The hub that is meant where no other host is named.
const HOST: &str = "huggingface.co";
/// The longest part of a name.
const LONGEST: usize = 100;

/// A repository of a model hub, as a link names it: `hub:google/ddpm-cifar10-32@main`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its owner and its name, `google/ddpm-cifar10-32`.
    pub id: String,
    /// A branch, a tag or a commit; `None` for the hub's own choice, `main`.
    pub revision: Option<String>,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder of the site.
    Folder,
    Hub(Repository),
    /// Files that only their owner has, by the name of their folder.
    Own(String),
}

impl Origin {
    /// Of the model that the setting names; what is no name at all is taken for a folder.
    pub fn of(model: &str) -> Self {
        match (model.strip_prefix(HUB), model.strip_prefix(OWN)) {
            (Some(hub), _) => Repository::read(hub).map_or(Self::Folder, Self::Hub),
            (_, Some(own)) => Self::Own(own.to_owned()),
            _ => Self::Folder,
        }
    }
}

impl Repository {
    /// Reads `owner/name` or `owner/name@revision`.
    fn read(text: &str) -> Option<Self> {
        let (id, revision) = text.split_once('@').map_or((text, None), |(id, revision)| (id, Some(revision)));
        let (owner, name) = id.split_once('/')?;
        // A branch may have slashes in its name: `refs/pr/1`.
        let sound = |revision: &str| revision.split('/').all(|part| folder_name(part).is_ok());
        let sound = folder_name(owner).is_ok() && folder_name(name).is_ok() && revision.is_none_or(sound);
        sound.then(|| Self { id: id.to_owned(), revision: revision.map(str::to_owned) })
    }

    /// Reads what a person types or pastes: an id, or the address of the repository's page. With it, the host of an address
    /// that is another than Hugging Face's.
    pub fn typed(text: &str) -> Option<(Self, Option<String>)> {
        let text = text.trim();
        let text = text.strip_prefix(HUB).unwrap_or(text);
        let bare = text.strip_prefix("https://").or(text.strip_prefix("http://"));
        let Some(address) = bare.or_else(|| text.starts_with(HOST).then_some(text)) else {
            return Some((Self::read(text)?, None));
        };
        let path = address.split(['?', '#']).next()?.trim_end_matches('/');
        let mut parts = path.split('/');
        let host = parts.next()?;
        let id = format!("{}/{}", parts.next()?, parts.next()?);
        let revision = match parts.next() {
            Some("tree" | "blob" | "resolve") => format!("@{}", parts.next()?),
            _ => String::new(),
        };
        let scheme = &text[..text.len() - address.len()];
        Some((Self::read(&format!("{id}{revision}"))?, (host != HOST).then(|| format!("{scheme}{host}"))))
    }
}

/// As a link has it after `model=`.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.revision.as_ref().map_or(String::new(), |revision| format!("@{revision}"));
        write!(f, "{HUB}{}{revision}", self.id)
    }
}

/// How a link names a folder of a person's own: its characters that a link would not carry are dashes.
pub fn own_model(folder: &str) -> String {
    let kept = |c: char| if is_own(c) { c } else { '-' };
    let name: String = folder.trim().chars().map(kept).take(LONGEST).collect();
    // A full stop at the end would be taken for one of the sentence around the link.
    let name = name.trim_end_matches('.');
    format!("{OWN}{}", if name.is_empty() { "model" } else { name })
}

fn is_own(c: char) -> bool {
    c.is_alphanumeric() || "._-".contains(c)
}

/// The value of the setting.
pub(crate) fn model_name(value: &str) -> Result<String, Reason> {
    if let Some(hub) = value.strip_prefix(HUB) {
        let form = "a repository of a model hub and, after an @, its revision";
        let no_repository = Reason::Form { form, example: "hub:google/ddpm-cifar10-32@main" };
        return Repository::read(hub).map(|repository| repository.to_string()).ok_or(no_repository);
    }
    match value.strip_prefix(OWN) {
        Some(own) if own_model(own) == value => Ok(value.to_owned()),
        Some(_) => Err(Reason::Name),
        None => folder_name(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(id: &str, revision: Option<&str>) -> Repository {
        Repository { id: id.to_owned(), revision: revision.map(str::to_owned) }
    }

    #[test]
    fn ids_and_addresses_name_repositories() {
        let plain = repository("google/ddpm-cifar10-32", None);
        for text in [
            "google/ddpm-cifar10-32",
            " hub:google/ddpm-cifar10-32\n",
            "https://huggingface.co/google/ddpm-cifar10-32",
            "huggingface.co/google/ddpm-cifar10-32/",
            "https://huggingface.co/google/ddpm-cifar10-32/discussions?p=1#top",
        ] {
            assert_eq!(Repository::typed(text), Some((plain.clone(), None)), "{text}");
        }
        for (text, revision) in [
            ("google/ddpm-cifar10-32@main", "main"),
            ("google/ddpm-cifar10-32@refs/pr/1", "refs/pr/1"),
            ("https://huggingface.co/google/ddpm-cifar10-32/tree/v1.0", "v1.0"),
            ("https://huggingface.co/google/ddpm-cifar10-32/blob/267b167/README.md", "267b167"),
        ] {
            let named = repository("google/ddpm-cifar10-32", Some(revision));
            assert_eq!(Repository::typed(text), Some((named, None)), "{text}");
        }
        let mirrored = Some((plain, Some("http://127.0.0.1:8000".to_owned())));
        assert_eq!(Repository::typed("http://127.0.0.1:8000/google/ddpm-cifar10-32"), mirrored);
        for text in
            ["", "ddpm", "a/b/c", "../etc", "a/..", "a/b@", "a/b@x/../y", "https://huggingface.co/google", "a b/c"]
        {
            assert_eq!(Repository::typed(text), None, "{text}");
        }
    }

    #[test]
    fn the_setting_takes_folders_repositories_and_own_names() {
        for value in ["fashion-mnist", "hub:google/ddpm-cifar10-32", "hub:a/b@refs/pr/1", "own:我的-模型", "own:a.b_c"]
        {
            assert_eq!(model_name(value), Ok(value.to_owned()));
        }
        for (value, origin) in [
            ("fashion-mnist", Origin::Folder),
            ("hub:a/b@main", Origin::Hub(repository("a/b", Some("main")))),
            ("own:cats", Origin::Own("cats".to_owned())),
        ] {
            assert_eq!(Origin::of(value), origin);
        }
        for value in ["hub:", "hub:ddpm", "hub:../x", "hub:a/b@", "own:", "own:a/b", "own:a b", "a/b", "..", "web:a/b"]
        {
            assert!(model_name(value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_folder_of_ones_own_has_a_name_that_a_link_carries() {
        for (folder, name) in
            [("my cats (v2).", "own:my-cats--v2-"), ("模型", "own:模型"), ("..", "own:model"), ("", "own:model")]
        {
            assert_eq!(own_model(folder), name);
            assert_eq!(model_name(name), Ok(name.to_owned()));
        }
    }
}
