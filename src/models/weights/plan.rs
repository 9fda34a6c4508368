//! Which tensor of which file each parameter takes.

use super::files::WeightFiles;
use super::header::Entry;
use super::{WeightsError, read};
use crate::models::legacy;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, Reparameterization, Reparameterizer};
use burn::tensor::{DType, Device, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// What names of tensors hold that are added to a model's own.
const ADAPTERS: [&str; 4] = ["lora_", ".lora.", "hada_w1", "lokr_w1"];

/// How a module is filled: every parameter has its tensor, and every tensor its parameter.
pub struct Plan<'a> {
    files: WeightFiles<'a>,
    /// Of each file, in the order of their bytes.
    pub(super) tensors: Vec<Vec<Placed>>,
    device: Option<Device>,
}

/// A tensor of a file.
pub(super) struct Placed {
    /// The parameter that takes it, and how its values are stored; nothing for one that is left out.
    pub parameter: Option<(String, DType)>,
    pub range: Range<u64>,
}

impl Placed {
    /// How many values of this type it has.
    pub fn values(&self, dtype: DType) -> u64 {
        (self.range.end - self.range.start) / dtype.size() as u64
    }
}

impl<'a> Plan<'a> {
    /// Reads the headers of `files` and finds a tensor for every parameter in `wanted`. `rename` gives the module's name of a
    /// tensor, or `None` for one that is left out.
    ///
    /// # Errors
    /// A file that is truncated or otherwise no safetensors file; a tensor that is missing, unexpected, of another shape or
    /// of a type other than F64, F32, F16 or BF16.
    pub async fn new(
        wanted: Wanted,
        files: WeightFiles<'a>,
        rename: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, WeightsError> {
        let tensors = match_up(wanted.named, &files, rename).await?;
        Ok(Self { files, tensors, device: wanted.device })
    }

    /// Each file, and its bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let end = |placed: &Vec<Placed>| placed.last().map_or(0, |last| last.range.end);
        self.files.files.iter().zip(&self.tensors).map(move |((name, _), placed)| (name.as_str(), end(placed)))
    }

    /// Each parameter, and its bytes on the device, where float16 stays so if `half` says it.
    pub fn parameters(&self, half: bool) -> impl Iterator<Item = (&str, u64)> {
        self.placed().filter_map(move |placed| {
            let (name, dtype) = placed.parameter.as_ref()?;
            let size = if half && *dtype == DType::F16 { 2 } else { 4 };
            Some((name.as_str(), size * placed.values(*dtype)))
        })
    }

    /// How the values are stored, by the names that torch gives to types.
    pub fn stored(&self) -> Vec<&'static str> {
        let types = self.placed().filter_map(|placed| placed.parameter.as_ref());
        let mut names: Vec<_> = types.map(|(_, dtype)| torch_name(*dtype)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn placed(&self) -> impl Iterator<Item = &Placed> {
        self.tensors.iter().flatten()
    }

    /// Brings the tensors to the device. Those that are stored as float16 stay so there if `half` says it, and are widened
    /// where they are used; a module computes the same.
    ///
    /// # Errors
    /// A file that cannot be read or ends too early; values that are not finite; no memory.
    pub async fn read(self, half: bool) -> Result<Tensors, WeightsError> {
        let Some(device) = &self.device else { return Ok(Tensors::default()) };
        let tensors = read::tensors(&*self.files.reader, &self.tensors, device, half).await?;
        Ok(Tensors { tensors, half, path: Vec::new() })
    }
}

fn torch_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "float64",
        DType::F16 => "float16",
        DType::BF16 => "bfloat16",
        _ => "float32",
    }
}

