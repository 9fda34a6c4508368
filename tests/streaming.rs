//! Weights are read tensor by tensor: what that takes of memory, and what is said before anything large is read.
#![cfg(feature = "cpu")]

use burn::tensor::{DType, Device, Tensor};
use pollster::block_on;
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use unnoise::backend::{self, Backend};
use unnoise::models::folder::FolderError;
use unnoise::models::unet2d::{Unet2d, Unet2dConfig};
use unnoise::models::{Memory, Plan, Source, Wanted, WeightFiles, own_name, save};
use unnoise::pipeline::{Needs, Pipeline};

/// Counts the bytes of the heap, and the most that there were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// The heap belongs to one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

const WEIGHTS: &str = "unet/diffusion_pytorch_model.safetensors";

fn own(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest").join(name))
        .expect("a file of models/selftest")
}

/// The configuration of the self-test network with so many times as many channels.
fn config(times: u64) -> String {
    let mut config: Value = serde_json::from_slice(&own("unet/config.json")).expect("JSON");
    for channels in config["block_out_channels"].as_array_mut().expect("a list") {
        *channels = json!(channels.as_u64().expect("a number") * times);
    }
    config.to_string()
}

/// The folder of such a network, whose weights are stored as `dtype`.
fn widened(times: u64, dtype: DType) -> Memory {
    let config = config(times);
    let net = Unet2d::new(&Unet2dConfig::from_json(&config).expect("a configuration"), &device());
    let weights = block_on(save(&net, |_| dtype)).expect("the CPU does not fail");
    let scheduler = own("scheduler/scheduler_config.json");
    Memory(BTreeMap::from([
        ("unet/config.json".to_owned(), config.into_bytes()),
        ("scheduler/scheduler_config.json".to_owned(), scheduler),
        (WEIGHTS.to_owned(), weights),
    ]))
}

