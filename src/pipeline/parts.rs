//! The networks of a pipeline: found first, with everything that can be refused, and then filled with their weights.

use super::encodings::Encodings;
use super::folder::Folder;
use super::index::{Index, TEXT_ENCODERS};
use super::{Conditioning, Latents, Network, Pipeline, PipelineError, Source, TextEncoder, TextEncoders};
use crate::backend::Limits;
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::models::autoencoder_tiny::AutoencoderTiny;
use crate::models::clip_text::ClipText;
use crate::models::dit::Dit;
use crate::models::folder::Place;
use crate::models::unet2d::Unet2d;
use crate::models::unet2d_condition::Unet2dCondition;
use crate::models::vq_model::VqModel;
use crate::models::{LoadError, PartError, Plan, Tensors, Wanted, WeightFiles, own_name};
use burn::module::Module;
use burn::tensor::Device;
use std::collections::VecDeque;

/// A network of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its folder.
    pub folder: &'static str,
    /// Its class in diffusers or transformers.
    pub class: &'static str,
    /// Number of trained numbers.
    pub parameters: usize,
    /// Bytes of the files of its weights.
    pub bytes: u64,
    /// How its weights are stored, by torch's names of types.
    pub stored: Vec<&'static str>,
}

/// What a pipeline needs, which is known before its weights are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    /// The files of its weights, and the bytes of each.
    pub files: Vec<(String, u64)>,
    /// The sum of those.
    pub bytes: u64,
    /// Bytes of its weights on the device.
    pub memory: u64,
}

/// The networks without weights, in the order in which they are filled.
#[derive(Default)]
pub struct Plans<'a> {
    networks: VecDeque<(Part, Plan<'a>)>,
    /// Whether what is stored as float16 stays so on the device.
    half: bool,
}

impl<'a> Plans<'a> {
    /// Finds the weights of a network, of which `wanted` are the parameters.
    async fn add(
        &mut self,
        (folder, class): (&'static str, &'static str),
        wanted: Wanted,
        weights: WeightFiles<'a>,
        rename: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), PipelineError> {
        let parameters = wanted.parameters();
        let plan = Plan::new(wanted, weights, rename).await;
        let plan = plan.map_err(|problem| PartError::Weights { class, problem })?;
        let bytes = plan.files().map(|(_, bytes)| bytes).sum();
        self.networks.push_back((Part { folder, class, parameters, bytes, stored: plan.stored() }, plan));
        Ok(())
    }

    pub fn parts(&self) -> Vec<Part> {
        self.networks.iter().map(|(part, _)| part.clone()).collect()
    }

    /// What the networks need.
    pub fn needs(&self) -> Needs {
        let files = self.networks.iter().flat_map(|(_, plan)| plan.files());
        let files: Vec<_> = files.map(|(path, bytes)| (path.to_owned(), bytes)).collect();
        Needs { bytes: files.iter().map(|(_, bytes)| bytes).sum(), files, memory: self.memory() }
    }

    /// Bytes of the weights on the device.
    fn memory(&self) -> u64 {
        self.networks.iter().flat_map(|(_, plan)| plan.parameters(self.half)).map(|(_, bytes)| bytes).sum()
    }

    /// Finds out whether the networks fit into `limits`. What is stored as float16 stays so where the device does well with
    /// it, and elsewhere if nothing else fits, because it is slower there.
    pub fn fit(&mut self, limits: &Limits) -> Result<(), PipelineError> {
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        self.half = limits.half;
        self.half |= limits.memory.is_some_and(|limit| self.memory() > limit);
        let needed = self.memory();
        if let Some(limit) = limits.memory.filter(|limit| needed > *limit) {
            return Err(PipelineError::TooLarge { needed: megabytes(needed), limit: limit / 1_000_000 });
        }
        let Some(limit) = limits.tensor else { return Ok(()) };
        for (Part { class, .. }, plan) in &self.networks {
            if let Some((name, bytes)) = plan.parameters(self.half).find(|(_, bytes)| *bytes > limit) {
                let (name, needed, limit) = (name.to_owned(), megabytes(bytes), limit / 1_000_000);
                return Err(PipelineError::TensorTooLarge { class, name, needed, limit });
            }
        }
        Ok(())
    }