/// The tensors of each file with the parameters, of which `wanted` has names and shapes, that take them.
async fn match_up(
    wanted: Vec<(String, Vec<usize>)>,
    files: &WeightFiles<'_>,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Vec<Placed>>, WeightsError> {
    let mut stored = Vec::new();
    for file in 0..files.files.len() {
        stored.push(files.header(file).await?);
    }
    // By the module's names: which file, and which of its tensors.
    let mut free: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (file, entries) in stored.iter().enumerate() {
        for (place, Entry { name, .. }) in entries.iter().enumerate() {
            if ADAPTERS.iter().any(|mark| name.contains(mark)) {
                return Err(WeightsError::Adapter { name: name.clone() });
            }
            let Some(name) = rename(name) else { continue };
            if free.insert(name.clone(), (file, place)).is_some() {
                return Err(WeightsError::Twice { name });
            }
        }
    }
    let unused = |Entry { range, .. }: &Entry| Placed { parameter: None, range: range.clone() };
    let mut placed: Vec<Vec<Placed>> = stored.iter().map(|entries| entries.iter().map(unused).collect()).collect();
    for (parameter, expected) in wanted {
        let older = legacy::parameter(&parameter).find(|older| free.contains_key(older));
        let name = if free.contains_key(&parameter) { parameter.clone() } else { older.unwrap_or(parameter.clone()) };
        let Some((file, place)) = free.remove(&name) else {
            return Err(WeightsError::Missing { name, expected });
        };
        let entry = &stored[file][place];
        if entry.shape != expected {
            return Err(WeightsError::Shape { name, expected, got: entry.shape.clone() });
        }
        let Some(dtype) = entry.float() else { return Err(WeightsError::Type { name, got: entry.dtype.clone() }) };
        placed[file][place].parameter = Some((parameter, dtype));
    }
    free.retain(|name, _| !legacy::is_copy(name));
    match free.first_key_value() {
        Some((name, _)) => Err(WeightsError::Unexpected { name: name.clone(), count: free.len() }),
        None => Ok(placed),
    }
}

/// Goes into a field of a module.
fn enter(path: &mut Vec<String>, name: &str, container: &str) {
    if is_named(container) {
        path.push(name.to_owned());
    }
}

fn exit(path: &mut Vec<String>, container: &str) {
    if is_named(container) {
        path.pop();
    }
}

/// Whether what is in a container has a name of its own in a file: an alternative of an enum has none, nor has the number of a scalar.
fn is_named(container: &str) -> bool {
    !container.starts_with(ENUM) && container != SCALAR
}

/// How burn calls the container of an enum's alternative, and a [`Scalar`](crate::nn::Scalar), whose number has no axes in a file.
const ENUM: &str = "Enum:";
const SCALAR: &str = "Struct:Scalar";

/// The names and shapes of a module's parameters, none of which is initialised by being looked at.
#[derive(Default)]
pub struct Wanted {
    path: Vec<String>,
    /// What the next parameter is in.
    container: String,
    pub(super) named: Vec<(String, Vec<usize>)>,
    device: Option<Device>,
}

impl Wanted {
    pub fn of(module: &impl Module) -> Self {
        let mut wanted = Self::default();
        module.visit(&mut wanted);
        wanted
    }

    /// Number of trained numbers.
    pub fn parameters(&self) -> usize {
        self.named.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }
}

impl ModuleVisitor for Wanted {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
        container.clone_into(&mut self.container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = if self.container == SCALAR { Vec::new() } else { param.lazy_shape().to_vec() };
        self.named.push((self.path.join("."), shape));
        self.device.get_or_insert_with(|| param.lazy_device());
    }
}

/// The tensors of a module, each of which is as long as its parameter has values.
#[derive(Default)]
pub struct Tensors {
    tensors: HashMap<String, Tensor<1>>,
    half: bool,
    path: Vec<String>,
}

impl Tensors {
    /// Gives them to the parameters of `module`.
    pub fn fill<M: Module>(mut self, module: M) -> M {
        module.map(&mut self)
    }
}

impl ModuleMapper for Tensors {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(tensor) = self.tensors.remove(&self.path.join(".")) else { return param };
        let (id, shape) = (param.id, param.lazy_shape());
        let filled = param.transform_for_load(tensor.reshape(shape), id);
        if self.half { filled.apply_reparameterization(Widen) } else { filled }
    }
}

/// Attaches [`Widened`] to what is stored in 16 bits.
struct Widen;

impl Reparameterizer for Widen {
    type Reparam = Widened;

    fn reparameterize<const D: usize>(
        &mut self,
        _path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<Widened>) {
        let half = param.base().dtype() == DType::F16;
        (param, half.then_some(Widened {}))
    }
}

/// A parameter of 16 bits that is computed with in 32.
#[derive(Module, Debug)]
struct Widened {}

impl Reparameterization for Widened {
    const NAME: &'static str = "widened";

    fn apply<const D: usize>(&self, base: Tensor<D>) -> Tensor<D> {
        base.cast(DType::F32)
    }
}
