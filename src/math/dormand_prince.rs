//! The embedded Runge-Kutta pair of orders 5 and 4 of Dormand & Prince 1980, "A family of embedded Runge-Kutta formulae"
//! (doi 10.1016/0771-050X(80)90013-3), table 2.

/// Where the stages lie within the step; the first is at its beginning.
pub const C: [f64; 6] = [1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0];

/// Weights of the slopes before each stage. The last row is the fifth-order result, so its slope is the next step's
/// first.
pub const A: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// Weights of all seven slopes in the fifth-order result less the fourth-order one.
pub const E: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];

/// The PI control of the step, Hairer & Wanner 1996, "Solving ODEs II", section IV.2.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The last accepted error.
    last: f64,
}

impl Control {
    /// The factor on a step whose error is NaN or infinite.
    const SHRINK: f64 = 0.2;

    pub fn new() -> Self {
        Self { last: 1.0 }
    }

    /// Whether a step with this error over its tolerance is good enough, and the factor from its length to the next one's.
    pub fn judge(&mut self, error: f64) -> (bool, f64) {
        if !error.is_finite() {
            return (false, Self::SHRINK);
        }
        let accepted = error <= 1.0;
        let factor = 0.9 * error.max(1e-10).powf(-0.7 / 5.0) * self.last.powf(0.4 / 5.0);
        if accepted {
            self.last = error.max(1e-4);
        }
        (accepted, factor.clamp(Self::SHRINK, if accepted { 5.0 } else { 1.0 }))
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}
