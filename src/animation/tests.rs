use super::*;
use std::io::Cursor;

/// Two grey images of 1 x 2 pixels, of which the second is brighter.
const SHAPE: [usize; 3] = [1, 1, 2];

fn scene(shows: Shows) -> Scene {
    Scene { shows, image: None, zoom: 1, images: 2, shape: SHAPE }
}

const PACE: Pace = Pace { rate: 10.0, hold: 2.0 };

/// A film of three frames, of which the first has no estimate.
fn film(format: Format, scene: Scene) -> Vec<u8> {
    let frames: [([u8; 4], Option<[u8; 4]>); 3] =
        [([1, 2, 3, 4], None), ([10, 20, 30, 40], Some([50, 60, 70, 80])), ([9, 8, 7, 6], Some([5, 4, 3, 2]))];
    let mut film = Film::new(format, scene, PACE, frames.len()).expect("a film");
    if film.looks() {
        frames.iter().for_each(|(x, denoised)| film.look(x, denoised.as_ref().map(<[u8; 4]>::as_slice)));
    }
    for (step, (x, denoised)) in frames.iter().enumerate() {
        let texts = vec![("Software".to_owned(), "unnoise".to_owned())];
        let step = Step { step, t: 0.5, alpha: 0.8, sigma: 0.6, texts };
        film.add(x, denoised.as_ref().map(<[u8; 4]>::as_slice), &step).expect("a frame");
    }
    film.finish("#seed=7").expect("a file")
}

type Colours = Vec<[u8; 3]>;

/// Width, and the delay and the pixels of each frame of a GIF.
fn decoded(gif: &[u8]) -> (u16, Vec<(u16, Colours)>) {
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(Cursor::new(gif)).expect("a GIF");
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().expect("a frame") {
        frames.push((frame.delay, frame.buffer.chunks_exact(4).map(|p| [p[0], p[1], p[2]]).collect()));
    }
    (decoder.width(), frames)
}

#[test]
fn a_gif_has_the_frames_to_the_pixel_and_stays_on_the_last() {
    let (width, frames) = decoded(&film(Format::Gif, scene(Shows::Points)));
    let grey = |values: [u8; 4]| values.map(|v| [v; 3]).to_vec();
    // Two images stand side by side.
    assert_eq!(width, 4);
    let expected = [(10, grey([1, 2, 3, 4])), (10, grey([10, 20, 30, 40])), (210, grey([9, 8, 7, 6]))];
    assert_eq!(frames, expected);
}

#[test]
fn estimates_begin_with_the_first_step_and_stand_beside_the_points() {
    let (_, frames) = decoded(&film(Format::Gif, scene(Shows::Estimates)));
    assert_eq!(frames.iter().map(|(delay, _)| *delay).collect::<Vec<_>>(), [10, 210]);
    assert_eq!(frames[0].1, [50, 60, 70, 80].map(|v| [v; 3]));
    let (width, frames) = decoded(&film(Format::Gif, scene(Shows::Both)));
    assert_eq!(width, 10);
    assert_eq!(frames[0].1, [1, 2, 3, 4, 0, 0, 128, 128, 128, 128].map(|v| [v; 3]));
    assert_eq!(frames[2].1, [9, 8, 7, 6, 0, 0, 5, 4, 3, 2].map(|v| [v; 3]));
}

#[test]
fn one_image_is_shown_alone_and_enlarged() {
    let alone = Scene { image: Some(1), zoom: 2, ..scene(Shows::Points) };
    assert_eq!(alone.size(), Ok([4, 2]));
    let (width, frames) = decoded(&film(Format::Gif, alone));
    assert_eq!(width, 4);
    assert_eq!(frames[1].1, [30, 30, 40, 40, 30, 30, 40, 40].map(|v| [v; 3]));
}

