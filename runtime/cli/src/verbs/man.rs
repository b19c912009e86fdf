//! `hall man`: the manual, one page for each verb.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use serde_json::json;

use crate::error::{CommandError, Outcome};
use crate::printer::{Printer, good};

/// Print a page of the manual, or write all of them
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall man run | man -l -                        # one page\n  hall man keys rotate | man -l -\n  hall man --out ~/.local/share/man/man1         # all of them: hall.1, hall-run.1, ..."
)]
pub(crate) struct Arguments {
    /// The verb, such as run or keys rotate; without it, the page of hall itself
    #[arg(value_name = "VERB", conflicts_with = "out")]
    verb: Vec<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A page: its name without the section's number, and its text in roff.
struct Page {
    name: String,
    text: String,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let pages = pages()?;
    match &arguments.out {
        Some(folder) => write(&pages, folder, printer),
        None => show(&pages, &arguments.verb, printer),
    }
}

fn show(pages: &[Page], verb: &[String], printer: &Printer) -> Outcome<()> {
    let name = std::iter::once("hall").chain(verb.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let page = pages.iter().find(|page| page.name == name).ok_or_else(|| {
        let likeness = |page: &&Page| strsim::jaro_winkler(&page.name, &name);
        let nearest = pages.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        let nearest = nearest.map(|page| page.name.replace('-', " ")).unwrap_or_default();
        CommandError::usage(
            format!("there is no verb '{}'", verb.join(" ").escape_default()),
            format!("did you mean `{nearest}`?"),
        )
    })?;
    printer.result(&json!({ "page": page.name, "text": page.text }), || page.text.lines().map(str::to_owned).collect());
    Ok(())
}

fn write(pages: &[Page], folder: &Path, printer: &Printer) -> Outcome<()> {
    let fault = |error: std::io::Error| {
        CommandError::Fault(anyhow::Error::new(error).context(format!("writing the manual into {}", folder.display())))
    };
    std::fs::create_dir_all(folder).map_err(fault)?;
    let files: Vec<String> = pages.iter().map(|page| format!("{}.1", page.name)).collect();
    for (page, file) in pages.iter().zip(&files) {
        std::fs::write(folder.join(file), &page.text).map_err(fault)?;
    }
    printer.result(&json!({ "folder": folder.display().to_string(), "pages": files }), || {
        vec![format!("{} wrote {} pages into {}", good("✓"), files.len(), folder.display())]
    });
    Ok(())
}

/// Every page, that of the command itself first.
fn pages() -> Outcome<Vec<Page>> {
    let mut command = crate::Command::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages)?;
    Ok(pages)
}

fn collect(command: &clap::Command, pages: &mut Vec<Page>) -> Outcome<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let man = Man::new(command.clone()).source(concat!("Skillhall ", env!("CARGO_PKG_VERSION"))).manual("Skillhall");
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error| CommandError::Fault(error.into()))?;
    let text = String::from_utf8(text).map_err(|error| CommandError::Fault(error.into()))?;
    pages.push(Page { name, text });
    command.get_subcommands().filter(|verb| !verb.is_hide_set()).try_for_each(|verb| collect(verb, pages))
}
