use super::{beside, kind, read};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::Tensor;
use burn_cubecl::CubeBackend;
use unnoise_kernels_gpu::{Attended, Attention, Layout};

/// The attention of `heads` heads. All are `[batch, positions, channels]`, or `[batch, channels, positions]`.
pub fn attend([q, k, v]: [Tensor<3>; 3], heads: usize, layout: Layout) -> Tensor<3> {
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as Attend>::attention(q, k, v, Way { heads, layout }))
}

#[derive(Clone, Copy, Debug)]
pub struct Way {
    heads: usize,
    layout: Layout,
}

#[backend_extension(Cube, Fusion)]
pub trait Attend: Backend {
    #[fusion(dtype = q, shape = q)]
    fn attention(q: FloatTensor<Self>, k: FloatTensor<Self>, v: FloatTensor<Self>, way: Way) -> FloatTensor<Self>;
}

impl Attend for CubeBackend {
    fn attention(q: FloatTensor<Self>, k: FloatTensor<Self>, v: FloatTensor<Self>, way: Way) -> FloatTensor<Self> {
        let Way { heads, layout } = way;
        let sizes = |[batch, rows, columns]: [usize; 3]| match layout {
            Layout::ChannelsLast => (batch, rows, columns),
            Layout::ChannelsFirst => (batch, columns, rows),
        };
        let (batch, positions, channels) = sizes(q.shape().dims());
        let (_, sources, _) = sizes(k.shape().dims());
        let shape = Attention { batch, positions, sources, heads, width: channels / heads, layout };
        let (client, numbers, out) = (q.client.clone(), kind(&q), beside(&q, q.shape()));
        let tensors = Attended { q: read(q), k: read(k), v: read(v), out: out.clone().binding() };
        unnoise_kernels_gpu::attend(&client, tensors, &shape, numbers);
        out
    }
}
