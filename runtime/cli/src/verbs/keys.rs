//! `hall keys`: the hall's keyring.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use skillhall::hall::{Hall, KeyPlan, RevokedKey, Rotation};
use skillhall_core::clock::Timestamp;
use skillhall_core::id::{KeyId, Namespace};
use skillhall_core::trust::keys::{Algorithm, KeyError, KeyRecord, KeySource as _, KeyState, Keyring, PublicKey, Purpose};

use super::standing::parse_reason;
use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::passphrase::new_passphrase;
use crate::printer::{Printer, bold, dim, good, shown};

/// Make, rotate, revoke, trust and list keys
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall keys list\n  hall keys new --namespace org.acme --algorithm ed25519 --days 365\n  hall keys rotate --namespace org.acme\n  hall keys revoke org.acme/ed25519-1a2b3c4d --reason 'the laptop was stolen'"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    New(NewArguments),
    Rotate(RotateArguments),
    Revoke(RevokeArguments),
    Trust(TrustArguments),
    List(ListArguments),
}

/// Make a key and enter it into the keyring
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall keys new --namespace org.acme --algorithm ed25519 --days 365\n  hall keys new --purpose certify\n  hall keys new --purpose approve --holder ada --out ada.pem"
)]
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
    /// With --purpose approve: who holds it, by the name that they have as a caller, if they are one
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// With --purpose approve: the new file for the key, sealed by a passphrase
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// With --purpose approve: read the passphrase from here instead of the terminal: a file, or /dev/fd/N
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Make new keys beside those of a namespace, and end the old ones' time after an overlap
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall keys rotate\n  hall keys rotate --namespace org.acme --algorithm ed25519 --overlap 7d\n\nThen attest everything again before the overlap is over: hall attest --namespace org.acme --all"
)]
struct RotateArguments {
    /// The namespace, one of the hall's own; needed only if it has more than one
    #[arg(long, value_name = "NS")]
    namespace: Option<Namespace>,
    /// Only keys that sign so; without it, every key of the namespace
    #[arg(long)]
    algorithm: Option<KeyAlgorithm>,
    /// For how long the old keys still count: a whole number and m, h or d
    #[arg(long, default_value = "30d", value_name = "TIME", value_parser = parse_overlap)]
    overlap: i64,
}

/// Revoke a key at once and for good: what it signed is refused, what runs on the strength of it is stopped
#[derive(Args)]
#[command(after_help = "Examples:\n  hall keys revoke org.acme/ed25519-1a2b3c4d --reason 'the laptop was stolen'")]
struct RevokeArguments {
    /// The key's id, as `hall keys list` shows it
    key: KeyId,
    /// Why, as records and refusals will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
}

/// Enter somebody else's public Ed25519 key, for a namespace that is not the hall's own
#[derive(Args)]
#[command(
    after_help = "The publisher reads id and public key from `hall keys list --json`. Get both from a source you trust.\n\nExamples:\n  hall keys trust --namespace org.example --id org.example/ed25519-1a2b3c4d --public example.pub\n  hall keys trust --namespace org.example --id org.example/ed25519-1a2b3c4d --public 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
)]
struct TrustArguments {
    /// The publisher's namespace
    #[arg(long, value_name = "NS")]
    namespace: Namespace,
    /// The id under which the publisher signs with this key
    #[arg(long, value_name = "KEY")]
    id: KeyId,
    /// The public key: 64 hexadecimal digits, or a file with them or with a PEM public key
    #[arg(long, value_name = "FILE|KEY")]
    public: String,
}

/// List every key: id, state, age, algorithm, purpose
#[derive(Args)]
#[command(after_help = "Examples:\n  hall keys list\n  hall keys list --json")]
struct ListArguments {}

#[derive(Clone, Copy, ValueEnum)]
enum KeyAlgorithm {
    Ed25519,
    Hmac,
}

