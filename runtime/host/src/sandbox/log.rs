//! `wasi:logging`: lines for the receipt, within the budget of all that a guest gives out.

use serde::{Deserialize, Serialize};
use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use super::Guest;
use super::stdio::Output;
use generated::wasi::logging;

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package wasi:logging@0.1.0-draft;
            interface logging {
                enum level { trace, debug, info, warn, error, critical }
                log: func(level: level, context: string, message: string);
            }
            world imports { import logging; }
        ",
        imports: { default: trappable },
    });
}

/// How much a line matters, as `wasi:logging` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the levels")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// A line that a guest logged; control and format characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// Where in the skill it comes from, in the skill's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// What it says.
    pub message: String,
}

impl From<logging::logging::Level> for Level {
    fn from(level: logging::logging::Level) -> Self {
        match level {
            logging::logging::Level::Trace => Self::Trace,
            logging::logging::Level::Debug => Self::Debug,
            logging::logging::Level::Info => Self::Info,
            logging::logging::Level::Warn => Self::Warn,
            logging::logging::Level::Error => Self::Error,
            logging::logging::Level::Critical => Self::Critical,
        }
    }
}

struct HasLog;

impl HasData for HasLog {
    type Data<'a> = &'a Output;
}

/// Links the interface for everybody.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    logging::logging::add_to_linker::<Guest, HasLog>(linker, |guest| {
        guest.meter.host_call();
        &guest.output
    })
}

impl logging::logging::Host for &Output {
    fn log(&mut self, level: logging::logging::Level, context: String, message: String) -> Result<()> {
        Ok(Output::log(self, Line { level: level.into(), context, message })?)
    }
}