    /// Reads the weights of the next network.
    async fn next(&mut self) -> Result<Tensors, PipelineError> {
        let Some((Part { class, .. }, plan)) = self.networks.pop_front() else { return Ok(Tensors::default()) };
        let read = plan.read(self.half).await;
        Ok(read.map_err(|problem| PartError::Weights { class, problem })?)
    }
}

/// Gives a network its weights in its place.
fn fill<M: Module + Clone>(net: &mut M, tensors: Tensors) {
    *net = tensors.fill(net.clone());
}

impl Pipeline {
    /// Reads the weights of the networks, which were planned in this order.
    pub(super) async fn fill(&mut self, mut plans: Plans<'_>) -> Result<(), PipelineError> {
        match &mut self.network {
            Network::Unet2d(net) => fill(&mut **net, plans.next().await?),
            Network::Unet2dCondition(net) => fill(&mut **net, plans.next().await?),
            Network::Dit(net) => fill(&mut **net, plans.next().await?),
        }
        match &mut self.latents {
            Latents::Pixels => {}
            Latents::Kl(net) => fill(&mut **net, plans.next().await?),
            Latents::Tiny(net) => fill(&mut **net, plans.next().await?),
            Latents::Vq(net) => fill(&mut **net, plans.next().await?),
        }
        if let Conditioning::Text(encoders) = &mut self.conditioning {
            fill(&mut encoders.first.net, plans.next().await?);
            if let Some(second) = &mut encoders.second {
                fill(&mut second.net, plans.next().await?);
            }
        }
        Ok(())
    }
}

/// The network that draws.
pub async fn network<'a, S: Source>(
    folder: &'a Folder<'_, S>,
    index: &Index,
    plans: &mut Plans<'a>,
    device: &Device,
) -> Result<(Network, Place), PipelineError> {
    let place = index.part(&index.kind.network)?;
    let files = folder.network(place.0).await?;
    let lies = Place::of(&files.path, &files.first);
    let (config, weights) = (&files.config, files.weights);
    let (network, wanted) = match place.1 {
        "UNet2DConditionModel" => {
            let net = Unet2dCondition::unfilled(config, device).map_err(PartError::from)?;
            let wanted = Wanted::of(&net);
            (Network::Unet2dCondition(Box::new(net)), wanted)
        }
        "DiTTransformer2DModel" | "Transformer2DModel" => {
            let net = Dit::unfilled(config, device).map_err(PartError::from)?;
            let wanted = Wanted::of(&net);
            (Network::Dit(Box::new(net)), wanted)
        }
        _ => {
            let net = Unet2d::unfilled(config, device).map_err(LoadError::from)?;
            let wanted = Wanted::of(&net);
            (Network::Unet2d(Box::new(net)), wanted)
        }
    };
    plans.add(place, wanted, weights, &own_name).await?;
    Ok((network, lies))
}

/// What lies between the network and pictures.
pub async fn latents<'a, S: Source>(
    folder: &'a Folder<'_, S>,
    index: &Index,
    plans: &mut Plans<'a>,
    device: &Device,
) -> Result<Latents, PipelineError> {
    let Some(decoder) = &index.kind.decoder else { return Ok(Latents::Pixels) };
    let place = index.part(decoder)?;
    let files = folder.part(place.0).await?;
    let (config, weights) = (&files.config, files.weights);
    let (latents, wanted) = match place.1 {
        "VQModel" => {
            let net = VqModel::unfilled(config, device).map_err(PartError::from)?;
            let wanted = Wanted::of(&net);
            (Latents::Vq(Box::new(net)), wanted)
        }
        "AutoencoderTiny" => {
            let net = AutoencoderTiny::unfilled(config, device).map_err(PartError::from)?;
            let wanted = Wanted::of(&net);
            (Latents::Tiny(Box::new(net)), wanted)
        }
        _ => {
            let net = AutoencoderKl::unfilled(config, device).map_err(PartError::from)?;
            let net = if index.kind.uses_statistics { net } else { net.without_statistics() };
            let wanted = Wanted::of(&net);
            (Latents::Kl(Box::new(net)), wanted)
        }
    };
    plans.add(place, wanted, weights, &own_name).await?;
    Ok(latents)
}

