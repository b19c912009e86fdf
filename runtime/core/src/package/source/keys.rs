//! The keys that skill.toml knows, and the nearest of them for one that it does not.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// What may stand under a key.
enum Shape {
    /// A value, read by its type.
    Value,
    /// A table with exactly these keys, or a list of such tables.
    Table(&'static str, &'static [(&'static str, Shape)]),
    /// A table with names of the author's own.
    Named(&'static Shape),
}

use Shape::{Named, Table, Value};

const ROOT: &[(&str, Shape)] = &[
    ("skill", Table("[skill]", SKILL)),
    ("capabilities", Table("[capabilities]", CAPABILITIES)),
    ("limits", Table("[limits]", &[("memory", Value), ("time", Value), ("fuel", Value), ("output", Value)])),
    ("tools", Named(&Table("a tool", TOOL))),
];

const SKILL: &[(&str, Shape)] = &[
    ("namespace", Value),
    ("name", Value),
    ("version", Value),
    ("summary", Value),
    ("authors", Value),
    ("policy_tier", Value),
    ("attestation_required", Value),
    ("audit_events", Value),
    ("provides", Value),
    ("component", Value),
    ("build", Value),
    ("adapters", Value),
];

const CAPABILITIES: &[(&str, Shape)] = &[
    ("files", Table("files", &[("mount", Value), ("access", Value)])),
    ("http", Table("http", &[("origin", Value), ("methods", Value), ("paths", Value)])),
    ("sockets", Table("sockets", &[("protocol", Value), ("address", Value), ("port", Value)])),
    ("env", Value),
    ("secrets", Table("secrets", &[("name", Value), ("for", Value), ("header", Value), ("reveal", Value)])),
    ("keyvalue", Value),
    ("config", Value),
    ("clocks", Value),
    ("tools", Table("tools", &[("skill", Value), ("version", Value)])),
];

const TOOL: &[(&str, Shape)] =
    &[("export", Value), ("description", Value), ("effects", Value), ("input", Named(&Value)), ("output", Value)];

/// Every key that skill.toml knows, as a path: `skill.name`, `capabilities.files[].mount` for a key of a list's entries,
/// `tools.*.export` where a name of the author's own stands. In the order of the tables.
#[must_use]
pub fn known_keys() -> Vec<String> {
    fn below(path: &str, keys: &[(&str, Shape)], known: &mut Vec<String>) {
        for (key, shape) in keys {
            at(&if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") }, shape, known);
        }
    }
    fn at(path: &str, shape: &Shape, known: &mut Vec<String>) {
        match shape {
            Value => known.push(path.to_owned()),
            // Only the tables of skill.toml itself are written in brackets; the others are entries of a list.
            Table(name, keys) if name.starts_with('[') => {
                known.push(path.to_owned());
                below(path, keys, known);
            }
            Table(_, keys) if path.ends_with('*') => below(path, keys, known),
            Table(_, keys) => {
                known.push(path.to_owned());
                below(&format!("{path}[]"), keys, known);
            }
            Named(shape) => {
                known.push(path.to_owned());
                at(&format!("{path}.*"), shape, known);
            }
        }
    }
    let mut known = Vec::new();
    below("", ROOT, &mut known);
    known
}

/// A key that is not known.
pub(super) struct Unknown<'a> {
    pub(super) key: &'a str,
    pub(super) span: Range<usize>,
    /// Where it stands, for people.
    pub(super) table: &'static str,
    pub(super) nearest: Option<&'static str>,
}

/// The first unknown key.
pub(super) fn unknown<'a>(table: &'a DeTable<'_>) -> Option<Unknown<'a>> {
    in_table(table, "skill.toml", ROOT)
}

fn in_table<'a>(table: &'a DeTable<'_>, name: &'static str, known: &'static [(&'static str, Shape)]) -> Option<Unknown<'a>> {
    table.iter().find_map(|(key, value)| match known.iter().find(|(known, _)| *known == key.get_ref()) {
        Some((_, shape)) => in_value(value.get_ref(), shape),
        None => Some(Unknown {
            key: key.get_ref(),
            span: key.span(),
            table: name,
            nearest: nearest(key.get_ref(), known.iter().map(|(known, _)| *known)),
        }),
    })
}

fn in_value<'a>(value: &'a DeValue<'_>, shape: &'static Shape) -> Option<Unknown<'a>> {
    match (shape, value) {
        (Table(name, known), DeValue::Table(table)) => in_table(table, name, known),
        (Table(..), DeValue::Array(items)) => items.iter().find_map(|item| in_value(item.get_ref(), shape)),
        (Named(shape), DeValue::Table(table)) => table.iter().find_map(|(_, value)| in_value(value.get_ref(), shape)),
        // A value of another kind is told by its type.
        _ => None,
    }
}

/// The known key that is most like this one, if any is like it at all.
fn nearest(key: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known
        .map(|known| (strsim::jaro_winkler(key, known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}
