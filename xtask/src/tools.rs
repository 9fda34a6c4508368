//! The programs that the tasks call, and how to get them.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// What `rustc` calls the browser.
pub const WASM: &str = "wasm32-unknown-unknown";

/// The cargo that runs this task, in the repository's root.
pub fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program in the repository's root, which asks no questions.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::root()).stdin(Stdio::null());
    command
}

/// Runs a command, whose own words go to the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", line(command)))?;
    ensure!(status.success(), "`{}` failed ({status})", line(command));
    Ok(())
}

/// Runs a command and returns what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("could not start `{}`", line(command)))?;
    ensure!(output.status.success(), "`{}` failed ({})", line(command), output.status);
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", line(command)))
}

/// What cargo knows of the workspace.
pub fn metadata(flags: &[&str]) -> Result<Value> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1"]).args(flags))?;
    serde_json::from_str(&metadata).context("cargo's metadata are no JSON")
}

/// The command as a person would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Where the first of these programs is on the PATH.
pub fn find(programs: &[&str]) -> Option<PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    programs.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Makes sure that the Rust toolchain can compile for the browser.
pub fn wasm_target() -> Result<()> {
    let libraries = output(command("rustc").args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    if find(&["rustup"]).is_none() {
        bail!(
            "this Rust toolchain has no {WASM} library and no rustup to fetch it: install Rust from https://rustup.rs"
        );
    }
    run(command("rustup").args(["target", "add", WASM]))
}

/// npm in the folder of the page's tests.
pub fn npm(task: &str) -> Command {
    let mut npm = command("npm");
    npm.args([task, "--prefix", "tests/e2e"]);
    npm
}

/// Makes sure that the page's tests have what they need.
pub fn page_tests() -> Result<()> {
    chromium()?;
    packages()
}

/// Fetches the npm packages, of which npm checks that they are the locked ones.
pub fn packages() -> Result<()> {
    node()?;
    run(fetching(&mut npm("ci")))
}

/// `npm ci` without what is not needed. The browser is the system's: Playwright is to download none. What npm says goes where messages go, as
/// a task may print a table.
pub fn fetching(npm: &mut Command) -> &mut Command {
    npm.args(["--no-audit", "--no-fund"]).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").stdout(io::stderr())
}

/// Makes sure that there is a Node.js which can run the page's tests.
fn node() -> Result<()> {
    ensure!(
        find(&["npm"]).is_some(),
        "the page's tests need Node.js 18 or later with npm: install it from https://nodejs.org"
    );
    let version = output(command("node").arg("--version"))?;
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    ensure!(major >= 18, "the page's tests need Node.js 18 or later and found {}", version.trim());
    Ok(())
}

/// The browser that the page is tested in: `$CHROMIUM`, or one on the PATH, or Debian's package.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM").map(PathBuf::from) {
        ensure!(path.is_file(), "CHROMIUM names {}, which is no file", path.display());
        return Ok(path);
    }
    let installed = || find(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]);
    if let Some(path) = installed() {
        return Ok(path);
    }
    // The Chinese page needs a font that has its characters.
    debian(&["chromium", "fonts-noto-cjk"])?;
    installed().context("the page's tests need Chromium or Chrome: install it (Debian: apt install chromium), or set CHROMIUM to its path")
}

/// A file that Chromium brings: beside the program, or where Debian's and Google's packages have it, whose `chromium` is a script.
pub fn chromium_file(name: &str) -> Result<Option<PathBuf>> {
    let program = chromium()?.canonicalize()?;
    let folders = program.parent().into_iter().chain(["/usr/lib/chromium", "/opt/google/chrome"].map(Path::new));
    Ok(folders.map(|folder| folder.join(name)).find(|path| path.is_file()))
}

/// Installs Debian's packages where that can be done: on Debian, as root.
pub fn debian(packages: &[&str]) -> Result<()> {
    if find(&["apt-get"]).is_none() || output(command("id").arg("-u"))?.trim() != "0" {
        return Ok(());
    }
    run(command("apt-get").args(["update", "-qq"]))?;
    run(command("apt-get").args(["install", "-y", "-qq"]).args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}
