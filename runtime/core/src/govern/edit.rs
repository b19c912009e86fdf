//! Changing hall.toml as a text: what is to change changes, and every comment and every other line stays.
//!
//! The text that comes out is read again and held against what was meant; one that says anything else is an error.

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

use super::config::{ConfigError, HallConfig};
use crate::capability::Policy;
use crate::id::{Namespace, SkillId};

/// hall.toml with these grants for a skill, in the place of those that it has.
///
/// # Errors
/// If the text is no hall.toml, or is written so that it cannot be changed in place.
pub fn with_grants(text: &str, skill: &SkillId, policy: &Policy) -> Result<String, ConfigError> {
    let mut meant = HallConfig::parse(text)?;
    let nothing = *policy == Policy::default();
    if nothing {
        meant.grants.remove(skill);
    } else {
        meant.grants.insert(skill.clone(), policy.clone());
    }
    let mut document = document(text)?;
    let name = skill.to_string();
    if nothing {
        if let Some(grants) = document.get_mut("grants").and_then(Item::as_table_like_mut) {
            grants.remove(&name);
            if grants.is_empty() {
                document.remove("grants");
            }
        }
    } else {
        let grants = document.entry("grants").or_insert_with(|| Item::Table(implicit()));
        let grants = grants.as_table_like_mut().ok_or_else(|| unwritable("grants is no table"))?;
        let entry = grants.entry(&name).or_insert_with(|| Item::Table(Table::new()));
        let entry = entry.as_table_like_mut().ok_or_else(|| unwritable("a skill's grants are no table"))?;
        fill(entry, policy)?;
    }
    checked(&document, &meant)
}

/// hall.toml with this namespace among the hall's own.
///
/// # Errors
/// As [`with_grants`].
pub fn with_namespace(text: &str, namespace: &Namespace) -> Result<String, ConfigError> {
    let mut meant = HallConfig::parse(text)?;
    if meant.owns(namespace) {
        return Ok(text.to_owned());
    }
    meant.hall.namespaces.push(namespace.clone());
    let mut document = document(text)?;
    let list = document.get_mut("hall").and_then(|hall| hall.get_mut("namespaces")).and_then(Item::as_array_mut);
    list.ok_or_else(|| unwritable("hall.namespaces is no list"))?.push(namespace.as_str());
    checked(&document, &meant)
}

fn document(text: &str) -> Result<DocumentMut, ConfigError> {
    text.parse().map_err(|error: toml_edit::TomlError| ConfigError::new(error.to_string()))
}

fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn unwritable(why: &str) -> ConfigError {
    ConfigError::new(format!("{why}, so it cannot be changed here: edit it by hand, then enrol the host again"))
}

/// Makes a skill's table say what the policy says; entries that stay are not touched.
fn fill(table: &mut dyn TableLike, policy: &Policy) -> Result<(), ConfigError> {
    let wanted = toml::Table::try_from(policy).map_err(|error| ConfigError::new(error.to_string()))?;
    let stale: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).filter(|key| !wanted.contains_key(key)).collect();
    for key in stale {
        table.remove(&key);
    }
    for (key, value) in &wanted {
        let toml::Value::Array(entries) = value else {
            table.insert(key, Item::Value(written(value)?));
            continue;
        };
        // A list that is written as [[tables]] is written anew, in the one form that is written here.
        if table.get(key).is_some_and(|item| !item.is_array()) {
            table.remove(key);
        }
        let list = table.entry(key).or_insert_with(|| Item::Value(Value::Array(Array::new())));
        let list = list.as_array_mut().ok_or_else(|| unwritable("a list of grants is no list"))?;
        arrange(list, entries)?;
    }
    Ok(())
}

