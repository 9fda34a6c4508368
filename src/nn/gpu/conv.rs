use super::{beside, kind, read};
use crate::backend;
use crate::nn::Conv2dConfig;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use unnoise_kernels_gpu::{Adapter, Convolution, Convolved, convolve};

/// The convolution of `x` enlarged to `seen`, plus `residual`. `weight` may be of 16 bits.
pub fn conv(
    x: Tensor<4>,
    seen: [usize; 2],
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    residual: Option<Tensor<4>>,
    config: Conv2dConfig,
) -> Tensor<4> {
    let adapter = backend::adapter(&x.device());
    let bias = bias.unwrap_or_else(|| Tensor::zeros([config.channels[1]], &x.device()));
    let [x, weight] = [x, weight].map(Tensor::into_dispatch);
    let (bias, way) = (bias.into_dispatch(), Way { config, seen, adapter });
    Tensor::from_dispatch(match residual {
        None => <Dispatch as Convolve>::convolution(x, weight, bias, way),
        Some(residual) => <Dispatch as Convolve>::convolution_onto(x, weight, bias, residual.into_dispatch(), way),
    })
}

/// What a convolution does beside its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    config: Conv2dConfig,
    seen: [usize; 2],
    adapter: Adapter,
}

impl Way {
    fn shape(&self, x: &Shape) -> Convolution {
        let [batch, inputs, height, width] = x.dims();
        let Conv2dConfig { channels: [_, outputs], kernel, stride, padding, .. } = self.config;
        Convolution { batch, inputs, outputs, size: [height, width], seen: self.seen, kernel, stride, padding }
    }

    fn out(&self, x: &Shape) -> Shape {
        let shape = self.shape(x);
        let [rows, columns] = shape.out();
        Shape::new([shape.batch, shape.outputs, rows, columns])
    }
}

#[backend_extension(Cube, Fusion)]
pub trait Convolve: Backend {
    #[fusion(dtype = x, shape = way.out(x))]
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        way: Way,
    ) -> FloatTensor<Self>;

    #[fusion(dtype = x, shape = way.out(x))]
    fn convolution_onto(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        way: Way,
    ) -> FloatTensor<Self>;
}

impl Convolve for CubeBackend {
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        way: Way,
    ) -> FloatTensor<Self> {
        launch([x, weight, bias], None, way)
    }

    fn convolution_onto(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        way: Way,
    ) -> FloatTensor<Self> {
        launch([x, weight, bias], Some(residual), way)
    }
}

fn launch([x, weight, bias]: [CubeTensor; 3], residual: Option<CubeTensor>, way: Way) -> CubeTensor {
    let out = beside(&x, way.out(&x.shape()));
    let (client, shape, kinds) = (x.client.clone(), way.shape(&x.shape()), [kind(&x), kind(&weight)]);
    let tensors = Convolved {
        x: read(x),
        weight: read(weight),
        bias: read(bias),
        residual: residual.map(read),
        out: out.clone().binding(),
    };
    convolve(&client, way.adapter, tensors, &shape, kinds);
    out
}
