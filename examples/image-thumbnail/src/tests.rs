use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// A picture whose red grows to the right and whose green grows downwards.
fn picture(width: u32, height: u32) -> DynamicImage {
    let part = |at: u32, of: u32| u8::try_from(at * 255 / of).unwrap();
    RgbImage::from_fn(width, height, |x, y| Rgb([part(x, width), part(y, height), 40])).into()
}

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn options(width: u32, height: Option<u32>) -> Options {
    Options { width: Some(width), height, fit: None, format: None, quality: None }
}

fn small(file: &[u8], options: Options) -> Result<SmallImage, ThumbnailError> {
    ImageThumbnail::thumbnail(file.to_vec(), Some(options))
}

#[test]
fn each_format_is_read_and_written() {
    for (format, media_type) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::WebP, "image/webp"),
        (ImageFormat::Gif, "image/gif"),
    ] {
        let given = file(&picture(600, 300), format);
        for (wanted, told) in [(Format::Png, "image/png"), (Format::Jpeg, "image/jpeg"), (Format::Webp, "image/webp")] {
            let made = small(&given, Options { format: Some(wanted), ..options(120, None) }).unwrap();
            assert_eq!((made.width, made.height, made.media_type.as_str()), (120, 60, told));
            assert_eq!((made.source.width, made.source.height, made.source.media_type.as_str()), (600, 300, media_type));
            let shown = image::load_from_memory(&made.image).unwrap().to_rgb8();
            // The colours stand where they stood.
            let [red, green, _] = shown.get_pixel(90, 15).0;
            assert!(red.abs_diff(191) < 16 && green.abs_diff(63) < 16, "{format:?} {wanted:?} {red} {green}");
        }
    }
}

#[test]
fn the_size_fits() {
    let given = file(&picture(400, 200), ImageFormat::Png);
    for (width, height, fit, expected) in [
        (100, None, Fit::Contain, (100, 50)),
        (100, Some(20), Fit::Contain, (40, 20)),
        (1000, Some(1000), Fit::Contain, (400, 200)),
        (1, Some(1), Fit::Contain, (1, 1)),
        (100, Some(100), Fit::Cover, (100, 100)),
        (50, Some(100), Fit::Cover, (50, 100)),
        (2000, Some(1000), Fit::Cover, (400, 200)),
        (1000, Some(1000), Fit::Cover, (200, 200)),
    ] {
        let made = small(&given, Options { fit: Some(fit), ..options(width, height) }).unwrap();
        assert_eq!((made.width, made.height), expected, "{width} {height:?} {fit:?}");
    }
    for (wide, high) in [(2000, 1), (1, 2000), (3, 2), (1, 1)] {
        for fit in [Fit::Contain, Fit::Cover] {
            let made =
                small(&file(&picture(wide, high), ImageFormat::Png), Options { fit: Some(fit), ..options(16, Some(9)) }).unwrap();
            assert!((1..=16).contains(&made.width) && (1..=9).contains(&made.height), "{wide} {high} {fit:?}");
        }
    }
}

#[test]
fn transparency_stays_or_becomes_white() {
    let given = file(&RgbaImage::from_pixel(300, 300, Rgba([200, 0, 0, 0])).into(), ImageFormat::Png);
    let made = small(&given, options(30, None)).unwrap();
    assert_eq!(made.media_type, "image/png");
    assert_eq!(image::load_from_memory(&made.image).unwrap().to_rgba8().get_pixel(5, 5).0[3], 0);
    let made = small(&given, Options { format: Some(Format::Jpeg), ..options(30, None) }).unwrap();
    assert!(image::load_from_memory(&made.image).unwrap().to_rgb8().get_pixel(5, 5).0.iter().all(|c| *c > 250));
}

/// A JPEG whose EXIF says that it lies on its side, and where it was taken.
fn on_its_side() -> Vec<u8> {
    let plain = file(&picture(200, 100), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"); // orientation: turned by a quarter
    exif.extend(b"\x0e\x01\x02\0\x0c\0\0\0\x26\0\0\0\0\0\0\0"); // a description
    exif.extend(b"52.5N 13.4E\0");
    let mut file = plain[..2].to_vec();
    file.extend([0xff, 0xe1]);
    file.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    file.extend(&exif);
    file.extend(&plain[2..]);
    file
}

#[test]
fn a_photograph_is_turned_and_tells_no_place() {
    let given = on_its_side();
    assert!(given.windows(5).any(|part| part == b"52.5N"));
    let made = small(&given, options(50, None)).unwrap();
    assert_eq!((made.width, made.height, made.source.width, made.source.height), (25, 50, 100, 200));
    assert!(!made.image.windows(5).any(|part| part == b"52.5N") && !made.image.windows(4).any(|part| part == b"Exif"));
}

/// A PNG that says that it has this size and holds next to nothing.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut file = file(&picture(1, 1), ImageFormat::Png);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    file
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_bomb_is_not_unpacked() {
    for (width, height) in [(50_000, 50_000), (40_000_001, 1), (0x7fff_ffff, 0x7fff_ffff)] {
        let begin = std::time::Instant::now();
        let error = small(&bomb(width, height), options(10, None)).unwrap_err();
        assert!(matches!(error, ThumbnailError::TooManyPixels(_) | ThumbnailError::Unreadable(_)), "{error:?}");
        assert!(begin.elapsed().as_secs() < 2);
    }
    let error = small(&bomb(8000, 8000), options(10, None)).unwrap_err();
    assert!(
        matches!(error, ThumbnailError::TooManyPixels(size) if (size.width, size.height, size.most) == (8000, 8000, open::MAX_PIXELS))
    );
    let gif =
        [b"GIF89a".as_slice(), &[0xff; 4], &[0, 0, 0, 0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 1, 0, 0, 0x3b]].concat();
    assert!(small(&gif, options(10, None)).is_err());
}

#[test]
fn what_is_no_picture_is_told() {
    for bytes in [b"".as_slice(), b"x", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BM\0\0", b"%PDF-1.7", &[0; 5000]] {
        assert!(matches!(small(bytes, options(10, None)), Err(ThumbnailError::UnknownFormat)));
    }
    let given = file(&picture(60, 60), ImageFormat::Png);
    assert!(matches!(small(&given, options(0, None)), Err(ThumbnailError::SizeNotAllowed)));
    assert!(matches!(small(&given, options(10, Some(2001))), Err(ThumbnailError::SizeNotAllowed)));
    assert!(matches!(small(&given, Options { quality: Some(0), ..options(10, None) }), Err(ThumbnailError::QualityNotAllowed)));
    assert!(matches!(small(&given, Options { quality: Some(101), ..options(10, None) }), Err(ThumbnailError::QualityNotAllowed)));
}

#[test]
fn damage_is_an_error_and_never_a_fault() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
        let whole = file(&picture(40, 30), format);
        for length in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let _ = small(&whole[..length], options(10, None));
        }
        let mut noise = 0x9e37_79b9_u32;
        for _ in 0..400 {
            let mut file = whole.clone();
            for _ in 0..3 {
                noise ^= noise << 13;
                noise ^= noise >> 17;
                noise ^= noise << 5;
                let at = noise as usize % file.len();
                file[at] = noise.to_le_bytes()[3];
            }
            let _ = small(&file, options(10, None));
        }
    }
}
