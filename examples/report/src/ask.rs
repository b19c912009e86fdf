//! What is asked of which skill, and what do they answer?

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use skillhall_sdk::tools::{CallError, Refusal};

use crate::bindings::exports::skillhall::report::api::{ReportError, Trouble};
use crate::charts::Wanted;

/// Calls a tool of a skill with an input and gives its result, both JSON texts.
pub(crate) type Call<'a> = dyn FnMut(&str, &str, &str) -> Result<String, CallError> + 'a;

/// What csv-stats tells about a file; what is not used here is left out.
#[derive(Debug, Deserialize)]
pub(crate) struct Table {
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// What its cells are.
    pub(crate) kind: String,
    /// How many hold something.
    pub(crate) count: u64,
    /// How many hold nothing.
    pub(crate) missing: u64,
    /// How many different values there are.
    pub(crate) distinct: u32,
    /// There are more than that.
    pub(crate) more_distinct: bool,
    /// For numbers.
    pub(crate) numbers: Option<Numbers>,
    /// The most frequent values.
    pub(crate) frequent: Vec<Occurrence>,
}

/// What the numbers of a column are.
#[derive(Debug, Deserialize)]
pub(crate) struct Numbers {
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
    /// Their mean.
    pub(crate) mean: f64,
    /// The one in the middle.
    pub(crate) median: Option<f64>,
}

/// A value and how often it occurs.
#[derive(Debug, Deserialize)]
pub(crate) struct Occurrence {
    /// The value.
    pub(crate) value: String,
    /// How often.
    pub(crate) count: u64,
}

/// The skills that are called.
pub(crate) struct Skills<'a, 'b> {
    call: &'a mut Call<'b>,
    /// Those that were called.
    pub(crate) calls: Vec<String>,
}

impl<'a, 'b> Skills<'a, 'b> {
    /// No skill has been called yet.
    pub(crate) fn new(call: &'a mut Call<'b>) -> Self {
        Self { call, calls: Vec::new() }
    }

    /// What the columns of a file hold.
    pub(crate) fn describe(&mut self, path: &str, delimiter: Option<char>) -> Result<Table, ReportError> {
        self.ask("org.skillhall/csv-stats", "describe", &json!({ "path": path, "options": { "delimiter": delimiter } }))
    }

    /// A chart as SVG.
    pub(crate) fn draw(&mut self, wanted: &Wanted) -> Result<String, ReportError> {
        let options = json!({ "kind": "bar", "title": wanted.title, "subtitle": wanted.subtitle, "x-label": "", "width": 560, "height": 320 });
        let drawing: Drawing = self.ask("org.skillhall/chart", "draw", &json!({ "csv": wanted.csv, "options": options }))?;
        Ok(drawing.svg)
    }

    /// Safe HTML of Markdown, without pictures: the page loads nothing.
    pub(crate) fn html(&mut self, markdown: &str) -> Result<String, ReportError> {
        let input = json!({ "markdown": markdown, "options": { "images": false } });
        let document: Document = self.ask("org.skillhall/markdown-to-html", "convert", &input)?;
        Ok(document.html)
    }

    fn ask<T: DeserializeOwned>(&mut self, skill: &str, tool: &str, input: &Value) -> Result<T, ReportError> {
        self.calls.push(skill.to_owned());
        let result = (self.call)(skill, tool, &input.to_string()).map_err(|error| told(skill, error))?;
        serde_json::from_str(&result).map_err(|error| ReportError::NotUnderstood(format!("{skill}: {error}")))
    }
}

#[derive(Deserialize)]
struct Drawing {
    svg: String,
}

#[derive(Deserialize)]
struct Document {
    html: String,
}

fn told(skill: &str, error: CallError) -> ReportError {
    let message = error.to_string();
    let trouble = |hint: String| Trouble { skill: skill.to_owned(), message: message.clone(), hint };
    match error {
        CallError::Skill(own) => ReportError::Refused(Trouble {
            skill: skill.to_owned(),
            message: own,
            hint: "this is the skill's own error: its README says what it means".to_owned(),
        }),
        CallError::Denied { hint, .. } => ReportError::NotReached(trouble(hint)),
        CallError::Failed { .. } => ReportError::NotReached(trouble(
            "it ran and ended badly: its limits, or those of this call, may be too small".to_owned(),
        )),
        CallError::Refused(Refusal::Unavailable | Refusal::Undeclared) => ReportError::NotReached(trouble(format!(
            "it has to be installed, and granted: hall grant org.skillhall/report --tool {skill}@^1"
        ))),
        _ => ReportError::NotReached(trouble("the call could not be made".to_owned())),
    }
}
