//! What the command shows: the result on stdout, everything else on stderr, colours only on a terminal.

use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use skillhall_core::json::sorted;

use crate::error::CommandError;

/// Where output goes and in which form.
#[derive(Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Printer {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether one JSON object is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether narration is wanted.
    pub(crate) fn narrates(&self) -> bool {
        !self.json && !self.quiet
    }

    /// The result: one JSON object with `--json`, else the lines for people.
    pub(crate) fn result(&self, object: &Value, lines: impl FnOnce() -> Vec<String>) {
        let mut told = told();
        if *told == Told::GivenUp {
            return;
        }
        *told = Told::Result;
        let mut out = anstream::stdout().lock();
        // A reader that went away (a closed pipe) is no fault of the command.
        let _ = if self.json { writeln!(out, "{}", sorted(object.clone())) } else { write_lines(&mut out, &lines()) };
        let _ = out.flush();
    }

    /// A result that is one list, told entry by entry: with `--json` an object with that one member.
    pub(crate) fn list(&self, member: &str) -> List {
        let head = if self.json { format!("{{{}:[", Value::from(member)) } else { String::new() };
        List { json: self.json, head, out: BufWriter::new(Box::new(anstream::stdout())), count: 0 }
    }

    /// One line of narration on stderr; silent with `--json` and `--quiet`.
    pub(crate) fn note(&self, line: &str) {
        if self.narrates() {
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }

    /// Several lines of narration.
    pub(crate) fn narrate(&self, lines: &[String]) {
        lines.iter().for_each(|line| self.note(line));
    }

    /// The error, its code and its hint on stderr.
    pub(crate) fn error(&self, error: &CommandError) {
        let mut out = anstream::stderr().lock();
        if self.json {
            let _ = writeln!(out, "{}", sorted(error.to_json()));
            return;
        }
        let code = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
        let _ = writeln!(out, "{BAD}error{code}{BAD:#}: {}", shown(&error.message()));
        for line in error.powers() {
            let _ = writeln!(out, "  {}", shown(&line));
        }
        if let Some(hint) = error.hint() {
            let _ = writeln!(out, "{HINT} hint{HINT:#}: {}", shown(&hint));
        }
    }
}

/// What has become of the one result of this process.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Result,
    /// The command says that it was interrupted, so a result that comes later is not told.
    GivenUp,
}

static TOLD: Mutex<Told> = Mutex::new(Told::Nothing);

fn told() -> MutexGuard<'static, Told> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the result up, so that nobody is told both that a command was interrupted and what it did. `false` if the result has been
/// told already.
pub(crate) fn give_up() -> bool {
    let mut told = told();
    if *told == Told::Nothing {
        *told = Told::GivenUp;
    }
    *told == Told::GivenUp
}

/// A list that is being told.
pub(crate) struct List {
    json: bool,
    /// How it begins. Told with what comes first, so that a list that cannot even begin leaves nothing.
    head: String,
    out: BufWriter<Box<dyn Write>>,
    count: u64,
}

impl List {
    fn begin(&mut self) {
        // A reader that went away is no fault of the command, here and below.
        let _ = self.out.write_all(std::mem::take(&mut self.head).as_bytes());
    }

    /// Tells an entry: its object, or its line for people.
    pub(crate) fn entry(&mut self, object: &Value, line: impl FnOnce() -> String) {
        self.begin();
        let _ = match (self.json, self.count) {
            (true, 0) => write!(self.out, "{}", sorted(object.clone())),
            (true, _) => write!(self.out, ",{}", sorted(object.clone())),
            (false, _) => writeln!(self.out, "{}", line()),
        };
        self.count = self.count.saturating_add(1);
    }

    /// Tells that this is all.
    pub(crate) fn end(mut self) {
        self.begin();
        let _ = if self.json { writeln!(self.out, "]}}") } else { Ok(()) };
        let _ = self.out.flush();
    }
}

fn write_lines(out: &mut impl Write, lines: &[String]) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Text from outside, made inert: control and direction-changing characters are escaped, line breaks and tabs kept.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let inert = matches!(character, '\n' | '\t')
            || !(character.is_control()
                || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'));
        if inert { out.push(character) } else { out.extend(character.escape_unicode()) }
    }
    out
}

/// The first sentence of a description, on one line.
pub(crate) fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}

/// Bold, on a terminal.
pub(crate) fn bold(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

/// Dimmed, on a terminal.
pub(crate) fn dim(text: &str) -> String {
    format!("{DIM}{text}{DIM:#}")
}

/// Good news, on a terminal in green.
pub(crate) fn good(text: &str) -> String {
    format!("{GOOD}{text}{GOOD:#}")
}

/// Bad news, on a terminal in red.
pub(crate) fn bad(text: &str) -> String {
    format!("{BAD}{text}{BAD:#}")
}

/// A hint, on a terminal in colour.
pub(crate) fn hint(text: &str) -> String {
    format!("{HINT}{text}{HINT:#}")
}
