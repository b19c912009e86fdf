use std::io::Cursor;

use super::*;
use bindings::exports::skillhall::qr_code::api::{Level, Shape};

fn options(level: Level) -> Options {
    Options { level: Some(level), border: None, dark: None, light: None, shape: None, scale: None }
}

fn png(text: &str, options: Options) -> Result<Picture, CodeError> {
    QrCode::png(text.to_owned(), Some(options))
}

/// The pixels of a file of two colours, from 0 to 255 as a camera would see them.
fn seen(file: &[u8]) -> (usize, Vec<u8>) {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let grey = pixels.chunks(3).map(|rgb| u8::try_from(rgb.iter().map(|c| u32::from(*c)).sum::<u32>() / 3).unwrap()).collect();
    (info.width as usize, grey)
}

/// What another program reads.
fn read(side: usize, grey: &[u8]) -> Option<String> {
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| grey[y * side + x]);
    let grids = picture.detect_grids();
    grids.first()?.decode().ok().map(|(_, text)| text)
}

#[test]
fn another_program_reads_what_was_written() {
    let long = "Skillhall runs skills that strangers wrote. ".repeat(20);
    for text in
        ["https://example.com/?q=1&r=ü", "0123456789", "HELLO WORLD", "日本語 👩‍👩‍👧", "WIFI:T:WPA;S:guest;P:s3cret;;", "x", &long]
    {
        for level in [Level::Low, Level::Medium, Level::Quartile, Level::High] {
            let made = png(text, options(level)).unwrap();
            let (side, grey) = seen(&made.png);
            assert_eq!(side, made.side as usize);
            assert_eq!(read(side, &grey).as_deref(), Some(text), "{level:?}");
        }
    }
}

#[test]
fn a_code_of_a_high_level_can_be_dirty() {
    let made = png("https://example.com/dirty", options(Level::High)).unwrap();
    assert_eq!(made.facts.level, Level::High);
    let (side, mut grey) = seen(&made.png);
    let modules = made.facts.modules as usize;
    // A spot of a sixth of the width, in the middle where no finder is.
    for y in side / 2..side / 2 + modules * 8 / 6 {
        for x in side / 2..side / 2 + modules * 8 / 6 {
            grey[y * side + x] = 0;
        }
    }
    assert_eq!(read(side, &grey).as_deref(), Some("https://example.com/dirty"));
}

#[test]
fn a_level_becomes_higher_where_it_costs_no_room() {
    let made = QrCode::svg("hi".to_owned(), Some(options(Level::Low))).unwrap();
    assert_eq!((made.facts.version, made.facts.modules, made.facts.level), (1, 21, Level::High));
    let most = png(&"9".repeat(7089), options(Level::Low)).unwrap();
    assert_eq!((most.facts.version, most.facts.modules, most.facts.level), (40, 177, Level::Low));
}

#[test]
fn the_drawing_shows_the_same_modules_as_the_picture() {
    let made = QrCode::svg("https://example.com".to_owned(), None).unwrap();
    let path = made.svg.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let mut dark = std::collections::HashSet::new();
    for piece in path.split('M').skip(1) {
        let (x, rest) = piece.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (length, _) = rest.split_once('v').unwrap();
        let (x, y, length): (usize, usize, usize) = (x.parse().unwrap(), y.parse().unwrap(), length.parse().unwrap());
        dark.extend((x..x + length).map(|x| (x, y)));
    }
    let made = png("https://example.com", options(Level::Medium)).unwrap();
    let (side, grey) = seen(&made.png);
    let expected = (0..side * side)
        .filter(|at| at % side % 8 == 0 && at / side % 8 == 0 && grey[*at] == 0)
        .map(|at| (at % side / 8, at / side / 8))
        .collect();
    assert_eq!(dark, expected);
}

#[test]
fn colours_border_scale_and_shape_are_options() {
    let look = Options {
        border: Some(1),
        dark: Some("#1E3a8a".into()),
        light: Some("#fef9c3".into()),
        shape: Some(Shape::Dot),
        scale: Some(3),
        ..options(Level::Medium)
    };
    let made = QrCode::svg("hi".to_owned(), Some(look.clone())).unwrap();
    assert!(
        made.svg.contains("viewBox=\"0 0 23 23\"")
            && made.svg.contains("#1e3a8a")
            && made.svg.contains("#fef9c3")
            && made.svg.contains("rx=\"1.8\"")
    );
    let made = png("hi", look).unwrap();
    assert_eq!(made.side, 23 * 3);
    let (side, grey) = seen(&made.png);
    assert!(grey.len() == side * side && grey.iter().all(|c| *c > 60));
}

#[test]
fn what_cannot_be_read_is_not_drawn() {
    let with = |change: fn(&mut Options)| {
        let mut wanted = options(Level::Low);
        change(&mut wanted);
        png("hi", wanted)
    };
    assert!(matches!(png("", options(Level::Low)), Err(CodeError::Empty)));
    assert!(matches!(png(&"9".repeat(7090), options(Level::Low)), Err(CodeError::TooLong)));
    assert!(matches!(png(&"x".repeat(2000), options(Level::High)), Err(CodeError::TooLong)));
    assert!(matches!(with(|o| o.dark = Some("red".into())), Err(CodeError::ColourNotAllowed(c)) if c == "red"));
    assert!(matches!(with(|o| o.dark = Some("#12345é".into())), Err(CodeError::ColourNotAllowed(_))));
    assert!(matches!(with(|o| o.dark = Some("#ffffff".into())), Err(CodeError::LowContrast(c)) if (c - 1.0).abs() < 0.01));
    assert!(
        matches!(with(|o| (o.dark, o.light) = (Some("#ffffff".into()), Some("#000000".into()))), Err(CodeError::LowContrast(c)) if c < 1.0)
    );
    assert!(matches!(with(|o| o.border = Some(17)), Err(CodeError::BorderNotAllowed)));
    assert!(matches!(with(|o| o.scale = Some(0)), Err(CodeError::ScaleNotAllowed)));
    let large = png(&"9".repeat(7089), Options { scale: Some(40), ..options(Level::Low) });
    assert!(matches!(large, Err(CodeError::ScaleNotAllowed)));
}
