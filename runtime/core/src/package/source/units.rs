//! Sizes and times with units.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize as _, Deserializer};

use crate::json::canonical::MAX_SAFE_INTEGER;

/// A text is no size or no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(String);

const BYTES: &str = "a size such as \"64MiB\", \"10MB\", \"512B\" or a number of bytes";
const TIME: &str = "a time such as \"500ms\", \"2s\" or \"1m\"";

/// Reads a size: a whole number and one of `B`, `kB`, `KB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB`, `GiB` (powers of
/// 1024; IEC 80000-13). In bytes.
///
/// # Errors
/// If it is anything else, or beyond 2^53 - 1.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    with_unit(text, BYTES, |unit| {
        Some(match unit {
            "B" => 1,
            "kB" | "KB" => 1000,
            "MB" => 1000 * 1000,
            "GB" => 1000 * 1000 * 1000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        })
    })
}

/// Reads a time: a whole number and one of `ms`, `s`, `m`, `h`. In milliseconds.
///
/// # Errors
/// If it is anything else, or beyond 2^53 - 1.
pub fn parse_time(text: &str) -> Result<u64, UnitError> {
    with_unit(text, TIME, |unit| {
        Some(match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            _ => return None,
        })
    })
}

fn with_unit(text: &str, expected: &str, factor: fn(&str) -> Option<u64>) -> Result<u64, UnitError> {
    let refuse = || UnitError(format!("'{}' is not {expected}", text.chars().take(40).collect::<String>().escape_default()));
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(refuse)?;
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let factor = factor(unit).ok_or_else(refuse)?;
    number.checked_mul(factor).filter(|product| *product <= MAX_SAFE_INTEGER).ok_or_else(refuse)
}

pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Bytes).map(Some)
}

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Time).map(Some)
}

pub(super) fn fuel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let fuel = u64::try_from(number).ok().filter(|fuel| *fuel <= MAX_SAFE_INTEGER);
    fuel.map(Some).ok_or_else(|| D::Error::custom("a number of units of fuel from 0 to 2^53 - 1"))
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BYTES)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        parse_bytes(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        let bytes = u64::try_from(number).ok().filter(|bytes| *bytes <= MAX_SAFE_INTEGER);
        bytes.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
    }
}

struct Time;

impl Visitor<'_> for Time {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TIME)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        parse_time(text).map_err(E::custom)
    }
}
