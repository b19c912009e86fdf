//! One line to stderr for each message, which the host keeps with the call's receipt.
//!
//! A host bounds how much it keeps and escapes control characters; a line break inside a message is escaped here already, so that
//! one message is one line.

use std::fmt::{self, Write as _};
use std::io::Write as _;

/// How much a message matters, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The skill cannot do what it was asked.
    Error,
    /// The skill goes on, but the caller should know.
    Warn,
    /// What the skill did.
    Info,
    /// For the author.
    Debug,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

/// Writes the message as one line, `level: message`. What the host does not take is lost; the skill goes on.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    let _ = std::io::stderr().lock().write_all(line(level, message).as_bytes());
}

fn line(level: Level, message: fmt::Arguments<'_>) -> String {
    let mut line = format!("{level}: ");
    // A `Display` that reports an error has written what it could.
    let _ = OneLine(&mut line).write_fmt(message);
    line.push('\n');
    line
}

struct OneLine<'a>(&'a mut String);

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                _ => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// Logs that the skill cannot do what it was asked. Takes what [`format!`] takes.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Error, ::core::format_args!($($message)+)) };
}

/// Logs what the caller should know although the skill goes on. Takes what [`format!`] takes.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($message)+)) };
}

/// Logs what the skill did. Takes what [`format!`] takes.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Info, ::core::format_args!($($message)+)) };
}

/// Logs for the author. Takes what [`format!`] takes.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($message)+)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(line(Level::Warn, format_args!("a{}b\r\n", '\n')), "warn: a\\nb\\r\\n\n");
    }

    #[test]
    fn the_macros_format() {
        let count = 3;
        crate::error!("plain");
        crate::warn!("{count} rows");
        crate::info!("{} rows", count);
        crate::debug!("{count:?}");
    }
}
