//! Making a local hall in a folder: keys, registry, policy, ledger, enrolment. It is whole or it is not there.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};
use skillhall_core::clock::{Clock, Timestamp};
use skillhall_core::digest::hex;
use skillhall_core::govern::config::{
    ApprovalsSection, Env, GATE_DEADLINE_MS, HallConfig, HallSection, IsolationSection, LimitsSection, PolicySection,
    QuotasSection,
};
use skillhall_core::id::{KeyId, Namespace, OrgId};
use skillhall_core::ledger::change::change;
use skillhall_core::ledger::{Event, EventKind, Ledger, Origin};
#[cfg(feature = "sqlite")]
use skillhall_core::registry::sqlite::SqliteRegistry;
use skillhall_core::registry::{Change, HostRecord, NamespaceRecord, OrgRecord, Registry};
use skillhall_core::trust::keys::{Algorithm, FileKeys, KeyRecord, NamespaceKeys, Purpose, Secret, SigningKey};
use skillhall_core::{random, store};

use super::enroll::with_parts;
#[cfg(feature = "sqlite")]
use super::folder::REGISTRY;
use super::folder::{CACHE, CACHE_KEY, CONFIG, KEYS, LEDGER, PACKAGES, POLICY, SCHEMA, SHELF};
use super::{Fault, PolicyTexts, executable_digest, policy};

/// What a new hall is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The organisation that runs it.
    pub organisation: OrgId,
    /// Its owner, as records name them.
    pub owner: String,
    /// Where it stands.
    pub env: Env,
    /// Its own namespaces, at least one.
    pub namespaces: Vec<Namespace>,
    /// The namespace to which the secret in `WCP_ATTEST_HMAC_KEY` belongs; its HMAC key is then not made here.
    pub attest_env_namespace: Option<Namespace>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The hall's folder.
    pub path: PathBuf,
    /// Its id.
    pub id: String,
    /// Every key that was made.
    pub keys: Vec<KeyRecord>,
}

/// WCP's rules for a hall that has none of its own: an installed, certified skill may run in development; elsewhere a
/// policy gate has to say so, and without one nothing runs.
const RULES: &str = r#"{
  "rules": [
    {
      "rule_id": "local_dev",
      "match": { "capability_id": { "any": true }, "env": "dev", "data_label": { "in": ["PUBLIC", "INTERNAL"] } },
      "decision": {
        "candidate_workers_ranked": [ { "worker_species_id": "wrk.*", "score_hint": 1.0 } ],
        "required_controls_suggested": ["ctrl.obs.audit-log-append-only"],
        "escalation": { "policy_gate": false, "human_required_default": false },
        "preconditions": {}
      }
    },
    {
      "rule_id": "local_elsewhere",
      "match": { "capability_id": { "any": true } },
      "decision": {
        "candidate_workers_ranked": [ { "worker_species_id": "wrk.*", "score_hint": 1.0 } ],
        "required_controls_suggested": ["ctrl.obs.audit-log-append-only"],
        "escalation": { "policy_gate": true, "human_required_default": false },
        "preconditions": {}
      }
    }
  ]
}
"#;

/// Makes a hall in a folder that is not there or is empty, with its registry in the same folder.
///
/// # Errors
/// [`Fault::Occupied`] if there is something in the folder; any other fault leaves the folder as it was.
#[cfg(feature = "sqlite")]
pub fn setup(path: &Path, plan: &Plan, clock: &dyn Clock) -> Result<Made, Fault> {
    make(path, plan, None, clock, Keeper::File)
}

/// As [`setup`], with the JSON Schema of hall.toml beside it, under [`SCHEMA`], and a first line in hall.toml by which editors
/// find it.
///
/// # Errors
/// As [`setup`].
#[cfg(feature = "sqlite")]
pub fn setup_with_schema(path: &Path, plan: &Plan, schema: &str, clock: &dyn Clock) -> Result<Made, Fault> {
    make(path, plan, Some(schema), clock, Keeper::File)
}

/// Makes a hall in a folder that is not there or is empty, for an empty registry that is kept elsewhere: it gets the hall's
/// first entries, and is to be given to every [`Config`](super::Config) that opens the hall.
///
/// # Errors
/// [`Fault::Occupied`] if there is something in the folder; any other fault, and a registry that does not take the entries,
/// leaves the folder as it was.
pub fn setup_with(path: &Path, plan: &Plan, clock: &dyn Clock, registry: &dyn Registry) -> Result<Made, Fault> {
    make(path, plan, None, clock, Keeper::Given(registry))
}

/// Who keeps the registry.
#[derive(Clone, Copy)]
enum Keeper<'a> {
    #[cfg(feature = "sqlite")]
    File,
    Given(&'a dyn Registry),
}

