//! What does a code look like in PNG?

use png::{BitDepth, ColorType, Compression, Encoder};
use qrcodegen::QrCode;

use crate::bindings::exports::skillhall::qr_code::api::CodeError;
use crate::encode::Look;

/// The most pixels of a side.
const MAX_SIDE: u32 = 4096;

/// A file of two colours, one bit for each pixel, and the pixels of its sides.
pub(crate) fn draw(code: &QrCode, look: &Look) -> Result<(Vec<u8>, u32), CodeError> {
    let modules = u32::try_from(code.size()).unwrap_or_default() + 2 * look.border;
    let side = modules * look.scale;
    if side > MAX_SIDE {
        return Err(CodeError::ScaleNotAllowed);
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::One);
    encoder.set_palette([look.light, look.dark].concat());
    encoder.set_compression(Compression::High);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&bits(code, look, modules)));
    // It is written to memory, and the sizes come from above.
    written.map_err(|_| CodeError::ScaleNotAllowed)?;
    Ok((file, side))
}

/// The rows from top to bottom, each in whole bytes, the first pixel in the highest bit.
fn bits(code: &QrCode, look: &Look, modules: u32) -> Vec<u8> {
    let place = |at: u32| i32::try_from(at).unwrap_or_default() - i32::try_from(look.border).unwrap_or_default();
    let mut all = Vec::new();
    for y in 0..modules {
        let pixels: Vec<bool> =
            (0..modules).flat_map(|x| std::iter::repeat_n(code.get_module(place(x), place(y)), look.scale as usize)).collect();
        let row: Vec<u8> = pixels
            .chunks(8)
            .map(|eight| eight.iter().enumerate().fold(0, |byte, (at, dark)| byte | u8::from(*dark) << (7 - at)))
            .collect();
        for _ in 0..look.scale {
            all.extend_from_slice(&row);
        }
    }
    all
}
