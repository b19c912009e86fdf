//! Which characters does a page draw, and where?

use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::{Pdf, page::Page};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache, InterpreterSettings,
    SoftMask, interpret_page,
};

use crate::lines::Lines;

/// How many units a font's glyphs have to its size.
const UNITS: f64 = 1000.0;

/// The text of a page and how many characters are not known. Nothing if there are more bytes than these.
pub(crate) fn read(pdf: &Pdf, page: &Page, most: usize) -> Option<(String, u32)> {
    let cache = InterpreterCache::new();
    let mut context =
        Context::new(Affine::IDENTITY, Rect::new(0.0, 0.0, 1.0, 1.0), &cache, pdf.xref(), InterpreterSettings::default());
    let mut reader = Reader { lines: Lines::new(most), unknown: 0 };
    interpret_page(page, &mut context, &mut reader);
    Some((reader.lines.text()?, reader.unknown))
}

/// Takes the characters of all that is drawn.
struct Reader {
    lines: Lines,
    unknown: u32,
}

impl Device<'_> for Reader {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for positioned in run.glyphs() {
            let place = props.transform * positioned.transform();
            let glyph: &Glyph<'_> = positioned;
            let advance = match glyph {
                Glyph::Outline(glyph) => glyph.advance_width(),
                Glyph::Type3(glyph) => glyph.advance_width(),
            };
            let size = along(place, Vec2::new(0.0, UNITS)).hypot();
            let width = along(place, Vec2::new(f64::from(advance.unwrap_or(500.0)), 0.0));
            let at = place * Point::ZERO;
            match glyph.as_unicode() {
                Some(BfString::Char(c)) => self.lines.put(c.encode_utf8(&mut [0; 4]), at, width, size),
                Some(BfString::String(text)) => self.lines.put(&text, at, width, size),
                None => self.unknown = self.unknown.saturating_add(1),
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

/// Where a way leads, wherever it begins.
fn along(place: Affine, way: Vec2) -> Vec2 {
    place * way.to_point() - place * Point::ZERO
}
