//! How does a picture become smaller?

use image::DynamicImage;
use image::imageops::FilterType;

use crate::bindings::exports::skillhall::image_thumbnail::api::Fit;

/// A picture of at most this size. One that is smaller already stays as it is, but for what `cover` cuts off.
pub(crate) fn shrink(picture: DynamicImage, width: u32, height: u32, fit: Fit) -> DynamicImage {
    match fit {
        Fit::Contain => {
            let (wide, high) = (u64::from(picture.width()), u64::from(picture.height()));
            // The side that meets its bound first decides; the other is rounded, and never nothing.
            let (new_wide, new_high) = if wide * u64::from(height) > high * u64::from(width) {
                (u64::from(width), rounded(high * u64::from(width), wide))
            } else {
                (rounded(wide * u64::from(height), high), u64::from(height))
            };
            // A side that is rounded up to one pixel does not shrink though the other does.
            let (new_wide, new_high) = (new_wide.min(wide), new_high.min(high));
            if (new_wide, new_high) == (wide, high) {
                return picture;
            }
            resized(&picture, side(new_wide), side(new_high))
        }
        Fit::Cover => {
            let part = middle(&picture, width, height);
            if part.width() <= width { part } else { resized(&part, width, height) }
        }
    }
}

/// The largest part around the middle that has these proportions.
fn middle(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    let (wide, high) = (u64::from(picture.width()), u64::from(picture.height()));
    let (width, height) = (u64::from(width), u64::from(height));
    let (part_wide, part_high) =
        if wide * height > high * width { (rounded(high * width, height), high) } else { (wide, rounded(wide * height, width)) };
    let (part_wide, part_high) = (part_wide.min(wide), part_high.min(high));
    picture.crop_imm(side((wide - part_wide) / 2), side((high - part_high) / 2), side(part_wide), side(part_high))
}

/// The mean of the pixels that fall together down to about twice the size, which is fast, and from there the sharp way.
fn resized(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if picture.width() / 3 > width && picture.height() / 3 > height {
        let nearer = picture.thumbnail_exact(width * 2, height * 2);
        return nearer.resize_exact(width, height, FilterType::CatmullRom);
    }
    picture.resize_exact(width, height, FilterType::CatmullRom)
}

fn rounded(dividend: u64, divisor: u64) -> u64 {
    ((dividend + divisor / 2) / divisor.max(1)).max(1)
}

fn side(pixels: u64) -> u32 {
    u32::try_from(pixels).unwrap_or(u32::MAX)
}
