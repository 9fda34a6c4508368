#[cfg(feature = "gpu")]
use super::gpu;
use super::{Context, Linear, softmax};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Scaled dot-product attention of several heads (Vaswani et al. 2017, arXiv 1706.03762, section 3.2).
///
/// # Shapes
/// `q` `[batch, positions, width]`, `k` and `v` `[batch, sources, width]`, `mask`, which is added to the scores,
/// `[1, 1, positions, sources]`. The result is as `q`.
pub fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize, mask: Option<Tensor<4>>) -> Tensor<3> {
    #[cfg(feature = "gpu")]
    if mask.is_none() && gpu::takes(&q) {
        return gpu::attend([q, k, v], heads, gpu::Layout::ChannelsLast);
    }
    attend_seen(q, k, v, heads, mask, |_| ())
}

/// The same, with `see` shown the weights `[batch, heads, positions, sources]`.
fn attend_seen(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    heads: usize,
    mask: Option<Tensor<4>>,
    see: impl FnOnce(&Tensor<4>),
) -> Tensor<3> {
    let [batch, positions, width] = q.dims();
    let split = |t: Tensor<3>| {
        let [_, length, _] = t.dims();
        t.reshape([batch, length, heads, width / heads]).swap_dims(1, 2)
    };
    let scale = ((width / heads) as f64).powf(-0.5);
    let scores = split(q * scale).matmul(split(k).swap_dims(2, 3));
    let scores = match mask {
        Some(mask) => scores + mask,
        None => scores,
    };
    let weights = softmax(scores);
    see(&weights);
    weights.matmul(split(v)).swap_dims(1, 2).reshape([batch, positions, width])
}

/// diffusers' `Attention` on a sequence, to itself or to a context.
#[derive(Module, Debug)]
pub struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: [Linear; 1],
    heads: usize,
}

impl Attention {
    /// `width` is a multiple of `heads`; what is attended to is `context` wide.
    pub fn new(width: usize, context: usize, heads: usize, bias: bool, device: &Device) -> Self {
        let linear = |inputs| match bias {
            true => Linear::new(inputs, width, device),
            false => Linear::without_bias(inputs, width, device),
        };
        Self {
            to_q: linear(width),
            to_k: linear(context),
            to_v: linear(context),
            to_out: [Linear::new(width, width, device)],
            heads,
        }
    }

    /// # Shapes
    /// `x` `[batch, positions, width]`, kept; `context` `[batch, sources, context]`.
    pub fn forward(&self, x: Tensor<3>, context: Tensor<3>) -> Tensor<3> {
        let (q, k, v) = (self.to_q.forward(x), self.to_k.forward(context.clone()), self.to_v.forward(context));
        let [to_out] = &self.to_out;
        to_out.forward(attend(q, k, v, self.heads, None))
    }

    /// The same to a context, whose recorder is told where the positions of a picture of this height and width look.
    pub fn forward_to(&self, x: Tensor<3>, context: Context<'_>, size: [usize; 2]) -> Tensor<3> {
        let Some(recorder) = context.recorder else { return self.forward(x, context.states.clone()) };
        let states = context.states.clone();
        let (q, k, v) = (self.to_q.forward(x), self.to_k.forward(states.clone()), self.to_v.forward(states));
        let [to_out] = &self.to_out;
        to_out.forward(attend_seen(q, k, v, self.heads, None, |weights| recorder.add(weights, size)))
    }
}
