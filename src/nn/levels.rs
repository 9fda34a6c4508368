//! The levels of a U-Net (Ronneberger et al. 2015, arXiv 1505.04597), as diffusers builds them for every kind of
//! conditioning: `DownBlock2D`, `UpBlock2D`, the middle, and their kin with attention, resampling residual blocks or a
//! picture that is carried beside the features.

use super::{
    Activation, Context, Conv2d, Downsample2d, GroupNorm, Norm, Resampling, ResnetBlock2d, ResnetConfig,
    SpatialAttention, SpatialAttentionConfig, Transformer2d, Transformer2dConfig, Upsample2d, conv,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// How a level leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// By a convolution, going down with this [padding](Downsample2d::new).
    Conv { padding: usize },
    /// By a residual block.
    Resnet,
    /// By a residual block that filters, beside which a picture of [`SKIP_CHANNELS`](Self::SKIP_CHANNELS) is filtered and
    /// joined (Song et al. 2021, arXiv 2011.13456, appendix H.1, after Karras et al. 2020, arXiv 1912.04958).
    Skip,
}

impl Sampling {
    /// Channels of the picture that is carried beside the features.
    pub const SKIP_CHANNELS: usize = 3;
    /// Groups of the attention's normalisation beside such a picture.
    pub const SKIP_ATTENTION_GROUPS: usize = 32;
}

/// Groups of a normalisation of so many channels beside a picture.
pub fn skip_groups(channels: usize) -> usize {
    (channels / 4).min(32)
}

/// Channels that each layer of a level on the way up joins: its own, and those from across, of which the last layer gets
/// what the level was handed on the way down.
pub fn joined([below, across, outputs]: [usize; 3], layer: usize, layers: usize) -> [usize; 2] {
    [if layer == 0 { below } else { outputs }, if layer == layers { across } else { outputs }]
}

/// Groups of the first normalisation of such a layer beside a picture. diffusers divides only one of the two by 4 where the
/// level attends.
pub fn joined_groups([own, across]: [usize; 2], attends: bool) -> usize {
    if attends { (own + across / 4).min(32) } else { skip_groups(own + across) }
}

/// Channels of a level: of the one below it on the way up, of the one above it on the way down, and its own.
pub fn around(channels: &[usize], level: usize) -> [usize; 3] {
    [channels[(level + 1).min(channels.len() - 1)], channels[level.saturating_sub(1)], channels[level]]
}

/// What the sums of residual blocks are divided by there.
const SKIP_SCALE: f64 = std::f64::consts::SQRT_2;

/// What a level is built from.
#[derive(Clone, Debug)]
pub struct LevelConfig {
    pub layers: usize,
    pub sampling: Sampling,
    /// The groups are those of levels without a picture beside the features.
    pub resnet: ResnetConfig,
    /// One for each residual block that is followed by one, or none.
    pub attentions: Vec<LevelAttentionConfig>,
}

/// What attends in a level.
#[derive(Clone, Copy, Debug)]
pub enum LevelAttentionConfig {
    Own(SpatialAttentionConfig),
    Text(Transformer2dConfig),
}

impl LevelConfig {
    fn is_skip(&self) -> bool {
        self.sampling == Sampling::Skip
    }

    fn resnet(
        &self,
        channels: [usize; 2],
        groups: [usize; 2],
        resampling: Option<Resampling>,
        device: &Device,
    ) -> ResnetBlock2d {
        let config = match self.is_skip() {
            true => ResnetConfig { groups, output_scale_factor: SKIP_SCALE, ..self.resnet },
            false => self.resnet,
        };
        ResnetBlock2d::new(channels, &ResnetConfig { resampling, ..config }, device)
    }

    /// A residual block that changes the size.
    fn resampler(&self, channels: usize, resampling: Resampling, device: &Device) -> ResnetBlock2d {
        self.resnet([channels; 2], [skip_groups(channels); 2], Some(resampling), device)
    }

    /// Those of a level of `channels`, of which there are at most `count`.
    fn attentions(&self, count: usize, channels: usize, device: &Device) -> Vec<LevelAttention> {
        let norm = Norm { groups: Sampling::SKIP_ATTENTION_GROUPS, eps: self.resnet.eps };
        let build = |config: &LevelAttentionConfig| match config {
            LevelAttentionConfig::Own(own) if self.is_skip() => {
                let own = SpatialAttentionConfig { norm: Some(norm), output_scale_factor: SKIP_SCALE, ..*own };
                LevelAttention::Own(SpatialAttention::new(channels, &own, device))
            }
            LevelAttentionConfig::Own(own) => LevelAttention::Own(SpatialAttention::new(channels, own, device)),
            LevelAttentionConfig::Text(text) => LevelAttention::Text(Transformer2d::new(channels, text, device)),
        };
        self.attentions.iter().take(count).map(build).collect()
    }
}

