//! Files of cases: what stands in them, read strictly, and every fault with its line and column.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Deserialize;
use serde_json::{Map, Value};
use skillhall::hall::Circumstances;
use skillhall::sandbox::egress::{Reply, check_replies};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;
use skillhall_core::govern::call::{Input, MAX_INPUT_BYTES};
use skillhall_core::id::ToolName;
use skillhall_core::json;
use skillhall_core::package::source::{MAX_LINE, check_line};
use skillhall_core::store;
use toml::Spanned;

use super::grants::Granting;
use crate::error::{CommandError, Outcome};

/// The most bytes of a file of cases, and of one with a body or an expected output.
const MAX_FILE: u64 = 8 << 20;
/// The most files of cases.
const MAX_FILES: usize = 256;
/// Where the cases of a project lie.
pub(super) const CASES: &str = "cases";
/// What a guest's clock says where a case says nothing.
const CLOCK: &str = "2000-01-01T00:00:00Z";

/// A folder with cases, and the folder out of which no path in them leads.
pub(super) struct Root {
    pub(super) dir: Dir,
    /// The folder of the cases within it, with `/` behind it, or nothing.
    pub(super) inner: String,
    shown: PathBuf,
}

/// One case, ready to be rehearsed.
pub(super) struct Case {
    /// Its file, within the project.
    pub(super) file: String,
    pub(super) name: String,
    /// The path of its snapshot, within the root.
    pub(super) snapshot: String,
    pub(super) tool: Option<ToolName>,
    pub(super) input: Input,
    pub(super) circumstances: Circumstances,
    pub(super) grants: Granting,
    pub(super) expect: Expect,
}

/// What is to come of a case.
#[derive(Default)]
pub(super) struct Expect {
    pub(super) end: End,
    pub(super) stdout: Option<String>,
    pub(super) stderr: Option<String>,
    pub(super) log: Option<Vec<String>>,
    pub(super) powers: Option<Vec<String>>,
}

/// How it is to end.
#[derive(Default)]
pub(super) enum End {
    /// As it did when the snapshot was written.
    #[default]
    Snapshot,
    Output(Value),
    /// With an output that has these values at these JSON pointers (RFC 6901).
    Match(BTreeMap<String, Value>),
    Error(Value),
    Deny(&'static str),
    Failure(&'static str),
}

impl End {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Output(_) => "output",
            Self::Match(_) => "match",
            Self::Error(_) => "error",
            Self::Deny(code) | Self::Failure(code) => code,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    clock: Option<Spanned<String>>,
    seed: Option<u64>,
    grants: Option<Spanned<Map<String, Value>>>,
    http: Option<Vec<Spanned<RawReply>>>,
    #[serde(default)]
    case: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: Spanned<String>,
    tool: Option<Spanned<String>>,
    input: Option<Spanned<Value>>,
    clock: Option<Spanned<String>>,
    seed: Option<u64>,
    grants: Option<Spanned<Map<String, Value>>>,
    http: Option<Vec<Spanned<RawReply>>>,
    expect: Option<Spanned<RawExpect>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReply {
    method: Option<String>,
    url: String,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpect {
    output: Option<Value>,
    output_file: Option<String>,
    r#match: Option<BTreeMap<String, Value>>,
    error: Option<Value>,
    deny: Option<String>,
    failure: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    log: Option<Vec<String>>,
    powers: Option<Vec<String>>,
}

impl Root {
    /// The cases of a project: `cases/` in its folder; a path in them stays in the project.
    pub(super) fn of_project(folder: &Path) -> Outcome<Self> {
        Self::at(folder, format!("{CASES}/"))
    }

    /// The cases in a folder of their own; a path in them stays in it.
    pub(super) fn of_folder(folder: &Path) -> Outcome<Self> {
        Self::at(folder, String::new())
    }

    fn at(folder: &Path, inner: String) -> Outcome<Self> {
        let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(|error| {
            CommandError::usage(format!("the folder {} cannot be opened: {error}", folder.display()), "hall test FOLDER")
        })?;
        Ok(Self { dir, inner, shown: folder.to_owned() })
    }

    /// The folder with the cases, for people.
    pub(super) fn shown(&self) -> String {
        self.shown.join(&self.inner).display().to_string()
    }

    /// A path as a case names it: from the folder of the cases, and never out of the root.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.inner)
    }

    /// A file that a case names.
    pub(super) fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, String> {
        store::read(&self.dir, &self.path(path), max).map_err(|error| format!("{path}: {error}"))
    }

    /// Every case, in the order of the files' names and as they stand in each.
    pub(super) fn cases(&self) -> Outcome<Vec<Case>> {
        let mut cases: Vec<Case> = Vec::new();
        for name in self.files()? {
            let bytes = self.read(&name, MAX_FILE).map_err(|error| CommandError::usage(error, HINT))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| CommandError::usage(format!("{}{name}: the file is no UTF-8", self.inner), HINT))?;
            let reading = Reading { root: self, name: &name, text: &text };
            cases.extend(reading.cases().map_err(|fault| reading.told(&fault))?);
        }
        Ok(cases)
    }

    fn files(&self) -> Outcome<Vec<String>> {
        let unreadable =
            |error: std::io::Error| CommandError::usage(format!("{} cannot be read: {error}", self.shown()), "mend the folder");
        let folder = if self.inner.is_empty() { "." } else { self.inner.trim_end_matches('/') };
        let entries = match self.dir.read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".toml") && !name.starts_with('.') {
                names.push(name);
            }
        }
        if names.len() > MAX_FILES {
            return Err(CommandError::usage(format!("{} holds more than {MAX_FILES} files of cases", self.shown()), HINT));
        }
        names.sort();
        Ok(names)
    }
}

