//! Means and their errors.

/// Mean and, of at least two numbers, the standard error of the mean.
pub fn mean(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt()))
}

/// Mean and standard deviation of numbers that are all there are.
pub fn spread(values: &[f64]) -> (f64, f64) {
    let (centre, _) = mean(values);
    let (variance, _) = mean(&values.iter().map(|v| (v - centre).powi(2)).collect::<Vec<_>>());
    (centre, variance.sqrt())
}

/// Root mean square and largest of the differences of two lists of as many numbers.
pub fn difference(a: &[f64], b: &[f64]) -> (f64, f64) {
    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
    let (square, _) = mean(&apart.iter().map(|d| d * d).collect::<Vec<_>>());
    (square.sqrt(), apart.into_iter().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_an_error_from_two_numbers_on() {
        assert_eq!(mean(&[3.0]), (3.0, None));
        // Variance 1 of three numbers, and a third of it for their mean.
        let (centre, error) = mean(&[1.0, 2.0, 3.0]);
        assert_eq!(centre, 2.0);
        assert!((error.expect("three numbers") - (1.0f64 / 3.0).sqrt()).abs() < f64::EPSILON);
    }

    #[test]
    fn spread_and_difference_are_those_of_the_numbers_themselves() {
        assert_eq!(spread(&[1.0, 5.0]), (3.0, 2.0));
        assert_eq!(difference(&[0.0, 1.0], &[3.0, -3.0]), (12.5f64.sqrt(), 4.0));
    }
}