/// What says what is drawn.
pub async fn conditioning<'a, S: Source>(
    folder: &'a Folder<'_, S>,
    index: &Index,
    plans: &mut Plans<'a>,
    network: &Network,
    latents: &Latents,
    device: &Device,
) -> Result<Conditioning, PipelineError> {
    let mut read = Vec::new();
    for (part, tokenizer) in &TEXT_ENCODERS[..index.kind.encoders] {
        let place = index.part(part)?;
        let files = folder.part(place.0).await?;
        let net = ClipText::unfilled(&files.config, device).map_err(PartError::from)?;
        plans.add(place, Wanted::of(&net), files.weights, &ClipText::parameter).await?;
        read.push(TextEncoder { tokenizer: folder.tokenizer(tokenizer).await?, net });
    }
    let mut read = read.into_iter();
    Ok(match (read.next(), network.classes()) {
        (Some(first), _) => {
            let [_, height, width] = network.shape();
            let size = [height, width].map(|side| side * latents.factor());
            let (second, encodings) = (read.next(), Encodings::default());
            let encoders = TextEncoders { first, second, zeros: index.zeros(), size, encodings };
            Conditioning::Text(Box::new(encoders))
        }
        (None, Some(_)) => Conditioning::Classes,
        (None, None) => Conditioning::None,
    })
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::backend::cpu;
    use crate::models::unet2d::Unet2dConfig;
    use crate::models::{Memory, save};
    use burn::tensor::DType;

    const WEIGHTS: &str = "unet/diffusion_pytorch_model.safetensors";

    /// The self-test network, stored in 16 bits.
    fn source() -> Memory {
        let own = |name: &str| std::fs::read(format!("{}/models/selftest/{name}", env!("CARGO_MANIFEST_DIR")));
        let config = own("unet/config.json").expect("a configuration");
        let parsed = Unet2dConfig::from_json(&String::from_utf8_lossy(&config)).expect("a configuration");
        let weights = cpu::now(save(&Unet2d::new(&parsed, &cpu::device()), |_| DType::F16)).expect("weights");
        let files = [("unet/config.json", config), (WEIGHTS, weights)];
        Memory(files.map(|(path, bytes)| (path.to_owned(), bytes)).into())
    }

    /// The sentence that says that the network does not fit, if it does not, and whether it stays in 16 bits.
    fn fitted(limits: Limits) -> (Option<String>, bool) {
        let source = source();
        let mut folder = cpu::now(Folder::list(&source)).expect("files");
        let (_, mut plans) = cpu::now(Pipeline::planned(&mut folder, &cpu::device())).expect("a network");
        let refusal = plans.fit(&limits).err().map(|e| e.to_string());
        (refusal, plans.half)
    }

    #[test]
    fn what_does_not_fit_is_told_in_megabytes_before_it_is_read() {
        // 29,989 values, of which the largest tensor has 24 x 12 x 9 and more.
        let whole = 4 * 29_989;
        assert_eq!(fitted(Limits::default()), (None, false));
        assert_eq!(fitted(Limits { memory: Some(whole), ..Limits::default() }), (None, false));
        assert_eq!(fitted(Limits { memory: Some(whole - 1), ..Limits::default() }), (None, true));
        assert_eq!(fitted(Limits { half: true, ..Limits::default() }), (None, true));
        let (refusal, _) = fitted(Limits { memory: Some(whole / 2 - 1), ..Limits::default() });
        assert!(refusal.is_some_and(|said| said.contains("need 1 MB of memory") && said.contains("command line")));
        let (refusal, _) = fitted(Limits { tensor: Some(5_000), ..Limits::default() });
        assert!(refusal.is_some_and(|said| said.contains("graphics card") && said.contains("CPU backend")));
    }
}