const HINT: &str = "docs/testing.md says what a file of cases holds; hall test --help shows one";

/// What is wrong, and where in the text.
struct Fault {
    message: String,
    span: Range<usize>,
}

/// One file that is being read.
struct Reading<'a> {
    root: &'a Root,
    name: &'a str,
    text: &'a str,
}

/// A fault at a place.
fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Fault {
    Fault { message: message.into(), span: place.span() }
}

impl Reading<'_> {
    fn told(&self, fault: &Fault) -> CommandError {
        let before = self.text.get(..fault.span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        CommandError::usage(format!("{}{}:{line}:{column}: {}", self.root.inner, self.name, fault.message), HINT)
    }

    fn cases(&self) -> Result<Vec<Case>, Fault> {
        let file: RawFile = toml::from_str(self.text)
            .map_err(|error| Fault { message: error.message().to_owned(), span: error.span().unwrap_or(0..0) })?;
        let mut cases: Vec<Case> = Vec::new();
        for raw in &file.case {
            let case = self.case(&file, raw)?;
            if let Some(other) = cases.iter().find(|other| other.snapshot == case.snapshot) {
                return Err(at(&raw.name, format!("the name is too much like that of the case '{}' before it", other.name)));
            }
            cases.push(case);
        }
        Ok(cases)
    }

    fn case(&self, file: &RawFile, raw: &RawCase) -> Result<Case, Fault> {
        let name = raw.name.get_ref();
        check_line(name, MAX_LINE).map_err(|error| at(&raw.name, format!("the name: {error}")))?;
        let slug = slug(name);
        if slug.is_empty() {
            return Err(at(&raw.name, "a name has a letter or a digit"));
        }
        let stem = self.name.trim_end_matches(".toml");
        let tool = match &raw.tool {
            Some(tool) => Some(tool.get_ref().parse().map_err(|error| at(tool, format!("{error}")))?),
            None => None,
        };
        let grants = match raw.grants.as_ref().or(file.grants.as_ref()) {
            Some(table) => {
                Granting::read(table.get_ref(), self.root).map_err(|error| at(table, format!("the grants: {error}")))?
            }
            None => Granting::default(),
        };
        Ok(Case {
            file: format!("{}{}", self.root.inner, self.name),
            name: name.clone(),
            snapshot: self.root.path(&format!("snapshots/{stem}/{slug}.json")),
            tool,
            input: self.input(raw)?,
            circumstances: Circumstances {
                at: clock(raw.clock.as_ref().or(file.clock.as_ref()))?,
                seed: raw.seed.or(file.seed).unwrap_or_default(),
                replies: self.replies(raw.http.as_ref().or(file.http.as_ref()))?,
            },
            grants,
            expect: raw.expect.as_ref().map(|expect| self.expect(expect)).transpose()?.unwrap_or_default(),
        })
    }

    /// As `--input` of `hall run`, or a table.
    fn input(&self, raw: &RawCase) -> Result<Input, Fault> {
        let Some(place) = &raw.input else { return Input::parse(b"{}").map_err(|denial| at(&raw.name, denial.message)) };
        let wrong = |message: String| at(place, message);
        match place.get_ref() {
            Value::String(text) => {
                let bytes = match text.strip_prefix('@') {
                    Some(path) => self.root.read(path, u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX)).map_err(wrong)?,
                    None => text.as_bytes().to_vec(),
                };
                Input::parse(&bytes).map_err(|denial| wrong(denial.message))
            }
            value @ Value::Object(_) => {
                plain(value).map_err(wrong)?;
                Input::from_value(value).map_err(|denial| wrong(denial.message))
            }
            _ => Err(wrong("an input is a table, JSON text, or @FILE".into())),
        }
    }

    fn replies(&self, raw: Option<&Vec<Spanned<RawReply>>>) -> Result<Vec<Reply>, Fault> {
        let raw = raw.map(Vec::as_slice).unwrap_or_default();
        let replies: Vec<Reply> =
            raw.iter().map(|place| self.reply(place.get_ref()).map_err(|error| at(place, error))).collect::<Result<_, _>>()?;
        check_replies(&replies).map_err(|bad| {
            let span = raw.get(bad.index).or(raw.last()).map_or(0..0, Spanned::span);
            Fault { message: format!("the recorded reply: {bad}"), span }
        })?;
        Ok(replies)
    }

    fn reply(&self, raw: &RawReply) -> Result<Reply, String> {
        let word = raw.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = serde_json::from_value(Value::from(word.as_str()))
            .map_err(|_| format!("'{word}' is no method: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))?;
        let body = match (&raw.body, &raw.body_file) {
            (Some(_), Some(_)) => return Err("a reply has body or body_file, not both".into()),
            (Some(body), None) => body.as_bytes().to_vec(),
            (None, Some(path)) => self.root.read(path, MAX_FILE)?,
            (None, None) => Vec::new(),
        };
        let headers = raw.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Reply { method, url: raw.url.clone(), status: raw.status.unwrap_or(200), headers, body })
    }

    fn expect(&self, place: &Spanned<RawExpect>) -> Result<Expect, Fault> {
        let raw = place.get_ref();
        let wrong = |message: String| at(place, message);
        let mut ends = Vec::new();
        for value in [&raw.output, &raw.error].into_iter().flatten().chain(raw.r#match.iter().flat_map(BTreeMap::values)) {
            plain(value).map_err(wrong)?;
        }
        ends.extend(raw.output.clone().map(End::Output));
        if let Some(path) = &raw.output_file {
            let bytes = self.root.read(path, MAX_FILE).map_err(wrong)?;
            ends.push(End::Output(json::parse(&bytes).map_err(|error| wrong(format!("{path}: {error}")))?));
        }
        if let Some(pointers) = &raw.r#match {
            if let Some(pointer) = pointers.keys().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
                return Err(wrong(format!("'{pointer}' is no JSON pointer, such as /counts/emails")));
            }
            ends.push(End::Match(pointers.clone()));
        }
        ends.extend(raw.error.clone().map(End::Error));
        if let Some(code) = &raw.deny {
            let known: Vec<&'static str> = Code::ALL.iter().map(|code| code.as_str()).collect();
            ends.push(End::Deny(known_code(code, &known, "deny code").map_err(wrong)?));
        }
        if let Some(code) = &raw.failure {
            let known: Vec<&'static str> = FailureCode::ALL.iter().map(|code| code.as_str()).collect();
            ends.push(End::Failure(known_code(code, &known, "failure code").map_err(wrong)?));
        }
        let several =
            || wrong("a case expects one of output, output_file, match, error, deny, failure; none of them is a snapshot".into());
        let end = if ends.len() > 1 { return Err(several()) } else { ends.pop().unwrap_or_default() };
        let mut powers = raw.powers.clone();
        if let Some(powers) = &mut powers {
            powers.sort();
        }
        Ok(Expect { end, stdout: raw.stdout.clone(), stderr: raw.stderr.clone(), log: raw.log.clone(), powers })
    }
}

fn known_code(code: &str, known: &[&'static str], what: &str) -> Result<&'static str, String> {
    known.iter().find(|other| **other == code).copied().ok_or_else(|| {
        let nearest = known.iter().max_by(|one, other| strsim::jaro(one, code).total_cmp(&strsim::jaro(other, code)));
        let nearest = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
        format!("'{code}' is no {what}{nearest}")
    })
}

fn clock(place: Option<&Spanned<String>>) -> Result<Timestamp, Fault> {
    let text = place.map_or(CLOCK, |place| place.get_ref());
    let moment =
        Timestamp::parse(text).map_err(|error| Fault { message: error.to_string(), span: place.map_or(0..0, Spanned::span) })?;
    match place {
        Some(place) if moment.millis() < 0 => Err(at(place, "a guest's clock knows no time before 1970")),
        _ => Ok(moment),
    }
}

/// TOML's dates are no JSON.
fn plain(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            if key.starts_with("$__toml") {
                Err("a date is written in quotes: JSON has texts only".into())
            } else {
                plain(member)
            }
        }),
        Value::Array(items) => items.iter().try_for_each(plain),
        _ => Ok(()),
    }
}

/// A name as that of a file.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-").chars().take(100).collect()
}
