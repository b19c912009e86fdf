//! A skill that makes thumbnails of pictures. What it offers stands in `wit/image-thumbnail.wit`.

mod open;
mod shrink;
mod write;

use bindings::exports::skillhall::image_thumbnail::api::{Fit, Format, Guest, Options, SmallImage, ThumbnailError};

skillhall_sdk::skill! { world: "skill", by: ImageThumbnail }

/// The most pixels of a side.
const MAX_SIDE: u32 = 2000;

struct ImageThumbnail;

impl Guest for ImageThumbnail {
    fn thumbnail(image: Vec<u8>, options: Option<Options>) -> Result<SmallImage, ThumbnailError> {
        let options = options.unwrap_or(Options { width: None, height: None, fit: None, format: None, quality: None });
        let width = options.width.unwrap_or(256);
        let height = options.height.unwrap_or(width);
        let quality = options.quality.unwrap_or(82);
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(ThumbnailError::SizeNotAllowed);
        }
        if !(1..=100).contains(&quality) {
            return Err(ThumbnailError::QualityNotAllowed);
        }
        let (picture, source) = open::open(&image)?;
        let small = shrink::shrink(picture, width, height, options.fit.unwrap_or(Fit::Contain));
        let format = options.format.unwrap_or(if write::is_transparent(&small) { Format::Png } else { Format::Jpeg });
        let (width, height) = (small.width(), small.height());
        let (image, media_type) = write::write(&small, format, quality)?;
        Ok(SmallImage { image, media_type, width, height, source })
    }
}

#[cfg(test)]
mod tests;
