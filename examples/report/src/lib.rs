//! A skill that lets other skills work and gives a page of it. What it offers stands in `wit/report.wit`.

mod ask;
mod charts;
mod page;

use ask::Skills;
use bindings::exports::skillhall::report::api::{Guest, Page, ReportError, Request};
use skillhall_sdk::tools;

skillhall_sdk::skill! { world: "skill", by: Report }

/// The most charts on a page.
const MAX_CHARTS: usize = 8;

struct Report;

impl Guest for Report {
    fn write(request: Request) -> Result<Page, ReportError> {
        write(&request, &mut tools::call)
    }
}

/// Writes a report by whatever answers calls: the host, or a test in its place.
fn write(request: &Request, call: &mut ask::Call) -> Result<Page, ReportError> {
    let mut skills = Skills::new(call);
    let table = skills.describe(&request.path, request.delimiter)?;
    let mut drawn = Vec::new();
    for wanted in charts::wanted(&table).into_iter().take(MAX_CHARTS) {
        drawn.push(skills.draw(&wanted)?);
    }
    let notes = match request.notes.as_deref().filter(|notes| !notes.trim().is_empty()) {
        Some(notes) => skills.html(notes)?,
        None => String::new(),
    };
    let html = page::page(&request.title, &request.path, &table, &drawn, &notes);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Page { html, rows: table.rows, columns: count(table.columns.len()), charts: count(drawn.len()), calls: skills.calls })
}

#[cfg(test)]
mod tests;
