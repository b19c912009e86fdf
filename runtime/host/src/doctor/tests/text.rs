//! From the text of a guest to its component.

use std::fs;
use std::sync::Arc;

use super::super::guest::{Guest, Plan};
pub(super) use crate::engine::tests::guests::{expand, repository, source};

/// Every guest, the good one too, by name.
pub(super) fn names() -> Vec<String> {
    let entries = fs::read_dir(repository("tests/guests")).unwrap();
    let mut names = Vec::new();
    for entry in entries.map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_file()) {
        let name = entry.file_name().into_string().unwrap();
        names.push(name.strip_suffix(".wat").unwrap_or_else(|| panic!("{name} is no guest")).to_owned());
    }
    names.sort();
    names
}

/// Reads a guest.
pub(super) fn read(name: &str) -> Result<Guest, String> {
    let text = source(name);
    let plan = Plan::read(name, &text).map_err(|error| error.to_string())?;
    let component = component(&plan, &text).map_err(|error| format!("{name}: {error}"))?;
    Guest::new(name, &text, component).map_err(|error| error.to_string())
}

/// A guest that stands in a test.
pub(super) fn guest(name: &str, text: &str) -> Guest {
    Guest::new(name, text, wat::parse_str(expand(text).unwrap()).unwrap().into()).unwrap()
}

fn component(plan: &Plan, text: &str) -> Result<Arc<[u8]>, String> {
    let compile = |text: &str| wat::parse_str(expand(text)?).map_err(|error| error.to_string());
    let Some(body) = &plan.body else { return Ok(compile(text)?.into()) };
    if text.lines().any(|line| !line.starts_with(";;")) {
        return Err("a guest with a body of its own names no other".to_owned());
    }
    let path = repository(body);
    if body.ends_with(".wasm") {
        return fs::read(path).map(Into::into).map_err(|error| error.to_string());
    }
    Ok(compile(&fs::read_to_string(path).map_err(|error| error.to_string())?)?.into())
}