#[test]
fn an_apng_has_every_colour_and_its_delays() {
    let apng = film(Format::Apng, scene(Shows::Points));
    let mut reader = png::Decoder::new(Cursor::new(&apng)).read_info().expect("a PNG");
    assert_eq!(reader.info().animation_control().map(|control| (control.num_frames, control.num_plays)), Some((3, 0)));
    let mut bytes = vec![0; reader.output_buffer_size().expect("small")];
    let mut frames = Vec::new();
    for _ in 0..3 {
        reader.next_frame(&mut bytes).expect("a frame");
        let control = reader.info().frame_control().expect("of a frame");
        frames.push((f64::from(control.delay_num) / f64::from(control.delay_den), bytes.clone()));
    }
    assert_eq!(frames, [(0.1, vec![1, 2, 3, 4]), (0.1, vec![10, 20, 30, 40]), (2.1, vec![9, 8, 7, 6])]);
}

#[test]
fn many_colours_become_256_that_are_near() {
    let shape = [3, 32, 32];
    let picture: Vec<u8> = (0..32 * 32).flat_map(|i| [(i % 32 * 8) as u8, (i / 32 * 8) as u8, 90]).collect();
    let scene = Scene { shows: Shows::Points, image: None, zoom: 1, images: 1, shape };
    let mut film = Film::new(Format::Gif, scene, PACE, 1).expect("a film");
    film.look(&picture, None);
    film.add(&picture, None, &Step::default()).expect("a frame");
    let (_, frames) = decoded(&film.finish("").expect("a file"));
    let colours: std::collections::BTreeSet<_> = frames[0].1.iter().collect();
    assert!((200..=256).contains(&colours.len()), "{} colours", colours.len());
    let squares = frames[0].1.iter().flatten().zip(&picture).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let rms = (squares.sum::<f64>() / picture.len() as f64).sqrt();
    // The best 256 are a lattice, 3.3 away from these colours on average; those that NeuQuant learns are within three times that.
    assert!(rms < 10.0, "{rms}");
}

#[test]
fn a_zip_has_a_png_for_each_step_and_their_levels() {
    let zip = film(Format::Zip, scene(Shows::Both));
    let archive = rawzip::ZipArchive::from_slice(&zip).expect("a ZIP");
    let mut names = Vec::new();
    let mut list = None;
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().expect("an entry") {
        let name = String::from_utf8(entry.file_path().as_ref().to_vec()).expect("text");
        let data = archive.get_entry(entry.wayfinder()).expect("its bytes").data();
        match name.ends_with(".png") {
            true => assert_eq!(crate::picture::texts::read(data).expect("a PNG")[0].text.as_deref(), Some("unnoise")),
            false => list = Some(serde_json::from_slice::<serde_json::Value>(data).expect("JSON")),
        }
        names.push(name);
    }
    let expected =
        ["step-0000-x.png", "step-0001-x.png", "step-0001-x0.png", "step-0002-x.png", "step-0002-x0.png", "steps.json"];
    assert_eq!(names, expected);
    let list = list.expect("the list");
    assert_eq!((&list["link"], &list["steps"][2]["sigma"]), (&serde_json::json!("#seed=7"), &serde_json::json!(0.6)));
    assert_eq!(
        (&list["steps"][0]["x0"], &list["steps"][1]["x0"]),
        (&serde_json::Value::Null, &serde_json::json!("step-0001-x0.png"))
    );
}

#[test]
fn what_no_film_can_be_is_refused() {
    let new = |scene, pace, frames| Film::new(Format::Gif, scene, pace, frames).err();
    let points = scene(Shows::Points);
    assert_eq!(new(points, Pace { rate: 0.0, ..PACE }, 2), Some(FilmError::Rate { rate: 0.0 }));
    assert!(matches!(new(points, Pace { hold: f64::NAN, ..PACE }, 2), Some(FilmError::Hold { .. })));
    assert_eq!(new(points, PACE, 0), Some(FilmError::Empty));
    assert_eq!(new(scene(Shows::Estimates), PACE, 1), Some(FilmError::Empty), "the first frame has no estimate");
    let large = Scene { zoom: 2000, ..points };
    assert_eq!(new(large, PACE, 2), Some(FilmError::Large { width: 8000, height: 2000 }));
    assert_eq!(new(Scene { image: Some(2), ..points }, PACE, 2), Some(FilmError::Image { image: 3, images: 2 }));
}
