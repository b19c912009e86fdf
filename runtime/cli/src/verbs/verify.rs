//! `hall verify`: gates 1 to 5 on a package, one by one, without running it.

use clap::Args;
use serde_json::json;

use crate::error::Outcome;
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, good};
use crate::progress::Progress;
use crate::reference;
use crate::verbs::worker::OfWorker;

/// Go through gates 1 to 5 with a package or an installed skill, without running it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall verify dist/redact-1.0.0\n  hall verify org.skillhall/redact\n  hall verify ./greeter --worker org.acme.greeter --species wrk.hello.greeter"
)]
pub(crate) struct Arguments {
    /// A package (folder or .skill archive) or an installed skill (NAMESPACE/NAME or NAMESPACE/NAME@VERSION)
    what: String,
    #[command(flatten)]
    worker: OfWorker,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    if let Some(verified) = arguments.worker.verify(arguments.what.as_ref(), place, printer) {
        return verified;
    }
    let hall = place.open()?;
    let package = if package::is_path(&arguments.what) {
        package::read_in(&hall, arguments.what.as_ref())?
    } else {
        reference::load(&hall, &arguments.what)?
    };
    let mut progress = Progress::gates(printer);
    hall.verify(&package, &mut progress)?;
    let skill = package.manifest().reference();
    let object = json!({ "skill": skill, "manifest_hash": package.manifest_hash(), "gates": progress.gates_passed() });
    printer.result(&object, || vec![format!("{} {} passes gates 1 to 5 at this moment", good("✓"), bold(&skill.to_string()))]);
    Ok(())
}
