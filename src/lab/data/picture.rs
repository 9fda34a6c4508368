//! Points from a picture whose darkness is a density.

use super::own::fitted;
use crate::lab::Cloud;
use crate::math::TorchGenerator;
use thiserror::Error;

/// Why a picture has no points.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PictureError {
    #[error("A picture of {width} by {height} pixels has {expected} grey levels, not {got}; load it again.")]
    Size { width: usize, height: usize, expected: usize, got: usize },
    #[error("The picture is white all over, so no point is drawn; choose one with something dark in it.")]
    White,
}

/// `count` independent points of the density that is as dark as the picture: 0 is as dense as can be and 255 has none. `gray` is
/// row-major from the top; the longer side of the drawn points is fitted to the plane, up is up.
///
/// # Errors
/// Not a grey level for each pixel; nothing dark.
pub fn points_of(gray: &[u8], (width, height): (usize, usize), count: usize, seed: u32) -> Result<Cloud, PictureError> {
    let expected = width.saturating_mul(height);
    if expected != gray.len() {
        return Err(PictureError::Size { width, height, expected, got: gray.len() });
    }
    let mut sum = 0;
    let bounds: Vec<u64> = gray
        .iter()
        .map(|g| {
            sum += u64::from(255 - g);
            sum
        })
        .collect();
    if sum == 0 {
        return Err(PictureError::White);
    }
    let mut generator = TorchGenerator::new(seed.into());
    let draws = generator.rand_f64(3 * count);
    let (draws, _) = draws.as_chunks::<3>();
    let point = |[u, right, down]: &[f64; 3]| {
        let dark = (u * sum as f64) as u64;
        let pixel = bounds.partition_point(|bound| *bound <= dark).min(gray.len() - 1);
        // Anywhere in the pixel.
        [(pixel % width) as f64 + right, -((pixel / width) as f64 + down)]
    };
    Ok(Cloud(fitted(&draws.iter().map(point).collect::<Vec<_>>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns of which the right is twice as dark, and a white row below.
    #[test]
    fn points_are_as_dense_as_the_picture_is_dark() {
        let gray = [205, 155, 205, 155, 255, 255];
        const N: usize = 20_000;
        let points = points_of(&gray, (2, 3), N, 3).unwrap();
        let right = points.0.iter().filter(|p| p[0] > 0.0).count() as f64 / N as f64;
        // Five standard deviations of a share.
        assert!((right - 2.0 / 3.0).abs() < 5.0 * (2.0 / 9.0 / N as f64).sqrt(), "{right}");
        // The two dark rows are a square, fitted to 7 by 7.
        for i in 0..2 {
            let (low, high) = points.0.iter().fold((0.0_f64, 0.0_f64), |(l, h), p| (l.min(p[i]), h.max(p[i])));
            assert!(low >= -3.5 && high <= 3.5 && high - low > 6.99, "{low} to {high}");
        }
        assert_eq!(points, points_of(&gray, (2, 3), N, 3).unwrap());
        assert_ne!(points, points_of(&gray, (2, 3), N, 4).unwrap());
    }

    #[test]
    fn up_is_up() {
        let points = points_of(&[0, 255, 255, 250], (1, 4), 500, 0).unwrap();
        assert!(points.0.iter().filter(|p| p[1] > 0.0).count() > 400);
    }

    #[test]
    fn a_picture_without_points_is_said() {
        let said = |gray: &[u8], size| points_of(gray, size, 9, 0).unwrap_err().to_string();
        assert!(said(&[255; 4], (2, 2)).starts_with("The picture is white all over"));
        assert!(said(&[], (0, 0)).starts_with("The picture is white all over"));
        assert_eq!(said(&[0; 3], (2, 2)), "A picture of 2 by 2 pixels has 4 grey levels, not 3; load it again.");
    }
}
