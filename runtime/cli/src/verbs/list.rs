//! `hall list`: what is installed on this host, and how it stands.

use clap::Args;
use serde_json::json;
use skillhall::hall::Shown;
use skillhall_core::id::SkillId;

use crate::error::Outcome;
use crate::hall::Place;
use crate::printer::{Printer, bad, bold, dim, good, shown};

/// List what is installed: version, standing, certification, powers, size
#[derive(Args)]
#[command(
    after_help = "Standing is what gates 1 to 5 say at this moment.\n\nExamples:\n  hall list\n  hall list org.acme/redact --json"
)]
pub(crate) struct Arguments {
    /// Only this skill
    skill: Option<SkillId>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let mut installed = place.open()?.list()?;
    if let Some(skill) = &arguments.skill {
        installed.retain(|installed| installed.skill.id == *skill);
    }
    printer.result(&json!({ "installed": installed }), || {
        if installed.is_empty() {
            return vec!["nothing is installed".into()];
        }
        let width = installed.iter().map(|installed| installed.skill.to_string().len()).max().unwrap_or_default();
        installed.iter().flat_map(|installed| lines(installed, width)).collect()
    });
    Ok(())
}

fn lines(installed: &Shown, width: usize) -> Vec<String> {
    let name = installed.skill.to_string();
    let padding = " ".repeat(width.saturating_sub(name.len()));
    let certified = installed.certified_until.map(|until| format!("certified until {until}, ")).unwrap_or_default();
    let standing = match &installed.reason {
        None => good("good"),
        Some(_) => bad(installed.standing),
    };
    let powers = if installed.powers.is_empty() { "no powers".to_owned() } else { installed.powers.join(", ") };
    let mut lines = vec![format!("{}{padding}  {standing}  {certified}{powers}, {}", bold(&name), dim(&size(installed.bytes)))];
    if let Some(reason) = &installed.reason {
        lines.push(format!("  {}", shown(reason)));
    }
    lines
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..=1023 => format!("{bytes} B"),
        1024..=1_048_575 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20),
    }
}
