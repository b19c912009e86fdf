//! Policies from their files: each under its id, with the place where it stands, so that what is wrong can be told by file, line and
//! column.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr as _;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use serde::Serialize;

use crate::gates::PolicyFile;

/// The annotations that a policy may have.
const ANNOTATIONS: [&str; 4] = ["id", "description", "reason", "level"];
/// What `@level` may say: how grave the verdict is. It stands before the reason.
const LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];
/// The most policies of one set.
const MAX_POLICIES: usize = 1000;

/// Policies that do not load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct CedarError(pub Vec<Fault>);

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file; absent if it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The policy, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, ", line {line}, column {column}")?;
            }
            write!(f, ": ")?;
        }
        f.write_str(&self.message)
    }
}

impl Fault {
    /// About the set as a whole.
    pub(super) fn of_all(message: String) -> Self {
        Self { file: None, line: None, column: None, policy: None, message }
    }

    /// About a place in a file.
    fn at(source: &PolicyFile, offset: Option<usize>, message: String) -> Self {
        let before = offset.and_then(|offset| source.text.get(..offset));
        let line = before.map(|before| before.matches('\n').count() + 1);
        let column = before.map(|before| before.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
        Self { file: Some(source.name.clone()), line, column, policy: None, message }
    }
}

/// The policies of all files as one set.
pub(super) struct Loaded<'a> {
    pub(super) policies: PolicySet,
    /// In which file each policy stands, and at which byte.
    places: BTreeMap<String, (&'a PolicyFile, Option<usize>)>,
}

impl<'a> Loaded<'a> {
    /// Reads the files, each policy under its `@id` or its file and number.
    pub(super) fn parse(sources: &'a [PolicyFile]) -> Result<Self, CedarError> {
        let mut loaded = Self { policies: PolicySet::new(), places: BTreeMap::new() };
        let mut faults = Vec::new();
        for source in sources {
            let read = match PolicySet::from_str(&source.text) {
                Ok(read) => read,
                Err(errors) => {
                    faults.extend(errors.iter().map(|error| Fault::at(source, offset(error), error.to_string())));
                    continue;
                }
            };
            for template in read.templates() {
                let place = source.text.find(&template.to_cedar());
                let message = "a template (?principal or ?resource) has no one to fill it in".to_owned();
                faults.push(Fault::at(source, place, message));
            }
            loaded.add(source, &read, &mut faults);
        }
        if loaded.policies.policies().count() > MAX_POLICIES {
            faults.push(Fault::of_all(format!("more than {MAX_POLICIES} policies")));
        }
        if faults.is_empty() { Ok(loaded) } else { Err(CedarError(faults)) }
    }

    fn add(&mut self, source: &'a PolicyFile, read: &PolicySet, faults: &mut Vec<Fault>) {
        let mut policies: Vec<&Policy> = read.policies().collect();
        policies.sort_by_key(|policy| number(policy.id()));
        // They stand in the file in this order, each with its own text.
        let mut from = 0;
        for (index, policy) in policies.into_iter().enumerate() {
            let id = policy.annotation("id").map_or_else(|| format!("{}#{}", source.name, index + 1), str::to_owned);
            let text = policy.to_cedar().unwrap_or_default();
            let place = source.text.get(from..).and_then(|rest| rest.find(&text)).map(|at| from + at);
            from = place.map_or(from, |place| place + text.len());
            let mut fault = |message| faults.push(Fault { policy: Some(id.clone()), ..Fault::at(source, place, message) });
            for (key, value) in policy.annotations() {
                if !ANNOTATIONS.contains(&key) {
                    fault(format!("{id}: @{key} is none of @{}", ANNOTATIONS.join(", @")));
                } else if key == "level" && !LEVELS.contains(&value) {
                    fault(format!("{id}: @level is one of {}", LEVELS.join(", ")));
                }
            }
            if self.policies.add(policy.new_id(PolicyId::new(&id))).is_err() {
                fault(format!("the id '{id}' comes twice"));
            }
            self.places.entry(id).or_insert((source, place));
        }
    }

    /// What is wrong with a policy: where that stands in it, if it is known, or where it begins.
    pub(super) fn fault(&self, policy: &str, within: Option<usize>, message: String) -> Fault {
        let Some((source, place)) = self.places.get(policy) else { return Fault::of_all(message) };
        Fault { policy: Some(policy.to_owned()), ..Fault::at(source, within.or(*place), message) }
    }
}

/// Cedar numbers what it reads: `policy0`, `policy1`.
fn number(id: &PolicyId) -> usize {
    id.to_string().trim_start_matches("policy").parse().unwrap_or(usize::MAX)
}

/// The byte of the file at which an error points.
pub(super) fn offset(error: &impl miette::Diagnostic) -> Option<usize> {
    error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset())
}

/// What keeps policies from loading although they can be read: what the schema does not know.
pub(super) fn faults(loaded: &Loaded<'_>, schema: &Schema) -> Vec<Fault> {
    let result = Validator::new(schema.clone()).validate(&loaded.policies, ValidationMode::Strict);
    let mut faults: Vec<Fault> = result
        .validation_errors()
        .map(|error| loaded.fault(error.policy_id().as_ref(), offset(error), error.to_string()))
        .collect();
    // The validator goes through policies in no order.
    faults.sort_by(|one, other| {
        (&one.file, one.line, one.column, &one.message).cmp(&(&other.file, other.line, other.column, &other.message))
    });
    faults
}
