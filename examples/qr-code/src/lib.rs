//! A skill that draws QR codes. What it offers stands in `wit/qr-code.wit`.

mod colour;
mod encode;
mod png_file;
mod svg_text;

use bindings::exports::skillhall::qr_code::api::{CodeError, Drawing, Guest, Options, Picture};

skillhall_sdk::skill! { world: "skill", by: QrCode }

struct QrCode;

impl Guest for QrCode {
    fn svg(text: String, options: Option<Options>) -> Result<Drawing, CodeError> {
        let look = encode::Look::new(options)?;
        let (code, facts) = encode::encode(&text, look.level)?;
        Ok(Drawing { svg: svg_text::draw(&code, &look), facts })
    }

    fn png(text: String, options: Option<Options>) -> Result<Picture, CodeError> {
        let look = encode::Look::new(options)?;
        let (code, facts) = encode::encode(&text, look.level)?;
        let (png, side) = png_file::draw(&code, &look)?;
        Ok(Picture { png, side, facts })
    }
}

#[cfg(test)]
mod tests;
