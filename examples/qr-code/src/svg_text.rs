//! What does a code look like in SVG?

use std::fmt::Write as _;

use qrcodegen::QrCode;

use crate::bindings::exports::skillhall::qr_code::api::Shape;
use crate::colour::Colour;
use crate::encode::Look;

/// How wide a finder in a corner is.
const FINDER: i32 = 7;

/// A drawing of one path, one unit for each module.
pub(crate) fn draw(code: &QrCode, look: &Look) -> String {
    let border = i32::try_from(look.border).unwrap_or_default();
    let side = code.size() + 2 * border;
    let mut path = String::new();
    for y in 0..code.size() {
        match look.shape {
            Shape::Square => row(&mut path, code, y, border),
            Shape::Dot => dots(&mut path, code, y, border),
        }
    }
    let (light, dark) = (hex(look.light), hex(look.dark));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{0}\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"QR code\"{1}>\n\
         <rect width=\"{side}\" height=\"{side}\" fill=\"{light}\"/>\n<path fill=\"{dark}\" d=\"{path}\"/>\n",
        side * 8,
        if look.shape == Shape::Square { " shape-rendering=\"crispEdges\"" } else { "" }
    );
    if look.shape == Shape::Dot {
        let far = code.size() - FINDER + border;
        for (x, y) in [(border, border), (far, border), (border, far)] {
            let _ = writeln!(
                svg,
                "<rect x=\"{x}.5\" y=\"{y}.5\" width=\"6\" height=\"6\" rx=\"1.8\" fill=\"none\" stroke=\"{dark}\"/>\
                 <rect x=\"{}\" y=\"{}\" width=\"3\" height=\"3\" rx=\".9\" fill=\"{dark}\"/>",
                x + 2,
                y + 2
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The dark modules of a row; those that lie side by side are one piece.
fn row(path: &mut String, code: &QrCode, y: i32, border: i32) {
    let mut x = 0;
    while x < code.size() {
        let length = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
        if length > 0 {
            let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + border, y + border);
        }
        x += i32::try_from(length).unwrap_or(i32::MAX).max(1);
    }
}

fn dots(path: &mut String, code: &QrCode, y: i32, border: i32) {
    let far = code.size() - FINDER;
    for x in 0..code.size() {
        let finder = (x < FINDER && (y < FINDER || y >= far)) || (x >= far && y < FINDER);
        if code.get_module(x, y) && !finder {
            let _ = write!(path, "M{} {}.5a.46.46 0 1 1 .92 0a.46.46 0 1 1-.92 0z", f64::from(x + border) + 0.04, y + border);
        }
    }
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