fn make(path: &Path, plan: &Plan, schema: Option<&str>, clock: &dyn Clock, keeper: Keeper<'_>) -> Result<Made, Fault> {
    let now = clock.now()?;
    let (parent, name) = place(path)?;
    let temporary = format!(".{name}.{}.new", random::uuid()?);
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    parent.create_dir_with(&temporary, &builder).map_err(|error| Fault::io("the hall's folder", &error))?;
    let made = fill(&parent, &temporary, plan, schema, now, keeper).and_then(|made| {
        // An empty folder gives way; anything in it makes the rename fail.
        parent.rename(&temporary, &parent, &name).map_err(|error| Fault::io("the hall's folder", &error))?;
        store::sync_folder(&parent).map_err(|error| Fault::io("the hall's folder", &error))?;
        Ok(made)
    });
    if made.is_err() {
        // What was half made is named nowhere and holds nothing that is needed.
        let _ = parent.remove_dir_all(&temporary);
    }
    let (id, keys) = made?;
    Ok(Made { path: path.canonicalize().map_err(|error| Fault::io("the hall's folder", &error))?, id, keys })
}

fn place(path: &Path) -> Result<(Dir, String), Fault> {
    let absolute = std::path::absolute(path).map_err(|error| Fault::io("the hall's folder", &error))?;
    let name = absolute.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let (Some(parent), Some(name)) = (absolute.parent(), name) else {
        return Err(Fault::Configuration(format!("{} is no place for a hall", path.display())));
    };
    let is_free = match absolute.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(Fault::Occupied { path: absolute });
    }
    std::fs::create_dir_all(parent).map_err(|error| Fault::io("the hall's parent folder", &error))?;
    let parent =
        Dir::open_ambient_dir(parent, ambient_authority()).map_err(|error| Fault::io("the hall's parent folder", &error))?;
    Ok((parent, name))
}

fn fill(
    parent: &Dir,
    temporary: &str,
    plan: &Plan,
    schema: Option<&str>,
    now: Timestamp,
    keeper: Keeper<'_>,
) -> Result<(String, Vec<KeyRecord>), Fault> {
    let io = |error: std::io::Error| Fault::io("the hall's folder", &error);
    let dir = parent.open_dir(temporary).map_err(io)?;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    for part in [KEYS, LEDGER, PACKAGES, SHELF, POLICY, CACHE] {
        dir.create_dir_with(part, &builder).map_err(io)?;
    }
    let id = format!("hall-{}", short_random()?);
    let config = configuration(&id, plan)?;
    let mut text = config.to_text()?;
    if let Some(schema) = schema {
        text.insert_str(0, &format!("#:schema ./{SCHEMA}\n\n"));
        store::write(&dir, SCHEMA, schema.as_bytes(), 0o600).map_err(io)?;
    }
    store::write(&dir, CONFIG, text.as_bytes(), 0o600).map_err(io)?;
    store::write(&dir, &config.policy.rules, RULES.as_bytes(), 0o600).map_err(io)?;

    let keys = keys(&dir.open_dir(KEYS).map_err(io)?, plan, now)?;
    store::write(&dir, &format!("{KEYS}/{CACHE_KEY}"), hex(&random::bytes::<32>()?).as_bytes(), 0o600).map_err(io)?;

    let origin = Origin::of_hall(&id).map_err(|error| Fault::Configuration(error.to_string()))?;
    let ledger = Ledger::create(dir.open_dir(LEDGER).map_err(io)?, keys.ledger, &origin)?;
    let texts = PolicyTexts { config: text, rules: RULES.to_owned(), policies: Vec::new() };
    let digest = texts.digest();
    policy::keep(&dir.open_dir(POLICY).map_err(io)?, &texts)?;
    let facts =
        HostRecord { host: config.hall.id.clone(), executable: executable_digest()?, configuration: digest, revoked: false };
    let enter = |registry: &dyn Registry| {
        first_changes(plan, facts).into_iter().try_for_each(|(kind, entry)| {
            let mut event = event(kind, plan, now);
            if kind == EventKind::WorkerEnroll {
                event = with_parts(event, &config.policy.rules, &texts);
            }
            change(&ledger, registry, event, &entry).map(drop)
        })
    };
    match keeper {
        // The only path by name: SQLite opens its file itself. The folder was made just now and belongs to nobody else.
        #[cfg(feature = "sqlite")]
        Keeper::File => enter(&SqliteRegistry::create(&opened_path(&dir)?.join(REGISTRY))?)?,
        Keeper::Given(registry) => enter(registry)?,
    }
    for record in &keys.records {
        let key = serde_json::to_value(record).map_err(|error| Fault::Configuration(error.to_string()))?;
        ledger.append(vec![event(EventKind::KeyAdd, plan, now).with("key", key)])?;
    }
    Ok((id, keys.records))
}

fn event(kind: EventKind, plan: &Plan, now: Timestamp) -> Event {
    let mut event = Event::new(kind, now);
    event.organisation = Some(plan.organisation.clone());
    event.caller = Some(plan.owner.clone());
    event.with("as", "owner")
}

#[cfg(feature = "sqlite")]
fn opened_path(dir: &Dir) -> Result<PathBuf, Fault> {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", dir.as_raw_fd())).map_err(|error| Fault::io("the hall's folder", &error))
}

