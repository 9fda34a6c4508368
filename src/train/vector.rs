//! The parameters of a module as one vector, in the order in which the module visits them: what an optimiser, an average
//! of weights and a checkpoint are about. Parameters that need no gradient are no part of it.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

/// The values of a module that is on an autodiff device, and has parameters.
pub fn of<M: Module>(module: &M) -> Tensor<1> {
    struct Values(Vec<Tensor<1>>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0.push(param.val().inner().reshape([-1]));
            }
        }
    }
    let mut values = Values(Vec::new());
    module.visit(&mut values);
    Tensor::cat(values.0, 0)
}

/// Their derivatives, with zeros for what the loss does not depend on.
pub fn gradient<M: Module>(module: &M, gradients: Gradients) -> Tensor<1> {
    struct Derivatives(Gradients, Vec<Tensor<1>>);
    impl ModuleVisitor for Derivatives {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                let values = param.val();
                let derivative = values.grad_remove(&mut self.0).unwrap_or_else(|| values.inner().zeros_like());
                self.1.push(derivative.reshape([-1]));
            }
        }
    }
    let mut derivatives = Derivatives(gradients, Vec::new());
    module.visit(&mut derivatives);
    Tensor::cat(derivatives.1, 0)
}

/// The module with these values in place of its own, ready to be trained.
pub fn tracked<M: Module>(module: M, values: &Tensor<1>) -> M {
    module.map(&mut Filler { values, at: 0, tracked: true })
}

/// The module with these values in place of its own, off the autodiff device.
pub fn plain<M: Module>(module: M, values: &Tensor<1>) -> M {
    module.map(&mut Filler { values, at: 0, tracked: false })
}

struct Filler<'a> {
    values: &'a Tensor<1>,
    at: usize,
    tracked: bool,
}

impl ModuleMapper for Filler<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return if self.tracked { param } else { param.map(Tensor::inner) };
        }
        let shape = param.lazy_shape();
        let size = shape.num_elements();
        let own = self.values.clone().narrow(0, self.at, size).reshape(shape);
        self.at += size;
        param.map(|_| if self.tracked { own.autodiff().require_grad() } else { own })
    }
}