/// Makes a list hold these entries: those that it has stay as they are written, the others go, what lacks is added. What
/// stands behind an entry on its line, a comment, stays or goes with it.
fn arrange(list: &mut Array, entries: &[toml::Value]) -> Result<(), ConfigError> {
    // The parser hands the end of a line to the entry on the next one.
    let (mut index, mut end_of_line) = (0, None);
    while let Some(value) = list.get_mut(index) {
        let prefix = value.decor().prefix().and_then(RawString::as_str).unwrap_or_default().to_owned();
        let (end, rest) = split(&prefix);
        if read(value).is_some_and(|value| entries.contains(&value)) {
            if let Some(end) = end_of_line.take() {
                value.decor_mut().set_prefix(format!("{end}{rest}"));
            }
            index += 1;
        } else {
            end_of_line.get_or_insert(end.to_owned());
            list.remove(index);
        }
    }
    let trailing = list.trailing().as_str().unwrap_or_default().to_owned();
    let (end, rest) = split(&trailing);
    let mut end = end_of_line.unwrap_or_else(|| end.to_owned());
    let there: Vec<toml::Value> = list.iter().filter_map(read).collect();
    for entry in entries.iter().filter(|entry| !there.contains(entry)) {
        let mut value = written(entry)?;
        value.decor_mut().set_prefix(format!("{end}\n    "));
        end.clear();
        list.push_formatted(value);
    }
    let has_lines = |value: &Value| value.decor().prefix().and_then(RawString::as_str).is_some_and(|text| text.contains('\n'));
    if list.iter().any(has_lines) {
        list.set_trailing_comma(true);
        list.set_trailing(format!("{end}{}", if rest.contains('\n') { rest } else { "\n" }));
    }
    Ok(())
}

/// What stands before the end of the line, and the rest; all is rest where there is one line only.
fn split(text: &str) -> (&str, &str) {
    text.find('\n').and_then(|at| text.split_at_checked(at)).unwrap_or(("", text))
}

fn read(value: &Value) -> Option<toml::Value> {
    let mut value = value.clone();
    value.decor_mut().clear();
    toml::from_str::<toml::Table>(&format!("value = {value}")).ok()?.remove("value")
}

/// The keys of a grant in the order in which a person reads them; others stand behind.
const ORDER: [&str; 17] = [
    "mount",
    "folder",
    "access",
    "origin",
    "methods",
    "paths",
    "addresses",
    "store",
    "bytes",
    "entries",
    "name",
    "value",
    "for",
    "header",
    "file",
    "prefix",
    "reveal",
];

fn written(value: &toml::Value) -> Result<Value, ConfigError> {
    if let toml::Value::Table(members) = value {
        let mut keys: Vec<&String> = members.keys().collect();
        keys.sort_by_key(|key| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
        let mut table = InlineTable::new();
        for (key, member) in keys.into_iter().filter_map(|key| Some((key, members.get(key)?))) {
            table.insert(key, written(member)?);
        }
        return Ok(Value::InlineTable(table));
    }
    value.to_string().parse().map_err(|error: toml_edit::TomlError| ConfigError::new(error.to_string()))
}

/// The text, if it says what was meant and nothing else. The order of lists counts for nothing here.
fn checked(document: &DocumentMut, meant: &HallConfig) -> Result<String, ConfigError> {
    let text = document.to_string();
    let mut found = HallConfig::parse(&text)?;
    let same = found.grants.len() == meant.grants.len()
        && found.grants.iter().all(|(skill, policy)| meant.grants.get(skill).is_some_and(|meant| same_grants(policy, meant)));
    found.grants.clone_from(&meant.grants);
    if same && found == *meant { Ok(text) } else { Err(unwritable("the change would change more than it should")) }
}

fn same_grants(one: &Policy, other: &Policy) -> bool {
    fn sorted(policy: &Policy) -> Option<Vec<(String, Vec<String>)>> {
        let table = toml::Table::try_from(policy).ok()?;
        let lines = |value: &toml::Value| {
            let mut lines: Vec<String> =
                value.as_array().map(|list| list.iter().map(ToString::to_string).collect()).unwrap_or_default();
            lines.sort();
            lines
        };
        Some(table.iter().map(|(key, value)| (key.clone(), lines(value))).collect())
    }
    sorted(one).is_some_and(|one| Some(one) == sorted(other))
}

#[cfg(test)]
#[path = "tests/edit.rs"]
mod tests;
