//! `hall attest`: vouches for a package with the keys of its namespace.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use skillhall_core::id::KeyId;

use crate::error::Outcome;
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, good};

/// Vouch for a package with the keys of its namespace (awp.v1 and DSSE)
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall attest dist/redact-1.0.0\n  WCP_ATTEST_HMAC_KEY=... hall attest redact.skill --builder ci"
)]
pub(crate) struct Arguments {
    /// The package: a folder or a .skill archive; it is attested in place
    package: PathBuf,
    /// Where it was built, as the attestation says
    #[arg(long, default_value = "local", value_name = "NAME")]
    builder: String,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let package = package::read_in(&hall, &arguments.package)?;
    let (attested, keys) = hall.attest(&package, &arguments.builder)?;
    package::write(&attested, &arguments.package)?;
    let skill = package.manifest().reference();
    let object = json!({ "skill": skill, "manifest_hash": package.manifest_hash(), "keys": keys });
    printer.result(&object, || {
        let keys: Vec<&str> = keys.iter().map(KeyId::as_str).collect();
        vec![format!("{} attested {} with {}", good("✓"), bold(&skill.to_string()), keys.join(" and "))]
    });
    Ok(())
}
