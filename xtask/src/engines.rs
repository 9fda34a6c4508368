//! The page in Firefox and WebKit, beside the Chromium that the other checks drive.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::outside::Outcome;
use crate::{root, serve, tools};

/// Debian's packages: Firefox speaks WebDriver itself, WebKit has a driver and needs a screen.
const PACKAGES: [&str; 3] = ["firefox-esr", "webkit2gtk-driver", "xvfb"];

/// A short journey through the page in each engine that is here or can be installed; what is not is said, and not counted.
pub fn check() -> Result<Outcome> {
    if firefox().is_none() || webkit().is_none() {
        // Without a network this machine stays as it is.
        if let Err(why) = tools::debian(&PACKAGES) {
            println!("{} cannot be installed: {why:#}", PACKAGES.join(", "));
        }
    }
    let (firefox, webkit) = (firefox(), webkit());
    for (name, there) in [("Firefox", firefox.is_some()), ("WebKit with its driver and Xvfb", webkit.is_some())] {
        if !there {
            println!("{name} is not here, so the page is not tried in it (Debian: apt install {})", PACKAGES.join(" "));
        }
    }
    if firefox.is_none() && webkit.is_none() {
        return Ok(Outcome::Skipped("neither Firefox nor WebKit is here".to_owned()));
    }
    let live = serve::serve_behind(serve::site(root()))?;
    let mut tests = tools::npm("run");
    tests.args(["engines"]).env("UNNOISE_URL", format!("http://{live}/")).env("CHROMIUM", tools::chromium()?);
    if let Some(program) = firefox {
        tests.env("FIREFOX", program);
    }
    if let Some((driver, browser)) = webkit {
        tests.env("WEBKIT_DRIVER", driver).env("WEBKIT_BROWSER", browser);
    }
    tools::run(&mut tests)?;
    Ok(Outcome::Passed)
}

/// `$FIREFOX`, or one on the PATH.
fn firefox() -> Option<PathBuf> {
    env::var_os("FIREFOX").map(PathBuf::from).or_else(|| tools::find(&["firefox-esr", "firefox"]))
}

/// WebKit's driver and its browser, where there is a screen for them.
fn webkit() -> Option<(PathBuf, PathBuf)> {
    tools::find(&["Xvfb"])?;
    Some((tools::find(&["WebKitWebDriver"])?, mini_browser(Path::new("/usr/lib"))?))
}

/// WebKit's own small browser, which is not on the PATH: in `webkit2gtk-4.1` or the like, of this machine's kind.
fn mini_browser(libraries: &Path) -> Option<PathBuf> {
    let kinds = fs::read_dir(libraries).ok()?.flatten().map(|entry| entry.path());
    let versions = kinds.filter_map(|kind| fs::read_dir(kind).ok()).flatten().flatten();
    let named = versions.filter(|entry| entry.file_name().to_string_lossy().starts_with("webkit"));
    named.map(|entry| entry.path().join("MiniBrowser")).find(|path| path.is_file())
}