/// Attention of the positions of a picture to each other, or to a text too.
#[derive(Module, Debug)]
pub enum LevelAttention {
    Own(SpatialAttention),
    Text(Transformer2d),
}

impl LevelAttention {
    fn forward(&self, x: Tensor<4>, pass: &Pass) -> Tensor<4> {
        match self {
            Self::Own(attention) => attention.forward(x),
            Self::Text(transformer) => transformer.forward(x, pass.text.expect("the network reads a text")),
        }
    }
}

/// What goes through the levels beside the features.
pub struct Pass<'a> {
    /// The conditioning vector after its activation: `[batch, embedding]`.
    pub emb: &'a Tensor<2>,
    /// The states of a text, where the network attends to one: `[batch, positions, width]`.
    pub text: Option<Context<'a>>,
    /// What the way up takes from the way down, the last on top.
    pub across: Vec<Tensor<4>>,
    /// The picture beside the features: on the way down what was given, in the level's size; on the way up what was put
    /// together so far.
    pub beside: Option<Tensor<4>>,
}

fn size(x: &Tensor<4>) -> [usize; 2] {
    let [_, _, height, width] = x.dims();
    [height, width]
}

/// A change of size between levels.
#[allow(clippy::large_enum_variant, reason = "there are few of them, and their weights are elsewhere")]
#[derive(Module, Debug)]
enum Downsampler {
    Conv(Downsample2d),
    Resnet(ResnetBlock2d),
}

#[allow(clippy::large_enum_variant, reason = "there are few of them, and their weights are elsewhere")]
#[derive(Module, Debug)]
enum Upsampler {
    Conv(Upsample2d),
    Resnet(ResnetBlock2d),
}

/// One level on the way down. Levels without attention have no `attentions`, the last has nothing that leads on.
#[derive(Module, Debug)]
pub struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<LevelAttention>,
    downsamplers: Vec<Downsampler>,
    resnet_down: Option<ResnetBlock2d>,
    skip_conv: Option<Conv2d>,
}

impl DownBlock {
    fn new(config: &LevelConfig, [inputs, outputs]: [usize; 2], downsamples: bool, device: &Device) -> Self {
        let resnet = |i| {
            let inputs = if i == 0 { inputs } else { outputs };
            config.resnet([inputs, outputs], [inputs, outputs].map(skip_groups), None, device)
        };
        let downsampler = match config.sampling {
            Sampling::Conv { padding } => Some(Downsampler::Conv(Downsample2d::new(outputs, padding, device))),
            Sampling::Resnet => Some(Downsampler::Resnet(config.resampler(outputs, Resampling::Mean, device))),
            Sampling::Skip => None,
        };
        let skips = config.is_skip() && downsamples;
        Self {
            resnets: (0..config.layers).map(resnet).collect(),
            attentions: config.attentions(config.layers, outputs, device),
            downsamplers: downsampler.filter(|_| downsamples).into_iter().collect(),
            resnet_down: skips.then(|| config.resampler(outputs, Resampling::FirDown, device)),
            skip_conv: skips.then(|| conv([Sampling::SKIP_CHANNELS, outputs], 1, device)),
        }
    }

    /// Pushes every intermediate result onto `pass.across`.
    pub fn forward(&self, mut x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            x = resnet.forward(x, Some(pass.emb));
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x, pass);
            }
            pass.across.push(x.clone());
        }
        for downsampler in &self.downsamplers {
            x = match downsampler {
                Downsampler::Conv(conv) => conv.forward(x),
                Downsampler::Resnet(resnet) => resnet.forward(x, Some(pass.emb)),
            };
            pass.across.push(x.clone());
        }
        if let (Some(resnet), Some(conv)) = (&self.resnet_down, &self.skip_conv)
            && let Some(picture) = pass.beside.take()
        {
            x = resnet.forward(x, Some(pass.emb));
            let picture = Resampling::FirDown.apply(picture, size(&x));
            x = conv.forward(picture.clone()) + x;
            pass.beside = Some(picture);
            pass.across.push(x.clone());
        }
        x
    }
}

/// The lowest level: residual blocks around attentions.
#[derive(Module, Debug)]
pub struct MidBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<LevelAttention>,
}

impl MidBlock {
    /// A residual block, and as many more as `config.layers`, with an attention before each.
    pub fn new(config: &LevelConfig, channels: usize, device: &Device) -> Self {
        let resnet = |_| config.resnet([channels; 2], config.resnet.groups, None, device);
        Self {
            resnets: (0..=config.layers).map(resnet).collect(),
            attentions: config.attentions(config.layers, channels, device),
        }
    }

