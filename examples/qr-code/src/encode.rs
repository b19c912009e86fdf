//! Which code holds the text, and how is it to look?

use qrcodegen::{QrCode, QrCodeEcc};

use crate::bindings::exports::skillhall::qr_code::api::{CodeError, Facts, Level, Options, Shape};
use crate::colour::{self, Colour};

/// The least contrast that scanners read well.
const MIN_CONTRAST: f64 = 3.0;

/// How a code is to look.
pub(crate) struct Look {
    /// At least so much can be dirty.
    pub(crate) level: Level,
    /// Empty modules around it.
    pub(crate) border: u32,
    /// The colour of the modules.
    pub(crate) dark: Colour,
    /// The colour behind them.
    pub(crate) light: Colour,
    /// What a module looks like.
    pub(crate) shape: Shape,
    /// Pixels of a module.
    pub(crate) scale: u32,
}

impl Look {
    /// What the options say, and the rest as usual.
    pub(crate) fn new(options: Option<Options>) -> Result<Self, CodeError> {
        let options = options.unwrap_or(Options { level: None, border: None, dark: None, light: None, shape: None, scale: None });
        let look = Self {
            level: options.level.unwrap_or(Level::Medium),
            border: options.border.unwrap_or(4),
            dark: options.dark.as_deref().map_or(Ok([0; 3]), colour::parse)?,
            light: options.light.as_deref().map_or(Ok([255; 3]), colour::parse)?,
            shape: options.shape.unwrap_or(Shape::Square),
            scale: options.scale.unwrap_or(8),
        };
        if look.border > 16 {
            return Err(CodeError::BorderNotAllowed);
        }
        if !(1..=40).contains(&look.scale) {
            return Err(CodeError::ScaleNotAllowed);
        }
        let contrast = colour::contrast(look.dark, look.light);
        if contrast < MIN_CONTRAST {
            return Err(CodeError::LowContrast((contrast * 100.0).round() / 100.0));
        }
        Ok(look)
    }
}

/// The smallest code that holds the text, of the highest level that is as small.
pub(crate) fn encode(text: &str, level: Level) -> Result<(QrCode, Facts), CodeError> {
    if text.is_empty() {
        return Err(CodeError::Empty);
    }
    let least = match level {
        Level::Low => QrCodeEcc::Low,
        Level::Medium => QrCodeEcc::Medium,
        Level::Quartile => QrCodeEcc::Quartile,
        Level::High => QrCodeEcc::High,
    };
    let code = QrCode::encode_text(text, least).map_err(|_| CodeError::TooLong)?;
    let level = match code.error_correction_level() {
        QrCodeEcc::Low => Level::Low,
        QrCodeEcc::Medium => Level::Medium,
        QrCodeEcc::Quartile => Level::Quartile,
        QrCodeEcc::High => Level::High,
    };
    let facts = Facts { version: code.version().value(), modules: u32::try_from(code.size()).unwrap_or_default(), level };
    Ok((code, facts))
}
