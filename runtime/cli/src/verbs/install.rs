//! `hall install`: puts a published package onto this host and compiles it.

use clap::Args;
use serde_json::{Value, json};
use skillhall::hall::PowerChange;
use skillhall_core::digest::Digest;
use skillhall_core::package::Package;

use crate::error::Outcome;
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, dim, good};
use crate::progress::Progress;
use crate::reference;

/// Put a published package onto this host and compile it
#[derive(Args)]
#[command(
    after_help = "A version that asks for more than the newest installed one is refused with the difference and its digest;\nwith --accept-powers and that digest exactly this difference is accepted, and recorded.\n\nExamples:\n  hall install dist/redact-1.0.0\n  hall install org.acme/redact                 # the newest that is published in this hall\n  hall install 'org.acme/redact@^1'\n  hall install dist/fetch-2.0.0 --accept-powers 5f2b..."
)]
pub(crate) struct Arguments {
    /// The package (a folder or a .skill archive), or what is published here: NAMESPACE/NAME, with @VERSION or a range
    package: String,
    /// Accept exactly this difference in powers to the newest installed version
    #[arg(long, value_name = "DIGEST")]
    accept_powers: Option<Digest>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let package = if package::is_path(&arguments.package) {
        package::read_in(&hall, arguments.package.as_ref())?
    } else {
        let reference = reference::parse(&arguments.package)?;
        hall.kept(&reference).map_err(|denial| reference::refused(&hall, &reference.skill, denial))?
    };
    let change = hall.compare_powers(&package)?;
    let installed = hall.install_accepting(&package, arguments.accept_powers, &mut Progress::quiet(printer))?;
    let object = json!({
        "skill": installed.skill,
        "manifest_hash": installed.manifest_hash,
        "powers": package.manifest().capabilities.list(),
        "change": change_json(&change),
    });
    printer.result(&object, || {
        let mut lines = vec![format!("{} installed {}", good("✓"), bold(&installed.skill.to_string()))];
        lines.extend(power_lines(&package, &change));
        lines.push(format!("  run it: hall run {} --input '{{...}}'", installed.skill.id));
        lines
    });
    Ok(())
}

/// What an install changed in powers, for programs.
pub(crate) fn change_json(change: &PowerChange) -> Value {
    let (Some(from), Some(difference)) = (&change.from, &change.difference) else { return Value::Null };
    json!({ "from": from.skill, "added": difference.added, "removed": difference.removed, "digest": difference.digest().ok() })
}

/// What the skill asks for, and what of it is new or gone.
pub(crate) fn power_lines(package: &Package, change: &PowerChange) -> Vec<String> {
    let powers = package.manifest().capabilities.list();
    let powers = if powers.is_empty() { "nothing beyond the bounded base".into() } else { powers.join(", ") };
    let mut lines = vec![format!("  it asks for: {powers}")];
    if let (Some(from), Some(difference)) = (&change.from, &change.difference) {
        let since = dim(&format!("since {}", from.skill.version));
        lines.extend(difference.added.iter().map(|line| format!("  + {line} {since}")));
        lines.extend(difference.removed.iter().map(|line| format!("  - {line} {since}")));
    }
    lines
}
