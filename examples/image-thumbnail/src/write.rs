//! How is a small picture written?

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageResult, RgbImage};

use crate::bindings::exports::skillhall::image_thumbnail::api::{Format, ThumbnailError};

/// The picture as a file, and its kind.
pub(crate) fn write(picture: &DynamicImage, format: Format, quality: u8) -> Result<(Vec<u8>, String), ThumbnailError> {
    let mut file = Cursor::new(Vec::new());
    let (written, media_type): (ImageResult<()>, _) = match format {
        Format::Png => {
            let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::Adaptive);
            (eight_bits(picture).write_with_encoder(encoder), "image/png")
        }
        Format::Jpeg => (on_white(picture).write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality)), "image/jpeg"),
        Format::Webp => (eight_bits(picture).write_with_encoder(WebPEncoder::new_lossless(&mut file)), "image/webp"),
    };
    written.map_err(|error| ThumbnailError::Unreadable(skillhall_sdk::explain(error)))?;
    Ok((file.into_inner(), media_type.to_owned()))
}

/// Whether something can be seen through.
pub(crate) fn is_transparent(picture: &DynamicImage) -> bool {
    picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX)
}

fn eight_bits(picture: &DynamicImage) -> DynamicImage {
    if is_transparent(picture) { picture.to_rgba8().into() } else { picture.to_rgb8().into() }
}

fn on_white(picture: &DynamicImage) -> DynamicImage {
    let mut opaque = RgbImage::new(picture.width(), picture.height());
    for (to, from) in opaque.pixels_mut().zip(picture.to_rgba8().pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        let over = |colour: u32| u8::try_from((colour * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX);
        to.0 = [over(red), over(green), over(blue)];
    }
    opaque.into()
}
