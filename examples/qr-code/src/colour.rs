//! Which colour is meant, and can a scanner tell two apart?

use crate::bindings::exports::skillhall::qr_code::api::CodeError;

/// Red, green and blue.
pub(crate) type Colour = [u8; 3];

/// Reads `#rrggbb`.
pub(crate) fn parse(text: &str) -> Result<Colour, CodeError> {
    let refused = || CodeError::ColourNotAllowed(text.chars().take(40).collect());
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(refused)?;
    let [_, red, green, blue] = value.to_be_bytes();
    Ok([red, green, blue])
}

/// How much lighter the second is: WCAG's contrast, 1 to 21. Below 1 where it is darker.
pub(crate) fn contrast(dark: Colour, light: Colour) -> f64 {
    (luminance(light) + 0.05) / (luminance(dark) + 0.05)
}

fn luminance(colour: Colour) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}
