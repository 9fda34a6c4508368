use super::{beside, kind, read};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::Tensor;
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use unnoise_kernels_gpu::{self as kernels, Normalised, normalise};

/// Groups and what is added to the variance; whether SiLU follows.
#[derive(Clone, Copy, Debug)]
pub struct Normalisation {
    pub groups: usize,
    pub eps: f32,
    pub silu: bool,
}

/// The normalisation of `x`, to which `added` `[batch, channels]` is added before.
pub fn norm(
    x: Tensor<4>,
    added: Option<Tensor<2>>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    way: Normalisation,
) -> Tensor<4> {
    let x = x.into_dispatch();
    let [weight, bias] = [weight, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(match added {
        None => <Dispatch as Normalise>::normalisation(x, weight, bias, way),
        Some(added) => <Dispatch as Normalise>::normalisation_of_sum(x, added.into_dispatch(), weight, bias, way),
    })
}

#[backend_extension(Cube, Fusion)]
pub trait Normalise: Backend {
    #[fusion(dtype = x, shape = x)]
    fn normalisation(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        way: Normalisation,
    ) -> FloatTensor<Self>;

    #[fusion(dtype = x, shape = x)]
    fn normalisation_of_sum(
        x: FloatTensor<Self>,
        added: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        way: Normalisation,
    ) -> FloatTensor<Self>;
}

impl Normalise for CubeBackend {
    fn normalisation(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        way: Normalisation,
    ) -> FloatTensor<Self> {
        launch([x, weight, bias], None, way)
    }

    fn normalisation_of_sum(
        x: FloatTensor<Self>,
        added: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        way: Normalisation,
    ) -> FloatTensor<Self> {
        launch([x, weight, bias], Some(added), way)
    }
}

fn launch(
    [x, weight, bias]: [CubeTensor; 3],
    added: Option<CubeTensor>,
    Normalisation { groups, eps, silu }: Normalisation,
) -> CubeTensor {
    let out = beside(&x, x.shape());
    let [batch, channels, height, width] = x.shape().dims();
    let shape = kernels::Normalisation { batch, channels, groups, pixels: height * width, eps, silu };
    let (client, kinds) = (x.client.clone(), [kind(&x), kind(&weight)]);
    let tensors = Normalised {
        x: read(x),
        added: added.map(read),
        weight: read(weight),
        bias: read(bias),
        out: out.clone().binding(),
    };
    normalise(&client, tensors, &shape, kinds);
    out
}
