//! What is the picture, and is it small enough to be unpacked?

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::bindings::exports::skillhall::image_thumbnail::api::{Size, Source, ThumbnailError};

/// The most pixels.
pub(crate) const MAX_PIXELS: u64 = 40_000_000;

/// The most bytes that a picture has when it is unpacked, and that a decoder takes besides.
const MAX_BYTES: u64 = 176 << 20;

/// Unpacks a picture and turns it the right way up.
pub(crate) fn open(file: &[u8]) -> Result<(DynamicImage, Source), ThumbnailError> {
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];
    let format = image::guess_format(file).ok().filter(|format| known.contains(format)).ok_or(ThumbnailError::UnknownFormat)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    // What the header says is held against the bounds before any pixel is unpacked.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_BYTES {
        return Err(ThumbnailError::TooManyPixels(Size { width, height, most: MAX_PIXELS }));
    }
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let source = Source { media_type: format.to_mime_type().to_owned(), width: picture.width(), height: picture.height() };
    Ok((picture, source))
}

fn unreadable(error: ImageError) -> ThumbnailError {
    match error {
        ImageError::Limits(_) => ThumbnailError::Unreadable("it needs more memory than a picture may take".to_owned()),
        error => ThumbnailError::Unreadable(skillhall_sdk::explain(error).chars().take(300).collect()),
    }
}
