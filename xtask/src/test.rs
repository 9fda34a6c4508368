//! Every check, in an order in which a mistake is found early.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::module::Module;
use crate::outside::{self, Outcome};
use crate::{crates, dist, engines, readme, root, serve, tools, vendor, wasm};

/// Where the tests find the published folder: a path of two parts, as on a host that serves many projects.
const UNDER: &str = "/some/project";

/// Everything but `cuda`, whose libraries fetch a compiler of hundreds of megabytes.
const FEATURES: &str = "unnoise/cli,unnoise/gpu";

/// A check and the name under which it fails.
type Stage = (&'static str, Check);

/// What is checked: by what every machine has, or by a program that may not be had here.
enum Check {
    Own(fn() -> Result<()>),
    Outside(fn() -> Result<Outcome>),
}
use Check::{Outside, Own};

/// The quick come first. Nothing is compiled twice: what the two lints of the engines and the documentation know of the
/// libraries is shared, and the page is tested on the engines that the stages before it have built.
const STAGES: [Stage; 20] = [
    ("format", Own(|| tools::run(tools::cargo().args(["fmt", "--all", "--check"])))),
    ("tools", Own(install)),
    ("spelling", Outside(outside::spelling)),
    ("licences and sources of the libraries", Outside(outside::licences)),
    ("mathematics, denoisers and samplers alone", Own(|| tools::run(tools::cargo().arg("test")))),
    (
        "interchange, settings and the laboratory without networks",
        Own(|| tools::run(tools::cargo().args(["check", "--features", "lab,replay"]))),
    ),
    ("lint", Own(|| lint(tools::cargo().args(["clippy", "--workspace", "--all-targets", "--features", FEATURES])))),
    ("documentation", Own(document)),
    ("tests", Own(tests)),
    ("kernels of graphics cards", Outside(kernels)),
    ("crate as its users get it", Own(crates::check)),
    ("commands of the README", Own(readme::check)),
    ("lint of the settings module", Own(|| lint_engine(Module::Settings))),
    ("lint of the CPU engine", Own(|| lint_engine(Module::Cpu))),
    ("lint of the lab", Own(|| lint_engine(Module::Lab))),
    ("lint of the module of films", Own(|| lint_engine(Module::Film))),
    ("lint of the WebGPU engine", Own(|| lint_engine(Module::Webgpu))),
    ("modules of the page", Own(|| wasm::build(&Module::ALL))),
    ("page", Own(page)),
    ("page in Firefox and WebKit", Outside(engines::check)),
];

/// Runs the stages up to the first that fails. The last line counts them; a skipped check has not passed.
pub fn test() -> ExitCode {
    let start = Instant::now();
    let (mut passed, mut skipped) = (0, 0);
    for (name, check) in &STAGES {
        println!("\n== {name}");
        let begun = Instant::now();
        let result = match check {
            Own(check) => check().map(|()| Outcome::Passed),
            Outside(check) => check(),
        };
        let seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(Outcome::Passed) => {
                passed += 1;
                println!("== {name}: {seconds:.1} s");
            }
            Ok(Outcome::Skipped(why)) => {
                skipped += 1;
                println!("== {name}: skipped, because {why}");
            }
            Err(error) => {
                println!("== {name}: FAILED after {seconds:.1} s: {error:#}");
                println!("{} later checks were not run", STAGES.len() - passed - skipped - 1);
                println!("checks: {passed} passed, 1 failed, {skipped} skipped");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\nall checks took {:.0} s", start.elapsed().as_secs_f64());
    println!("checks: {passed} passed, 0 failed, {skipped} skipped");
    ExitCode::SUCCESS
}

/// Fetches what the later stages need, so that a machine that cannot have it says so in the first minute.
fn install() -> Result<()> {
    // Copies that an earlier run compiled: cargo takes a workspace for the same wherever it lies, and what was made of them for up to date.
    for copy in [readme::place()?, crates::place()?] {
        if copy.exists() {
            fs::remove_dir_all(&copy)?;
        }
    }
    tools::wasm_target()?;
    tools::page_tests()?;
    vendor::check()
}

fn lint(clippy: &mut Command) -> Result<()> {
    tools::run(clippy.args(["--", "--deny", "warnings"]))
}

/// Lints an engine for what a browser does not allow.
fn lint_engine(module: Module) -> Result<()> {
    let mut clippy = tools::cargo();
    clippy.args(["clippy", "--lib", "--target", tools::WASM, "--no-default-features", "--features", module.feature()]);
    lint(clippy.env("CLIPPY_CONF_DIR", root().join("clippy-wasm")))
}

fn document() -> Result<()> {
    tools::run(
        tools::cargo()
            .args(["doc", "--workspace", "--no-deps", "--features", FEATURES])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

/// The library, these tasks and the fuzz targets apart: together they would be built with the sum of their libraries' features, and
/// `cargo xtask` and `cargo test` by themselves never use that.
fn tests() -> Result<()> {
    tools::run(tools::cargo().args(["test", "--features", "cli"]))?;
    tools::run(tools::cargo().args(["test", "--package", "unnoise-kernels"]))?;
    tools::run(tools::cargo().args(["test", "--package", "xtask", "--profile", "xtask"]))?;
    tools::run(tools::cargo().args(["test", "--package", "unnoise-fuzz"]))
}

/// The test of the kernels that needs float16 (shader-f16), and where Debian has a driver that imitates one.
const HALF: &str = "float16_weights";
const LAVAPIPE: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// The kernels of graphics cards on SwiftShader, which Chromium brings and which imitates one, so that every machine computes the same. It
/// has no float16; Mesa's lavapipe has, where it is installed.
fn kernels() -> Result<Outcome> {
    let Some(driver) = tools::chromium_file("vk_swiftshader_icd.json")? else {
        return Ok(Outcome::Skipped("this Chromium has no SwiftShader beside it".to_owned()));
    };
    let tests = |driver: &Path, args: &[&str]| {
        let mut test = tools::cargo();
        test.args(["test", "--package", "unnoise-kernels-gpu"]).args(args).env("VK_DRIVER_FILES", driver);
        test
    };
    let mut test = tests(&driver, &["--", "--skip", HALF]);
    // The loader of Vulkan lies there too, where the system has none.
    if let Some(folder) = driver.parent().filter(|folder| folder.join("libvulkan.so.1").is_file()) {
        test.env("LD_LIBRARY_PATH", folder);
    }
    tools::run(&mut test)?;
    match Path::new(LAVAPIPE) {
        lavapipe if lavapipe.is_file() => tools::run(&mut tests(lavapipe, &["--test", "conv", HALF]))?,
        _ => println!("not run: {HALF}: it needs Mesa's lavapipe (Debian's mesa-vulkan-drivers)"),
    }
    Ok(Outcome::Passed)
}

/// The page in a browser, as it is edited and as it is published.
fn page() -> Result<()> {
    let published = env::current_exe()?.with_file_name("site");
    dist::dist(&published, &Module::ENGINES, None)?;
    let live = serve::serve_behind(serve::site(root()))?;
    let host = serve::serve_behind(serve::folder(&published, UNDER))?;
    let mut tests = tools::npm("test");
    tests.env("UNNOISE_DIST", &published).env("UNNOISE_BIN", command_line()?);
    tests.env("UNNOISE_URL", format!("http://{live}/")).env("UNNOISE_DIST_URL", format!("http://{host}{UNDER}/"));
    tools::run(tests.env("CHROMIUM", tools::chromium()?))
}

/// Builds the command line, with whose pictures the page's tests compare those of the page.
fn command_line() -> Result<PathBuf> {
    tools::run(tools::cargo().args(["build", "--features", "cli", "--bin", "unnoise"]))?;
    Ok(tools::target()?.join("debug").join("unnoise").with_extension(env::consts::EXE_EXTENSION))
}
