//! `loss.png`.

/// The course of a loss as grey pixels, `width * height`, from the text of a `log.csv`: images seen to the right, the loss on a
/// logarithmic axis upwards. The last batch of every row is a light dot, the smoothed loss a dark line, a held-out loss a dark
/// square; thin lines stand at 1, 2 and 5 times the powers of ten. Without rows the paper is empty.
pub fn curve(log: &str, width: usize, height: usize) -> Vec<u8> {
    let mut lines = log.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap_or_default();
    let column = |name: &str| names.iter().position(|other| *other == name);
    let places = ["images", "loss", "loss_ema", "held_out"].map(column);
    let rows: Vec<_> = lines
        .filter_map(|line| {
            let [images, one, smooth, held] = places.map(|place| line.get(place?)?.parse::<f64>().ok());
            Some((images?, one?, smooth?, held))
        })
        .collect();
    let mut paper = Paper { pixels: vec![255; width * height], width, height };
    let losses = rows.iter().flat_map(|&(_, one, smooth, held)| [Some(one), Some(smooth), held]).flatten();
    let logs: Vec<f64> = losses.filter(|loss| *loss > 0.0).map(f64::log10).collect();
    let (low, high) = logs.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let Some(&(last, ..)) = rows.last() else { return paper.pixels };
    let across = |images: f64| images / last * (width - 1) as f64;
    let down = |loss: f64| (high - loss.log10()) / (high - low).max(1e-9) * (height - 1) as f64;

    for decade in (low.floor() as i32)..=(high.ceil() as i32) {
        for part in [1.0, 2.0, 5.0] {
            let y = down(part * 10f64.powi(decade));
            if (0.0..height as f64).contains(&y) {
                (0..width).for_each(|x| paper.darken(x as f64, y, if part == 1.0 { 200 } else { 235 }));
            }
        }
    }
    rows.iter().for_each(|&(images, one, ..)| paper.darken(across(images), down(one), 170));
    for pair in rows.windows(2) {
        let [(x0, _, y0, _), (x1, _, y1, _)] = [pair[0], pair[1]];
        paper.line([across(x0), down(y0)], [across(x1), down(y1)]);
    }
    for &(images, .., held) in &rows {
        if let Some(held) = held {
            let (x, y) = (across(images), down(held));
            for dx in -2..=2 {
                (-2..=2).for_each(|dy| paper.darken(x + f64::from(dx), y + f64::from(dy), 0));
            }
        }
    }
    paper.pixels
}

struct Paper {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Paper {
    fn darken(&mut self, x: f64, y: f64, to: u8) {
        let (x, y) = (x.round(), y.round());
        if x >= 0.0 && y >= 0.0 && (x as usize) < self.width && (y as usize) < self.height {
            let pixel = &mut self.pixels[y as usize * self.width + x as usize];
            *pixel = to.min(*pixel);
        }
    }

    fn line(&mut self, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0);
        for i in 0..=steps as usize {
            let u = i as f64 / steps;
            self.darken(x0 * (1.0 - u) + x1 * u, y0 * (1.0 - u) + y1 * u, 40);
        }
    }
}