    pub fn forward(&self, mut x: Tensor<4>, pass: &Pass) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            if let Some(attention) = i.checked_sub(1).and_then(|before| self.attentions.get(before)) {
                x = attention.forward(x, pass);
            }
            x = resnet.forward(x, Some(pass.emb));
        }
        x
    }
}

/// One level on the way up. Levels without attention have no `attentions`, the last has nothing that leads on.
#[derive(Module, Debug)]
pub struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<LevelAttention>,
    upsamplers: Vec<Upsampler>,
    resnet_up: Option<ResnetBlock2d>,
    skip_conv: Option<Conv2d>,
    skip_norm: Option<GroupNorm>,
    /// Whether a picture is carried beside the features.
    skips: bool,
}

impl UpBlock {
    /// `around` is what [`around`] says of the level.
    fn new(config: &LevelConfig, around: [usize; 3], upsamples: bool, device: &Device) -> Self {
        let [.., outputs] = around;
        let (skips, attends) = (config.is_skip(), !config.attentions.is_empty());
        let resnet = |i| {
            let joined = joined(around, i, config.layers);
            let groups = [joined_groups(joined, attends), skip_groups(outputs)];
            config.resnet([joined.iter().sum(), outputs], groups, None, device)
        };
        let upsampler = match config.sampling {
            Sampling::Conv { .. } => Some(Upsampler::Conv(Upsample2d::new(outputs, device))),
            Sampling::Resnet => Some(Upsampler::Resnet(config.resampler(outputs, Resampling::Repeat, device))),
            Sampling::Skip => None,
        };
        let leads = skips && upsamples;
        let norm = Norm { groups: skip_groups(outputs), eps: config.resnet.eps };
        Self {
            resnets: (0..=config.layers).map(resnet).collect(),
            // Beside a picture only the last layer attends.
            attentions: config.attentions(if skips { 1 } else { config.layers + 1 }, outputs, device),
            upsamplers: upsampler.filter(|_| upsamples).into_iter().collect(),
            resnet_up: leads.then(|| config.resampler(outputs, Resampling::FirUp, device)),
            skip_conv: leads.then(|| conv([outputs, Sampling::SKIP_CHANNELS], 3, device)),
            skip_norm: leads.then(|| GroupNorm::new(outputs, norm, device)),
            skips,
        }
    }

    /// Pops what it joins off `pass.across`.
    pub fn forward(&self, mut x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        let first = self.resnets.len() - self.attentions.len();
        for (i, resnet) in self.resnets.iter().enumerate() {
            let joined = Tensor::cat([x].into_iter().chain(pass.across.pop()).collect(), 1);
            x = resnet.forward(joined, Some(pass.emb));
            if let Some(attention) = i.checked_sub(first).and_then(|at| self.attentions.get(at)) {
                x = attention.forward(x, pass);
            }
        }
        if self.skips {
            pass.beside = pass.beside.take().map(|picture| Resampling::FirUp.apply(picture, size(&x)));
        }
        if let (Some(norm), Some(conv)) = (&self.skip_norm, &self.skip_conv) {
            let own = conv.forward(norm.activated(x.clone(), None, Activation::Silu));
            pass.beside = Some(match pass.beside.take() {
                Some(picture) => picture + own,
                None => own,
            });
        }
        let Some(next) = pass.across.last().map(size) else { return x };
        for upsampler in &self.upsamplers {
            x = match upsampler {
                Upsampler::Conv(conv) => conv.forward(x, next),
                Upsampler::Resnet(resnet) => resnet.forward_to(x, Some(pass.emb), next),
            };
        }
        match &self.resnet_up {
            Some(resnet) => resnet.forward_to(x, Some(pass.emb), next),
            None => x,
        }
    }
}

/// The ways down and up of a U-Net with so many channels at each level, each level built from what `down` and `up` say of
/// its place on the way.
pub fn ways(
    channels: &[usize],
    down: impl Fn(usize) -> LevelConfig,
    up: impl Fn(usize) -> LevelConfig,
    device: &Device,
) -> (Vec<DownBlock>, Vec<UpBlock>) {
    let last = channels.len() - 1;
    let down = (0..=last).map(|level| {
        let [_, inputs, outputs] = around(channels, level);
        DownBlock::new(&down(level), [inputs, outputs], level < last, device)
    });
    let up = (0..=last).map(|i| {
        let level = last - i;
        UpBlock::new(&up(i), around(channels, level), level > 0, device)
    });
    (down.collect(), up.collect())
}
