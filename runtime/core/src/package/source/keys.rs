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