fn first_changes(plan: &Plan, host: HostRecord) -> Vec<(EventKind, Change)> {
    let organisation = OrgRecord { organisation: plan.organisation.clone(), suspended: false, offboarded: false };
    let mut changes =
        vec![(EventKind::OrgRegister, Change::Organisation(organisation)), (EventKind::WorkerEnroll, Change::Host(host))];
    for namespace in &plan.namespaces {
        changes.push((EventKind::NamespaceRegister, Change::Namespace(namespace_record(namespace, &plan.organisation))));
    }
    changes
}

/// The record of an own namespace.
pub(super) fn namespace_record(namespace: &Namespace, owner: &OrgId) -> NamespaceRecord {
    NamespaceRecord { namespace: namespace.clone(), owner: owner.clone(), min_tier: 0, callers: Vec::new() }
}

fn configuration(id: &str, plan: &Plan) -> Result<HallConfig, Fault> {
    let id = id.parse().map_err(|error| Fault::Configuration(format!("{error}")))?;
    Ok(HallConfig {
        hall: HallSection {
            id,
            organisation: plan.organisation.clone(),
            owner: plan.owner.clone(),
            env: plan.env,
            namespaces: plan.namespaces.clone(),
            attest_env_namespace: plan.attest_env_namespace.clone(),
        },
        policy: PolicySection {
            version: "local.v1".into(),
            rules: "rules.json".into(),
            min_tier: 0,
            foreign_min_tier: 2,
            controls: std::collections::BTreeSet::new(),
            tiers: None,
            cedar: Vec::new(),
            command: Vec::new(),
            http: None,
            gate_deadline_ms: GATE_DEADLINE_MS,
        },
        approvals: ApprovalsSection::default(),
        mcp: skillhall_core::govern::config::McpSection::default(),
        limits: LimitsSection::default(),
        isolation: IsolationSection::default(),
        quotas: QuotasSection::default(),
        grants: std::collections::BTreeMap::new(),
    })
}

struct Keys {
    records: Vec<KeyRecord>,
    ledger: SigningKey,
}

fn keys(dir: &Dir, plan: &Plan, now: Timestamp) -> Result<Keys, Fault> {
    let io = |error: std::io::Error| Fault::io("the folder of keys", &error);
    let files = FileKeys::new(dir.try_clone().map_err(io)?, None);
    let mut keyring = files.stored()?;
    keyring.own.clone_from(&plan.namespaces);
    let mut records = Vec::new();
    for namespace in &plan.namespaces {
        let own = namespace_keys(&files, namespace, plan.attest_env_namespace.as_ref() != Some(namespace), now)?;
        records.extend(own.keys.iter().cloned());
        keyring.namespaces.insert(namespace.clone(), own);
    }
    let (certifier, ledger) = (SigningKey::generate()?, SigningKey::generate()?);
    let certifier_record = record(key_id("certifier")?, Algorithm::Ed25519, Purpose::Certify, Some(&certifier), now);
    let ledger_record = record(key_id("ledger")?, Algorithm::Ed25519, Purpose::Ledger, Some(&ledger), now);
    files.save_signing_key(&certifier_record.id, &certifier)?;
    files.save_signing_key(&ledger_record.id, &ledger)?;
    records.extend([certifier_record.clone(), ledger_record.clone()]);
    keyring.certifiers.push(certifier_record);
    keyring.ledger = Some(ledger_record);
    files.save(&keyring)?;
    Ok(Keys { records, ledger })
}

/// Makes and keeps the keys of an own namespace; without an HMAC secret, if that is given from elsewhere.
pub(super) fn namespace_keys(
    files: &FileKeys,
    namespace: &Namespace,
    with_hmac: bool,
    now: Timestamp,
) -> Result<NamespaceKeys, Fault> {
    let mut own = NamespaceKeys::default();
    if with_hmac {
        let id = key_id(&format!("{namespace}/hmac"))?;
        files.save_hmac_secret(&id, &Secret::generate()?)?;
        own.keys.push(record(id, Algorithm::HmacSha256, Purpose::Attest, None, now));
    }
    let (id, key) = (key_id(&format!("{namespace}/ed25519"))?, SigningKey::generate()?);
    files.save_signing_key(&id, &key)?;
    own.keys.push(record(id, Algorithm::Ed25519, Purpose::Attest, Some(&key), now));
    Ok(own)
}

fn record(id: KeyId, algorithm: Algorithm, purpose: Purpose, key: Option<&SigningKey>, now: Timestamp) -> KeyRecord {
    let public = key.map(|key| key.public().to_string());
    KeyRecord { id, algorithm, purpose, public, valid_from: now.whole_seconds(), valid_to: None, revoked_at: None }
}

/// A key id that no other key has: a readable beginning and eight random digits.
pub(super) fn key_id(beginning: &str) -> Result<KeyId, Fault> {
    let text = format!("{beginning}-{}", short_random()?);
    text.parse().map_err(|error| Fault::Configuration(format!("{error}")))
}

fn short_random() -> Result<String, Fault> {
    Ok(hex(&random::bytes::<4>()?))
}
