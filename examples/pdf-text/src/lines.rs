//! Where do words, lines and paragraphs end? A PDF says where each character stands, and nothing more.

use hayro_interpret::kurbo::{Point, Vec2};

use crate::words::{is_hidden, tidied};

/// Characters of the same line, as they come.
pub(crate) struct Lines {
    text: String,
    most: usize,
    full: bool,
    last: Option<Last>,
}

/// The character before.
struct Last {
    at: Point,
    end: Point,
    size: f64,
}

impl Lines {
    /// No characters yet, and at most so many bytes of them.
    pub(crate) fn new(most: usize) -> Self {
        Self { text: String::new(), most, full: false, last: None }
    }

    /// Puts a character, or several that are drawn as one, at a place. `width` leads to where the next one would stand, and `size` is that of
    /// the font, in the units of the place.
    pub(crate) fn put(&mut self, characters: &str, at: Point, width: Vec2, size: f64) {
        if !(at.is_finite() && width.is_finite() && size.is_finite()) || characters.chars().all(is_hidden) {
            return;
        }
        if self.text.len() + characters.len() + 2 > self.most {
            self.full = true;
            return;
        }
        if let Some(last) = &self.last {
            self.text.push_str(between(last, at, width, size));
        }
        self.text.extend(characters.chars().filter(|c| !is_hidden(*c)));
        self.last = Some(Last { at, end: at + width, size });
    }

    /// The text, or nothing if it has more bytes than it may.
    pub(crate) fn text(self) -> Option<String> {
        (!self.full).then(|| tidied(&self.text))
    }
}

/// What stands between two characters.
fn between(last: &Last, at: Point, width: Vec2, size: f64) -> &'static str {
    let height = last.size.max(size).max(f64::MIN_POSITIVE);
    let direction = if width.hypot() > 0.0 { width.normalize() } else { Vec2::new(1.0, 0.0) };
    let gap = at - last.end;
    let (ahead, aside) = (gap.dot(direction), gap.cross(direction).abs());
    let back = (at - last.at).dot(direction);
    if aside > height * 1.8 {
        "\n\n"
    } else if aside > height * 0.6 || back < -height * 2.0 {
        "\n"
    } else if ahead > height * 0.17 || ahead < -height * 1.5 {
        " "
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(placed: &[(&str, f64, f64)]) -> String {
        let mut lines = Lines::new(1000);
        for (characters, x, y) in placed {
            lines.put(characters, Point::new(*x, *y), Vec2::new(5.0, 0.0), 10.0);
        }
        lines.text().unwrap()
    }

    #[test]
    fn gaps_are_blanks_lines_and_paragraphs() {
        assert_eq!(text(&[("a", 0.0, 0.0), ("b", 5.0, 0.0), ("c", 10.5, 0.0)]), "abc");
        assert_eq!(text(&[("a", 0.0, 0.0), ("b", 8.0, 0.0)]), "a b");
        assert_eq!(text(&[("a", 0.0, 0.0), (" ", 5.0, 0.0), ("b", 10.0, 0.0)]), "a b");
        assert_eq!(text(&[("a", 0.0, 0.0), ("b", 0.0, 12.0), ("c", 0.0, 36.0)]), "a\nb\n\nc");
        // Raised and smaller, as a footnote's number.
        assert_eq!(text(&[("a", 0.0, 0.0), ("1", 5.0, -4.0)]), "a1");
    }

    #[test]
    fn what_has_no_place_is_passed_over() {
        assert_eq!(text(&[("a", f64::NAN, 0.0), ("b", f64::INFINITY, 1.0), ("\u{0}", 0.0, 0.0), ("c", 1e300, -1e300)]), "c");
    }

    #[test]
    fn too_much_is_nothing() {
        let mut lines = Lines::new(10);
        for at in 0..20 {
            lines.put("x", Point::new(f64::from(at) * 5.0, 0.0), Vec2::new(5.0, 0.0), 10.0);
        }
        assert_eq!(lines.text(), None);
    }
}