/// A folder on disk, which is removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &Memory) -> Self {
        let path = std::env::temp_dir().join(format!("unnoise-streaming-{}-{name}", std::process::id()));
        for (name, bytes) in &files.0 {
            let file = path.join(name);
            fs::create_dir_all(file.parent().expect("below the folder")).expect("a folder");
            fs::write(file, bytes).expect("written");
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Files that note what is read of them.
struct Noted {
    files: Memory,
    /// Paths that were read whole.
    whole: RefCell<Vec<String>>,
    /// Where each range of the weights began, and how long it was.
    ranges: RefCell<Vec<(u64, usize)>>,
    /// From which place on they cannot be read any more.
    end: Option<u64>,
}

impl Noted {
    fn new(files: Memory) -> Self {
        Self { files, whole: RefCell::default(), ranges: RefCell::default(), end: None }
    }
}

impl Source for Noted {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        self.files.list().await
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        self.whole.borrow_mut().push(path.to_owned());
        self.files.read(path).await
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FolderError> {
        self.files.size(path).await
    }

    async fn range(&self, path: &str, from: u64, into: &mut [u8]) -> Result<(), FolderError> {
        self.ranges.borrow_mut().push((from, into.len()));
        if self.end.is_some_and(|end| from + into.len() as u64 > end) {
            return Err(FolderError::Short { path: path.to_owned() });
        }
        self.files.range(path, from, into).await
    }

    fn beside(&self, _name: &str) -> Self {
        Self::new(Memory::default())
    }
}

/// What a network answers to a picture of ones.
fn answer(net: &Unet2d) -> Vec<f32> {
    let [height, width] = net.config().sample_size;
    let x = Tensor::<4>::ones([1, net.config().in_channels, height, width], &device());
    block_on(backend::read(net.forward(x, &[9.0], Some(&[1])))).expect("the CPU does not fail")
}

const MB: usize = 1_000_000;

/// The values of the weights, a piece of the file and what belongs to parameters besides their values.
#[test]
fn loading_takes_the_weights_and_a_few_megabytes() {
    let _alone = alone();
    for dtype in [DType::F32, DType::F16] {
        let folder = Folder::new("memory", &widened(24, dtype));
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let model = Pipeline::from_dir(&folder.0, &device()).expect("it loads");
        let (peak, weights) = (MOST.load(Relaxed) - before, 4 * model.parameters());
        assert!(weights > 30 * MB, "{weights} bytes are too few to tell");
        assert!(peak >= weights, "{peak} bytes for weights of {weights} are not counted right");
        let most = weights + weights / 100 + 5 * MB;
        assert!(peak <= most, "{dtype:?}: {peak} bytes for weights of {weights}, at most {most} are allowed");
    }
}

#[test]
fn weights_are_read_forward_in_pieces_and_nothing_of_them_twice() {
    let _alone = alone();
    let source = Noted::new(widened(16, DType::F32));
    let size = source.files.0[WEIGHTS].len() as u64;
    block_on(Pipeline::open(&source, &device())).expect("it loads");
    assert!(!source.whole.borrow().iter().any(|path| path == WEIGHTS), "{:?}", source.whole.borrow());
    let ranges = source.ranges.borrow();
    assert_eq!(ranges[0], (0, 8));
    let mut end = 0;
    for (from, length) in ranges.iter() {
        assert_eq!(*from, end, "{ranges:?}");
        assert!(*length <= 4 << 20, "{length} bytes at once");
        end += *length as u64;
    }
    assert_eq!(end, size);
    // Several small tensors come together.
    assert!(ranges.len() < 12, "{} ranges", ranges.len());
}

#[test]
fn what_is_refused_is_refused_before_tensors_are_read() {
    let _alone = alone();
    let mut files = widened(2, DType::F32);
    files.0.insert("unet/config.json".to_owned(), config(3).into_bytes());
    let source = Noted::new(files);
    let refusal = block_on(Pipeline::open(&source, &device())).err().expect("another network").to_string();
    assert!(refusal.contains("has shape") && refusal.contains("the configuration needs"), "{refusal}");
    assert_eq!(source.ranges.borrow().len(), 2, "more than the header was read");
}

#[test]
fn a_source_that_ends_too_early_is_named() {
    let _alone = alone();
    let mut source = Noted::new(widened(8, DType::F32));
    let size = source.files.0[WEIGHTS].len() as u64;
    source.end = Some(size - 1);
    let refusal = block_on(Pipeline::open(&source, &device())).err().expect("it ends").to_string();
    assert!(refusal.contains(WEIGHTS) && refusal.contains("download it again"), "{refusal}");
}

#[test]
fn what_a_folder_needs_is_known_from_its_headers() {
    let _alone = alone();
    let source = Noted::new(widened(4, DType::F16));
    let size = source.files.0[WEIGHTS].len() as u64;
    let Needs { files, bytes, memory } = block_on(Pipeline::needs(&source, &device())).expect("it would load");
    assert_eq!((files, bytes), (vec![(WEIGHTS.to_owned(), size)], size));
    assert_eq!(source.ranges.borrow().len(), 2, "more than the header was read");
    let model = block_on(Pipeline::open(&source, &device())).expect("it loads");
    assert_eq!(memory, 4 * model.parameters() as u64, "on the CPU float16 becomes float32");
    assert_eq!((model.parts[0].bytes, &model.parts[0].stored[..]), (size, &["float16"][..]));
}

/// Values of 16 bits are exact in 32, so that it makes no difference where they are widened.
#[test]
fn weights_that_stay_float16_compute_the_same_in_half_the_memory() {
    let _alone = alone();
    let files = widened(16, DType::F16);
    let loaded = |half: bool| {
        let before = NOW.load(Relaxed);
        let net = Unet2d::new(&Unet2dConfig::from_json(&config(16)).expect("a configuration"), &device());
        let parts = [&files.0[WEIGHTS]];
        let plan = block_on(Plan::new(Wanted::of(&net), WeightFiles::in_memory(&parts), &own_name));
        let net = block_on(plan.expect("it fits").read(half)).expect("it loads").fill(net);
        let held = NOW.load(Relaxed) - before;
        (answer(&net), held)
    };
    let ((wide, whole), (narrow, halved)) = (loaded(false), loaded(true));
    assert_eq!(wide, narrow);
    assert!(wide.iter().any(|value| value.abs() > 1e-3), "{wide:?}");
    // What belongs to parameters besides their values is the same.
    assert!(halved < whole * 6 / 10, "{halved} bytes instead of {whole}");
}

/// The same values in every type that is read, where each holds them exactly.
#[test]
fn values_are_read_from_every_type_of_float() {
    let _alone = alone();
    let small = widened(1, DType::F16);
    let file = &small.0[WEIGHTS];
    let length = u64::from_le_bytes(file[..8].try_into().expect("8 bytes")) as usize;
    let header: serde_json::Map<String, Value> = serde_json::from_slice(&file[8..8 + length]).expect("JSON");
    let expected = written(&header, "F32", |v| v.to_le_bytes().to_vec());
    let expected = answer(&Unet2d::load(&config(1), &expected, &device()).expect("it loads"));
    type Encode = fn(f32) -> Vec<u8>;
    let encode: [(&str, Encode); 3] = [
        ("F64", |v| f64::from(v).to_le_bytes().to_vec()),
        ("F16", |v| burn::tensor::f16::from_f32(v).to_le_bytes().to_vec()),
        // The upper half of a single-precision number.
        ("BF16", |v| v.to_le_bytes()[2..].to_vec()),
    ];
    for (dtype, encode) in encode {
        let bytes = written(&header, dtype, encode);
        let net = Unet2d::load(&config(1), &bytes, &device()).unwrap_or_else(|e| panic!("{dtype}: {e}"));
        assert_eq!(answer(&net), expected, "{dtype}");
    }
}

/// The tensors of a header, stored as `dtype`, with values of few digits.
fn written(header: &serde_json::Map<String, Value>, dtype: &str, encode: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut next = 0u32;
    let mut tensors = header.clone();
    for tensor in tensors.values_mut() {
        let count: u64 = tensor["shape"].as_array().expect("a shape").iter().filter_map(Value::as_u64).product();
        let start = body.len();
        for _ in 0..count {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            body.extend(encode(((next >> 28) as f32 - 7.5) / 32.0));
        }
        tensor["dtype"] = json!(dtype);
        tensor["data_offsets"] = json!([start, body.len()]);
    }
    let header = Value::Object(tensors).to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &body].concat()
}
