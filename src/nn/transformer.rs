use super::{Activation, Attention, Context, Conv2d, GroupNorm, LayerNorm, Linear, Norm, conv, gated_gelu};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// The width of a feed-forward layer, in widths of the block.
const EXPANSION: usize = 4;

/// A transformer's norms add this to the variance, whatever the network's own do.
const GROUP_EPS: f64 = 1e-6;
const LAYER_EPS: f64 = 1e-5;

/// diffusers' `FeedForward`: a linear map with an activation, and one back.
#[derive(Module, Debug)]
pub struct FeedForward {
    // The place between the two is that of a dropout.
    net: (Projection, Nothing, Linear),
}

#[derive(Module, Debug)]
struct Projection {
    proj: Linear,
    #[module(skip)]
    activation: Option<Activation>,
}

#[derive(Module, Debug)]
struct Nothing {}

impl FeedForward {
    pub fn new(width: usize, activation: Activation, device: &Device) -> Self {
        Self::of(width, Linear::new(width, EXPANSION * width, device), Some(activation), device)
    }

    /// The linear map gives values and gates (GEGLU, Shazeer 2020, arXiv 2002.05202).
    pub fn gated(width: usize, device: &Device) -> Self {
        Self::of(width, Linear::new(width, 2 * EXPANSION * width, device), None, device)
    }

    fn of(width: usize, proj: Linear, activation: Option<Activation>, device: &Device) -> Self {
        let back = Linear::new(EXPANSION * width, width, device);
        Self { net: (Projection { proj, activation }, Nothing {}, back) }
    }

    /// # Shapes
    /// `[batch, positions, width]`, kept.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (Projection { proj, activation }, _, back) = &self.net;
        let h = proj.forward(x);
        back.forward(match activation {
            Some(activation) => activation.apply(h),
            None => gated_gelu(h),
        })
    }
}

/// diffusers' `BasicTransformerBlock`: attention to itself, to the context, and a gated feed-forward layer, each added
/// to what it was given.
#[derive(Module, Debug)]
struct BasicTransformerBlock {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    ff: FeedForward,
    only_cross_attention: bool,
}

impl BasicTransformerBlock {
    fn new(width: usize, config: &Transformer2dConfig, device: &Device) -> Self {
        let norm = || LayerNorm::new(width, LAYER_EPS, device);
        let own = if config.only_cross_attention { config.context } else { width };
        let attention = |sources| Attention::new(width, sources, config.heads, false, device);
        Self {
            norm1: norm(),
            attn1: attention(own),
            norm2: norm(),
            attn2: attention(config.context),
            norm3: norm(),
            ff: FeedForward::gated(width, device),
            only_cross_attention: config.only_cross_attention,
        }
    }

    fn forward(&self, x: Tensor<3>, context: Context<'_>, size: [usize; 2]) -> Tensor<3> {
        let h = self.norm1.forward(x.clone());
        let x = match self.only_cross_attention {
            true => self.attn1.forward_to(h, context, size),
            false => self.attn1.forward(h.clone(), h),
        } + x;
        let x = self.attn2.forward_to(self.norm2.forward(x.clone()), context, size) + x;
        self.ff.forward(self.norm3.forward(x.clone())) + x
    }
}

/// What a [`Transformer2d`] is built from.
#[derive(Clone, Copy, Debug)]
pub struct Transformer2dConfig {
    pub heads: usize,
    pub layers: usize,
    /// Width of the context.
    pub context: usize,
    pub groups: usize,
    /// Whether the maps in and out are linear ones of the sequence, or convolutions of the picture.
    pub linear_projection: bool,
    /// Whether the first attention of a block looks at the context, too, and never at the picture.
    pub only_cross_attention: bool,
}

/// The map between a picture's channels and a sequence's width.
#[derive(Module, Debug)]
enum Projected {
    Linear(Linear),
    Conv(Conv2d),
}

/// diffusers' `Transformer2DModel` of a continuous input: transformer blocks on the positions of a picture, with a
/// residual connection (Rombach et al. 2022, arXiv 2112.10752, section 3.3).
#[derive(Module, Debug)]
pub struct Transformer2d {
    norm: GroupNorm,
    proj_in: Projected,
    transformer_blocks: Vec<BasicTransformerBlock>,
    proj_out: Projected,
}

impl Transformer2d {
    /// There are at most `channels` heads; the sequence is as wide as they can share evenly.
    pub fn new(channels: usize, config: &Transformer2dConfig, device: &Device) -> Self {
        let width = channels / config.heads * config.heads;
        let projection = |[inputs, outputs]: [usize; 2]| match config.linear_projection {
            true => Projected::Linear(Linear::new(inputs, outputs, device)),
            false => Projected::Conv(conv([inputs, outputs], 1, device)),
        };
        let block = |_| BasicTransformerBlock::new(width, config, device);
        Self {
            norm: GroupNorm::new(channels, Norm { groups: config.groups, eps: GROUP_EPS }, device),
            proj_in: projection([channels, width]),
            transformer_blocks: (0..config.layers).map(block).collect(),
            proj_out: projection([width, channels]),
        }
    }

    /// # Shapes
    /// `x` `[batch, channels, height, width]`, kept; `context` `[batch, sources, context]`.
    pub fn forward(&self, x: Tensor<4>, context: Context<'_>) -> Tensor<4> {
        let [batch, _, height, width] = x.dims();
        let sequence = |x: Tensor<4>| x.flatten::<3>(2, 3).swap_dims(1, 2);
        let picture = |h: Tensor<3>| {
            let [.., channels] = h.dims();
            h.swap_dims(1, 2).reshape([batch, channels, height, width])
        };
        let h = self.norm.forward(x.clone());
        let mut h = match &self.proj_in {
            Projected::Linear(linear) => linear.forward(sequence(h)),
            Projected::Conv(conv) => sequence(conv.forward(h)),
        };
        for block in &self.transformer_blocks {
            h = block.forward(h, context, [height, width]);
        }
        let h = match &self.proj_out {
            Projected::Linear(linear) => picture(linear.forward(h)),
            Projected::Conv(conv) => conv.forward(picture(h)),
        };
        h + x
    }
}