impl From<KeyAlgorithm> for Algorithm {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Ed25519 => Self::Ed25519,
            KeyAlgorithm::Hmac => Self::HmacSha256,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyPurpose {
    Attest,
    Certify,
    Approve,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    match &arguments.what {
        What::New(arguments) => new(arguments, place, printer),
        What::Rotate(arguments) => rotate(arguments, place, printer),
        What::Revoke(arguments) => revoke(arguments, place, printer),
        What::Trust(arguments) => trust(arguments, place, printer),
        What::List(_) => list(place, printer),
    }
}

fn new(arguments: &NewArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    if let KeyPurpose::Approve = arguments.purpose {
        return new_approver(arguments, place, printer);
    }
    if arguments.holder.is_some() || arguments.out.is_some() || arguments.passphrase_file.is_some() {
        let message = "--holder, --out and --passphrase-file belong to a key for approving";
        return Err(CommandError::usage(message, "hall keys new --purpose approve --holder NAME --out FILE"));
    }
    let purpose = match arguments.purpose {
        KeyPurpose::Attest => Purpose::Attest,
        KeyPurpose::Certify => Purpose::Certify,
        KeyPurpose::Approve => Purpose::Approve,
    };
    let algorithm = Algorithm::from(arguments.algorithm);
    if purpose == Purpose::Certify && (algorithm != Algorithm::Ed25519 || arguments.namespace.is_some()) {
        let message = "a certifier's key is Ed25519 and belongs to no namespace";
        return Err(CommandError::usage(message, "hall keys new --purpose certify"));
    }
    let hall = place.open()?;
    let namespace = match purpose {
        Purpose::Attest => Some(own_namespace(&hall, arguments.namespace.as_ref())?),
        _ => None,
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

/// Makes the sealed key of somebody who may answer calls that wait for a person.
fn new_approver(arguments: &NewArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let usage = |message: &str| CommandError::usage(message, "hall keys new --purpose approve --holder NAME --out FILE");
    let (Some(holder), Some(out)) = (&arguments.holder, &arguments.out) else {
        return Err(usage("a key for approving has a holder and goes into a file"));
    };
    if arguments.namespace.is_some() || !matches!(arguments.algorithm, KeyAlgorithm::Ed25519) {
        return Err(usage("a key for approving is Ed25519 and belongs to no namespace"));
    }
    let hall = place.open()?;
    if out.symlink_metadata().is_ok() {
        return Err(usage(&format!("{} is there already, and no key is overwritten", out.display())));
    }
    let passphrase = new_passphrase(arguments.passphrase_file.as_deref())?;
    let approver = hall.new_approver(holder, passphrase.as_bytes(), arguments.days, |sealed| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(out)?;
        file.write_all(sealed.as_bytes())?;
        file.sync_all()
    })?;
    printer.result(&json!({ "key": approver.key, "holder": approver.holder, "file": out }), || {
        vec![
            format!("{} made the key {} of {}", good("✓"), bold(approver.key.id.as_str()), shown(&approver.holder)),
            format!("  sealed in {}; whoever has it and the passphrase answers in that name", out.display()),
            format!("  next: hall approvals list; hall approvals approve ID --key {}", out.display()),
        ]
    });
    Ok(())
}

fn rotate(arguments: &RotateArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let namespace = own_namespace(&hall, arguments.namespace.as_ref())?;
    let algorithm = arguments.algorithm.map(Algorithm::from);
    let rotated = hall.rotate_keys(&Rotation { namespace: namespace.clone(), algorithm, overlap_ms: arguments.overlap })?;
    let next = format!("hall attest --namespace {namespace} --all");
    let from_environment = algorithm.is_none() && hall.config().hall.attest_env_namespace.as_ref() == Some(&namespace);
    let mut object = json!(rotated);
    if let Some(members) = object.as_object_mut() {
        members.insert("namespace".into(), json!(namespace));
        members.insert("next".into(), next.as_str().into());
    }
    printer.result(&object, || {
        let mut lines: Vec<String> =
            rotated.added.iter().map(|key| format!("{} made the key {}", good("✓"), bold(key.id.as_str()))).collect();
        for key in &rotated.retiring {
            lines.push(format!("  {} counts until {}", key.id, until(key)));
        }
        if from_environment {
            lines.push("  the HMAC secret in WCP_ATTEST_HMAC_KEY is not rotated here; change it where it is set".into());
        }
        lines.push(format!("  next, before then: {next}"));
        lines
    });
    Ok(())
}

fn revoke(arguments: &RevokeArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let stored = keyring(&hall)?;
    if !rows(&stored).iter().any(|(_, key)| key.id == arguments.key) {
        return Err(no_such_key(&stored, &arguments.key));
    }
    let revoked = hall.revoke_key(&arguments.key, &arguments.reason)?;
    let next = after_revocation(&revoked, &keyring(&hall)?, now());
    let mut object = json!(revoked);
    if let Some(members) = object.as_object_mut() {
        members.insert("next".into(), json!(next));
    }
    printer.result(&object, || {
        let record = revoked.record.map(|record| format!(" (record {record})")).unwrap_or_default();
        let word = if revoked.before && revoked.record.is_none() { "was revoked before:" } else { "revoked" };
        let mut lines = vec![
            format!("{} {word} {}{record}", good("✓"), bold(revoked.key.id.as_str())),
            "  what it signed is refused from now on, and what ran on the strength of it is stopped".into(),
        ];
        lines.extend(next.iter().map(|command| format!("  next: {command}")));
        lines
    });
    Ok(())
}

/// What brings back what the key had vouched for.
fn after_revocation(revoked: &RevokedKey, keyring: &Keyring, now: Timestamp) -> Vec<String> {
    let valid = |key: &&KeyRecord| key.state(now) == KeyState::Valid;
    let mut commands = Vec::new();
    match &revoked.namespace {
        Some(namespace) if !keyring.owns(namespace) => {}
        Some(namespace) => {
            if keyring.attesters(namespace, revoked.key.algorithm).find(valid).is_none() {
                let algorithm = if revoked.key.algorithm == Algorithm::Ed25519 { "ed25519" } else { "hmac" };
                commands.push(format!("hall keys new --namespace {namespace} --algorithm {algorithm}"));
            }
            commands.push(format!("hall attest --namespace {namespace} --all"));
        }
        None => {
            if keyring.certifiers.iter().find(valid).is_none() {
                commands.push("hall keys new --purpose certify".into());
            }
            commands.push("hall certify PACKAGE, for each package that the key certified".into());
        }
    }
    commands
}

fn trust(arguments: &TrustArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let public = public_key(&arguments.public)?;
    let hall = place.open()?;
    let record = hall.trust_key(&arguments.namespace, &arguments.id, &public)?;
    printer.result(&json!({ "namespace": arguments.namespace, "key": record }), || {
        vec![format!("{} {} counts for {} from now on", good("✓"), bold(record.id.as_str()), arguments.namespace)]
    });
    Ok(())
}

/// The largest file that is read for a public key.
const MAX_PUBLIC: u64 = 8 << 10;

fn public_key(given: &str) -> Outcome<PublicKey> {
    let refused = |message: String| CommandError::Credentials {
        message,
        hint: Some("give 64 hexadecimal digits, or a file with them or with a PEM public key (openssl pkey -pubout)".into()),
    };
    let is_hex = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return given.to_ascii_lowercase().parse().map_err(|error| refused(format!("{error}")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(given)
        .and_then(|file| file.take(MAX_PUBLIC + 1).read_to_end(&mut bytes))
        .map_err(|error| refused(format!("{} is no public key, and no file that can be read: {error}", shown(given))))?;
    let text = std::str::from_utf8(&bytes).ok().filter(|text| u64::try_from(text.len()).is_ok_and(|length| length <= MAX_PUBLIC));
    let text = text.ok_or_else(|| refused(format!("{} holds no public key", shown(given))))?.trim();
    if text.contains("PRIVATE KEY") {
        return Err(refused(format!("{} holds a private key, which belongs to its owner alone", shown(given))));
    }
    let key = if text.starts_with("-----BEGIN") { PublicKey::from_pem(text) } else { text.to_ascii_lowercase().parse() };
    key.map_err(|error| refused(format!("{}: {error}", shown(given))))
}

fn list(place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let keyring = hall.keys().keyring().map_err(|error| unusable(&error))?;
    let now = now();
    let rows = rows(&keyring);
    let object = json!({ "keys": rows.iter().map(|(namespace, key)| row(*namespace, key, now)).collect::<Vec<_>>() });
    printer.result(&object, || {
        rows.iter()
            .map(|(_, key)| {
                let what = format!("{:?} {:?}", key.algorithm, key.purpose).to_lowercase();
                let age = days_old(key, now).map_or_else(|| "-".to_owned(), |days| format!("{days} d"));
                let end = match (key.revoked_at, key.valid_to) {
                    (Some(at), _) => format!("  since {at}"),
                    (None, Some(_)) => format!("  until {}", until(key)),
                    (None, None) => String::new(),
                };
                let public = key.public.as_deref().map(|public| public.chars().take(16).collect::<String>()).unwrap_or_default();
                format!("{:<40} {:<11} {age:>7}  {what:<18} {}{}", key.id, state(key, now), dim(&public), dim(&end))
            })
            .collect()
    });
    Ok(())
}

fn row(namespace: Option<&Namespace>, key: &KeyRecord, now: Timestamp) -> Value {
    json!({ "namespace": namespace, "key": key, "state": state(key, now), "age_days": days_old(key, now) })
}

fn state(key: &KeyRecord, now: Timestamp) -> &'static str {
    match key.state(now) {
        KeyState::Valid => "valid",
        KeyState::NotYetValid => "notyetvalid",
        KeyState::Expired => "expired",
        KeyState::Revoked => "revoked",
    }
}

/// Whole days since the key began to count; the secret from the environment has no beginning.
fn days_old(key: &KeyRecord, now: Timestamp) -> Option<i64> {
    const DAY_MS: i64 = 86_400_000;
    let is_dated = !key.id.as_str().starts_with("env:");
    is_dated.then(|| now.millis().saturating_sub(key.valid_from.millis()).max(0) / DAY_MS)
}

fn until(key: &KeyRecord) -> String {
    key.valid_to.map(|end| end.to_string()).unwrap_or_default()
}

/// Every key with the namespace for which it attests.
fn rows(keyring: &Keyring) -> Vec<(Option<&Namespace>, &KeyRecord)> {
    let attesters =
        keyring.namespaces.iter().flat_map(|(namespace, keys)| keys.keys.iter().map(move |key| (Some(namespace), key)));
    let approvers = keyring.approvers.iter().map(|approver| &approver.key);
    attesters.chain(keyring.certifiers.iter().chain(&keyring.ledger).chain(approvers).map(|key| (None, key))).collect()
}

fn keyring(hall: &Hall) -> Outcome<Keyring> {
    hall.keys().stored().map_err(|error| unusable(&error))
}

fn unusable(error: &KeyError) -> CommandError {
    CommandError::Credentials { message: error.to_string(), hint: Some(error.hint()) }
}

fn no_such_key(keyring: &Keyring, wanted: &KeyId) -> CommandError {
    if wanted.as_str().starts_with("env:") {
        let message = "a secret from the environment stands in no keyring";
        return CommandError::usage(message, format!("change it where it is set, or: hall ban key:{wanted} --reason TEXT"));
    }
    let ids = rows(keyring).into_iter().map(|(_, key)| key.id.as_str());
    let likeness = |id: &str| strsim::jaro_winkler(id, wanted.as_str());
    let nearest = ids.max_by(|one, other| likeness(one).total_cmp(&likeness(other))).unwrap_or_default();
    CommandError::usage(
        format!("the keyring has no key {wanted}"),
        format!("did you mean {nearest}? `hall keys list` shows every key"),
    )
}

/// The namespace that is named, else the hall's only one.
pub(crate) fn own_namespace(hall: &Hall, named: Option<&Namespace>) -> Outcome<Namespace> {
    match (named, hall.config().hall.namespaces.as_slice()) {
        (Some(namespace), _) => Ok(namespace.clone()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(CommandError::usage("this hall has more than one namespace", "name one with --namespace")),
    }
}

/// Milliseconds of a text such as `30d`, `12h` or `90m`; from a minute to ten years.
fn parse_overlap(text: &str) -> Result<i64, String> {
    const RULE: &str = "a whole number and m, h or d, such as 30d; from 1m to 3650d";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or(RULE)?;
    let unit = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(RULE.into()),
    };
    let millis = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    millis.filter(|millis| (skillhall::hall::MIN_OVERLAP_MS..=3650 * 86_400_000).contains(millis)).ok_or_else(|| RULE.into())
}
