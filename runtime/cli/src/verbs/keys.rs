//! `hall keys`: the hall's keyring.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use skillhall::hall::KeyPlan;
use skillhall_core::id::Namespace;
use skillhall_core::trust::keys::{Algorithm, KeyRecord, KeySource as _, Purpose};

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good};

/// Make a key, or list the keyring
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall keys list\n  hall keys new --namespace org.acme --algorithm ed25519 --days 365\n  hall keys new --purpose certify"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a key and enter it into the keyring
    New(NewArguments),
    /// List every key: id, algorithm, purpose, state
    List,
}

#[derive(Args)]
struct NewArguments {
    /// The namespace for which the key attests
    #[arg(long, value_name = "NS")]
    namespace: Option<Namespace>,
    /// How it signs
    #[arg(long, default_value = "ed25519")]
    algorithm: KeyAlgorithm,
    /// What it signs
    #[arg(long, default_value = "attest")]
    purpose: KeyPurpose,
    /// For how many days it counts; without it, until it is revoked
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: Option<u32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyAlgorithm {
    Ed25519,
    Hmac,
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyPurpose {
    Attest,
    Certify,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    match &arguments.what {
        What::New(arguments) => new(arguments, place, printer),
        What::List => list(place, printer),
    }
}

fn new(arguments: &NewArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let purpose = match arguments.purpose {
        KeyPurpose::Attest => Purpose::Attest,
        KeyPurpose::Certify => Purpose::Certify,
    };
    let algorithm = match arguments.algorithm {
        KeyAlgorithm::Ed25519 => Algorithm::Ed25519,
        KeyAlgorithm::Hmac => Algorithm::HmacSha256,
    };
    if purpose == Purpose::Certify && (algorithm != Algorithm::Ed25519 || arguments.namespace.is_some()) {
        let message = "a certifier's key is Ed25519 and belongs to no namespace";
        return Err(CommandError::usage(message, "hall keys new --purpose certify"));
    }
    let hall = place.open()?;
    let namespace = match (&arguments.namespace, purpose) {
        (Some(namespace), _) => Some(namespace.clone()),
        (None, Purpose::Attest) => match hall.config().hall.namespaces.as_slice() {
            [only] => Some(only.clone()),
            _ => return Err(CommandError::usage("this hall has more than one namespace", "name one with --namespace")),
        },
        (None, _) => None,
    };
    let record = hall.new_key(&KeyPlan { namespace, algorithm, purpose, days: arguments.days })?;
    printer.result(&json!({ "key": record }), || {
        vec![
            format!("{} made the key {}", good("✓"), bold(record.id.as_str())),
            "  packages attested before stay as they are; attest again to use it".into(),
        ]
    });
    Ok(())
}

fn list(place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let keyring = hall.keys().keyring().map_err(|error| CommandError::Credentials { message: error.to_string(), hint: None })?;
    let mut rows: Vec<(String, &KeyRecord)> = Vec::new();
    for (namespace, keys) in &keyring.namespaces {
        rows.extend(keys.keys.iter().map(|key| (namespace.to_string(), key)));
    }
    rows.extend(keyring.certifiers.iter().map(|key| (String::new(), key)));
    rows.extend(keyring.ledger.iter().map(|key| (String::new(), key)));
    let now = hall.clock().now();
    let object = json!({
        "keys": rows.iter().map(|(namespace, key)| json!({
            "namespace": (!namespace.is_empty()).then_some(namespace),
            "key": key,
            "state": format!("{:?}", key.state(now)).to_lowercase(),
        })).collect::<Vec<_>>(),
    });
    printer.result(&object, || {
        rows.iter()
            .map(|(_, key)| {
                let state = format!("{:?}", key.state(now)).to_lowercase();
                let what = format!("{:?} {:?}", key.algorithm, key.purpose).to_lowercase();
                let public = key.public.as_deref().map(|public| public.chars().take(16).collect::<String>()).unwrap_or_default();
                format!("{:<40} {:<8} {what:<20} {}", key.id, state, dim(&public))
            })
            .collect()
    });
    Ok(())
}
