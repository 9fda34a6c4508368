//! Many inputs to one target.

use crate::memory::{self, Used};
use crate::mutate::{LONGEST, Random, mutated};
use crate::targets::{Input, Target};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// An input that takes longer is a hang.
pub const SLOW: Duration = Duration::from_secs(1);

/// An input that takes longer than this is given up, with the whole process.
const GIVEN_UP: Duration = Duration::from_secs(20);

/// Inputs that lead to something new become parents, up to so many of so many bytes.
const MOST_PARENTS: usize = 2000;
const LONGEST_PARENT: usize = 1 << 14;

/// What a target did with its inputs.
#[derive(Debug, Default)]
pub struct Report {
    pub inputs: usize,
    pub seconds: f64,
    pub slowest: Duration,
    /// The most of any input.
    pub used: Used,
    /// How many different things came of them: errors, problems, sizes.
    pub outcomes: usize,
    /// One of each kind.
    pub faults: Vec<Fault>,
}

/// An input that a target must not fail on, and does.
#[derive(Debug)]
pub struct Fault {
    pub what: String,
    pub input: Vec<u8>,
}

/// The kept inputs of a target, in the order of their names.
pub fn corpus(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

/// The file for the inputs of a target, in memory where there is such a folder: a disk would take longer than what is read.
pub fn scratch(target: &Target) -> PathBuf {
    let memory = Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir());
    memory.unwrap_or_else(std::env::temp_dir).join(format!("unnoise-fuzz-{}-{}", target.name, std::process::id()))
}

/// Gives a target its kept inputs and then children of them, `inputs` in all. The one that is being read stands in the file `at`,
/// where it is found if the process dies of it.
pub fn run(target: &Target, inputs: usize, at: &Path) -> io::Result<Report> {
    let mut parents = corpus(target)?;
    let kept = parents.len();
    let file = File::options().create(true).truncate(true).read(true).write(true).open(at)?;
    let mut random = Random(0);
    let (mut report, mut outcomes, mut found) = (Report::default(), HashSet::new(), HashSet::new());
    let begun = Instant::now();
    quietly(|| {
        while report.inputs < inputs.max(kept) {
            let input = match parents.get(report.inputs).filter(|_| report.inputs < kept) {
                Some(input) => input.clone(),
                None => mutated(&mut random, &parents, target.words),
            };
            file.set_len(0)?;
            file.write_all_at(&input, 0)?;
            let mut read = one(target, &input, at);
            if read.time > SLOW {
                read.time = read.time.min(one(target, &input, at).time); // the machine may have been busy
            }
            report.inputs += 1;
            report.slowest = report.slowest.max(read.time);
            report.used.largest = report.used.largest.max(read.used.largest);
            report.used.peak = report.used.peak.max(read.used.peak);
            let fault = match &read.outcome {
                Err(panic) => Some(panic.clone()),
                Ok(_) if read.time > SLOW => Some("it took more than a second".to_owned()),
                Ok(_) => None,
            };
            if let Some(what) = fault {
                if found.insert(kind(&what)) {
                    report.faults.push(Fault { what, input });
                }
            } else if outcomes.insert(kind(&read.outcome.unwrap_or_default()))
                && parents.len() < MOST_PARENTS
                && input.len() <= LONGEST_PARENT.min(LONGEST)
            {
                parents.push(input);
            }
        }
        Ok::<_, io::Error>(())
    })?;
    report.seconds = begun.elapsed().as_secs_f64();
    report.outcomes = outcomes.len();
    fs::remove_file(at)?;
    Ok(report)
}

struct Read {
    /// What came of it, or what the panic said.
    outcome: Result<String, String>,
    time: Duration,
    used: Used,
}

fn one(target: &Target, bytes: &[u8], path: &Path) -> Read {
    let begun = Instant::now();
    BEGUN.store(now(), Relaxed);
    let input = Input { bytes, path };
    let (outcome, used) = memory::used(|| panic::catch_unwind(AssertUnwindSafe(|| (target.read)(&input))));
    BEGUN.store(0, Relaxed);
    let said = || SAID.lock().map(|said| said.clone()).unwrap_or_default();
    Read { outcome: outcome.map_err(|_| said()), time: begun.elapsed(), used }
}

/// An outcome without what is only the input's: its numbers, names and texts.
fn kind(outcome: &str) -> String {
    let parts = outcome.split(['"', '`', '\'']).step_by(2);
    let plain = |c: &char| c.is_ascii_alphabetic() || matches!(c, ' ' | ';' | ',');
    parts.flat_map(str::chars).filter(plain).take(80).collect()
}

/// What the last panic said, and where.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Panics are kept in place of being printed.
fn quietly<T>(f: impl FnOnce() -> T) -> T {
    let before = panic::take_hook();
    panic::set_hook(Box::new(|panic| {
        if let Ok(mut said) = SAID.lock() {
            *said = panic.to_string();
        }
    }));
    let made = f();
    panic::set_hook(before);
    made
}

/// When the input that is being read was begun, in milliseconds of [`now`]; 0 between inputs.
static BEGUN: AtomicU64 = AtomicU64::new(0);

fn now() -> u64 {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed().as_millis() as u64 + 1
}

/// Ends the process if an input is never done with.
pub fn watch() {
    thread::spawn(|| {
        loop {
            thread::sleep(SLOW);
            let begun = BEGUN.load(Relaxed);
            if begun > 0 && now() - begun > GIVEN_UP.as_millis() as u64 {
                eprintln!("an input takes longer than {} s", GIVEN_UP.as_secs());
                std::process::abort();
            }
        }
    });
}
