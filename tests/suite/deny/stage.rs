//! A prepared hall on which a case is played: each step is done, and knows how it is undone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use skillhall::hall::{Hall, Refused, RolePlan, Silent, TokenPlan};
use skillhall_core::clock::Timestamp;
use skillhall_core::digest::Digest;
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
use skillhall_core::ledger::change::change;
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::package::Package;
use skillhall_core::registry::access::{Identity, Role, TokenEvent, TokenRevocation};
use skillhall_core::registry::token::TokenText;
use skillhall_core::registry::{Change, HostRecord, NamespaceRecord, OrgRecord, Scope, State, StatementKind, Target};
use skillhall_core::trust::awp::{self, Provenance, Worker};
use skillhall_core::trust::keys::{Algorithm, KeyRecord, KeySource as _, Keyring, SigningKey};
use skillhall_tests::clock::DAY_MS;
use skillhall_tests::files::put;
use skillhall_tests::skills::{REDACT, redact_as, redact_toml};
use skillhall_tests::world::{World, certify_apart, good_call, run};

use super::case::{GateFault, Key, Preparation, Step, Wanted};

/// How something is undone: first files, with the hall closed, then what the registry says.
#[expect(clippy::large_enum_variant, reason = "a handful of them live for one case")]
enum Undo {
    Move { from: PathBuf, to: PathBuf },
    Restore { path: PathBuf, bytes: Vec<u8> },
    Flip { path: PathBuf, at: usize },
    Delete(PathBuf),
    Say(Change),
    Enroll,
}

/// A hall that a case is played on.
pub(super) struct Stage {
    pub(super) world: World,
    hall: Option<Hall>,
    package: Package,
    gate: Option<Arc<dyn PolicyGate>>,
    undo: Vec<Undo>,
    token: Option<TokenText>,
    approvers: BTreeMap<String, String>,
    /// The approval of the call that waits.
    pub(super) asked: Option<String>,
}

/// What seals the keys of approvers here.
const PASSPHRASE: &[u8] = b"correct horse battery";

impl Stage {
    pub(super) fn new(preparation: &Preparation) -> Self {
        let package = redact_as(&edited(redact_toml(), &preparation.skill)).expect("the skill is built");
        let world = if preparation.is_plain() { World::ready() } else { World::bare() };
        let stage = Self {
            world,
            hall: None,
            package,
            gate: None,
            undo: Vec::new(),
            token: None,
            approvers: BTreeMap::new(),
            asked: None,
        };
        if !preparation.is_plain() {
            let hall = stage.world.open();
            let attested = Arc::new(hall.attest(&stage.package, "test").expect("it is attested").0);
            if !preparation.uncertified {
                match attested.manifest().policy_tier {
                    0 => drop(hall.certify(&attested, 365).expect("it is certified")),
                    _ => certify_apart(&hall, &attested),
                }
            }
            hall.publish(&attested).expect("it is published");
            if !preparation.uninstalled {
                hall.install(&attested, &mut Silent).expect("it is installed");
            }
        }
        stage
    }

    /// The hall, opened if it is not.
    pub(super) fn hall(&mut self) -> &Hall {
        if self.hall.is_none() {
            let config = self.world.config();
            let config = match &self.gate {
                Some(gate) => config.gate(gate.clone()),
                None => config,
            };
            let config = match &self.token {
                Some(token) => config.token(token),
                None => config,
            };
            self.hall = Some(Hall::open(config).expect("the hall opens"));
        }
        self.hall.as_ref().expect("it was opened just now")
    }

    fn path(&self, file: &str) -> PathBuf {
        match file.strip_prefix("package") {
            Some(rest) => {
                let folder = self.world.home().join("packages").join(self.package.manifest_hash().to_string());
                folder.join(rest.trim_start_matches('/'))
            }
            None => self.world.home().join(file),
        }
    }

    /// A place outside the hall for what is taken away.
    fn aside(&self) -> PathBuf {
        self.world.desk().join(format!("aside-{}", self.undo.len()))
    }

    fn keep(&mut self, path: &Path) {
        self.undo.push(Undo::Restore { path: path.to_owned(), bytes: skillhall_tests::files::bytes(path) });
    }

    pub(super) fn play(&mut self, step: &Step) {
        match step {
            Step::Open => drop(self.hall().registry().map(|registry| registry.version()).expect("the registry answers")),
            Step::Clock { days } => self.world.clock.ahead(*days),
            Step::FlipByte { file, at } => self.flip(file, *at),
            Step::Remove { file } => self.remove(&self.path(file)),
            Step::Add { file, text } => {
                let path = self.path(file);
                let new = path.ancestors().take_while(|path| !path.exists()).last().map(Path::to_owned);
                let new = new.unwrap_or_else(|| panic!("{} is there already", path.display()));
                put(&path, text.as_bytes());
                self.undo.push(Undo::Delete(new));
            }
            Step::Link { file, to } => {
                let path = self.path(file);
                std::os::unix::fs::symlink(to, &path).expect("a link is made");
                self.undo.push(Undo::Delete(path));
            }
            Step::Replace { file } => {
                let path = self.path(file);
                let bytes = skillhall_tests::files::bytes(&path);
                self.remove(&path);
                put(&path, &bytes);
                self.undo.push(Undo::Delete(path));
            }
            Step::Write { file, text } => {
                let path = self.path(file);
                self.keep(&path);
                put(&path, text.as_bytes());
            }
            Step::Edit { file, from, to } => {
                let path = self.path(file);
                let text = skillhall_tests::files::text(&path);
                assert!(text.contains(from.as_str()), "{file} has no '{from}':\n{text}");
                self.keep(&path);
                put(&path, text.replace(from.as_str(), to).as_bytes());
            }
            Step::RemoveHmacKeys => {
                for path in self.hmac_files() {
                    self.remove(&path);
                }
            }
            Step::WeakHmacKey => {
                for path in self.hmac_files() {
                    self.keep(&path);
                    fs::write(&path, "a short secret").expect("the secret is written");
                }
            }
            Step::WeakEd25519Key => self.weak_point(),
            Step::ExpireKey { key, days } => self.key(*key, |record| record.valid_to = Some(later(record, *days))),
            Step::DelayKey { key, days } => self.key(*key, |record| record.valid_from = later(record, *days)),
            Step::RevokeKey { key } => self.key(*key, |record| record.revoked_at = Some(record.valid_from)),
            Step::DropKey { key } => {
                let id = self.record(*key).id;
                self.keyring(|keyring| {
                    keyring.certifiers.retain(|record| record.id != id);
                    keyring.namespaces.values_mut().for_each(|keys| keys.keys.retain(|record| record.id != id));
                });
            }
            Step::ForeignKey { namespace } => {
                let record = self.record(Key::Ed25519);
                let namespace = namespace.parse().expect("a namespace");
                self.keyring(|keyring| {
                    keyring.namespaces.values_mut().for_each(|keys| keys.keys.retain(|other| other.id != record.id));
                    keyring.namespaces.entry(namespace).or_default().keys.push(record.clone());
                });
            }
            Step::Require { form } => {
                let namespace = self.package.manifest().namespace.clone();
                self.keyring(|keyring| keyring.namespaces.entry(namespace).or_default().require = Some(*form));
            }
            Step::StripSignature => self.manifest(|manifest| {
                manifest.remove("signature_hmac_sha256").expect("manifest.json is signed");
            }),
            Step::ForgeSignature => self.manifest(|manifest| {
                manifest.insert("signature_hmac_sha256".into(), json!("0".repeat(64)));
            }),
            Step::AttestAs { worker, version } => self.attest_as(worker.as_deref(), version.as_deref()),
            Step::Stand { target, state, own_callers } => self.stand(target, *state, own_callers.unwrap_or_default()),
            Step::SuspendOrganisation => {
                let organisation = self.hall().config().hall.organisation.clone();
                self.say(
                    EventKind::OrgSuspend,
                    Change::Organisation(OrgRecord { organisation: organisation.clone(), suspended: true, offboarded: false }),
                );
                self.undo.push(Undo::Say(Change::Organisation(OrgRecord { organisation, suspended: false, offboarded: false })));
            }
            Step::RegisterOrganisation { name } => {
                let organisation = name.parse().expect("a name");
                self.say(
                    EventKind::OrgRegister,
                    Change::Organisation(OrgRecord { organisation, suspended: false, offboarded: false }),
                );
            }
            Step::GiveNamespace { to } => self.give_namespace(to),
            Step::SetTier { tier } => {
                let namespace = self.package.manifest().namespace.clone();
                let registry = self.hall().registry().expect("the registry answers");
                let before = registry.namespace(&namespace).expect("it answers").expect("it is registered");
                self.hall().set_tier(&namespace, *tier).expect("the tier is set");
                self.undo.push(Undo::Say(Change::Namespace(before)));
            }
            Step::Token { of, roles, wanted } => self.issue(of.as_deref(), roles, wanted),
            Step::Present { text } => {
                self.hall = None;
                self.token = Some(TokenText::parse(text).expect("it has the form of a token"));
            }
            Step::RevokeToken => {
                let id = self.token.as_ref().expect("there is a token").id().to_owned();
                let (by, at) = (Identity { organisation: id_of("acme"), name: "ada".into() }, self.now());
                let revoked = TokenRevocation { id, by, reason: "a test".into(), at };
                self.say(EventKind::TokenRevoke, Change::Token(TokenEvent::Revoked(revoked)));
            }
            Step::Offboard { name } => {
                let record = OrgRecord { organisation: id_of(name), suspended: false, offboarded: true };
                self.say(EventKind::OrgOffboard, Change::Organisation(record));
            }
            Step::RevokeHost => self.host(|record| record.revoked = true),
            Step::OtherExecutable => self.host(|record| record.executable = Digest::of(b"another executable")),
            Step::Enroll => {
                self.hall = None;
                self.hall().enroll().expect("the host is enrolled");
                self.undo.push(Undo::Enroll);
            }
            Step::ShutDown => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let drained = runtime.block_on(self.hall().shutdown(std::time::Duration::ZERO));
                assert_eq!(drained.stopped, 0, "nothing ran");
            }
            Step::StopClock => self.world.clock.stop(true),
            Step::Gate { answers, version } => {
                let version = version.clone().unwrap_or_else(|| "gate.v1".to_owned());
                self.gate = Some(Arc::new(Answers(Verdict {
                    decision: answers.clone(),
                    policy_version: version,
                    reason: "a test".into(),
                })));
            }
            Step::Approver { holder } => {
                let mut kept = String::new();
                let keep = |sealed: &str| {
                    sealed.clone_into(&mut kept);
                    Ok(())
                };
                self.hall().new_approver(holder, PASSPHRASE, None, keep).expect("an approver is made");
                self.approvers.insert(holder.clone(), kept);
            }
            Step::Ask => {
                let refused = run(self.hall(), good_call()).expect_err("the call waits");
                let Refused::Denied { denial, .. } = refused else { panic!("a fault: {refused:?}") };
                let id = denial.details.get("approval").and_then(Value::as_str);
                self.asked = Some(id.unwrap_or_else(|| panic!("nobody is asked: {denial:?}")).to_owned());
            }
            Step::Answer { holder, answer } => {
                let (id, key) = (self.asked.clone().expect("a call waits"), self.approver(holder));
                self.hall().answer(&id, *answer, "a test", &key).expect("it is answered");
            }
            Step::RevokeApprovers => self.keyring(|keyring| {
                keyring.approvers.iter_mut().for_each(|approver| approver.key.revoked_at = Some(approver.key.valid_from));
            }),
            Step::DropApprovers => self.keyring(|keyring| keyring.approvers.clear()),
            Step::Use => {
                let call = good_call().approval(self.asked.clone());
                let receipt = run(self.hall(), call).expect("it is let through");
                assert!(receipt.output().is_some() && receipt.admitted().is_some_and(|admitted| admitted.approval.is_some()));
            }
            Step::Call => {
                let receipt = run(self.hall(), good_call()).expect("it is let through");
                assert!(receipt.output().is_some());
            }
            Step::Quotas { say } => {
                let path = self.path("hall.toml");
                self.keep(&path);
                put(&path, format!("{}\n[quotas]\n{say}\n", skillhall_tests::files::text(&path)).as_bytes());
                self.play(&Step::Enroll);
            }
            Step::GateFails { how } => self.gate = Some(Arc::new(Fails(*how))),
        }
    }

    /// Undoes every step, the last first.
    pub(super) fn undo(&mut self) {
        (self.hall, self.gate, self.token) = (None, None, None);
        self.world.clock.ahead(0);
        self.world.clock.stop(false);
        let (said, files): (Vec<Undo>, Vec<Undo>) =
            self.undo.drain(..).rev().partition(|undo| matches!(undo, Undo::Say(_) | Undo::Enroll));
        for undo in files {
            match undo {
                Undo::Move { from, to } => fs::rename(from, to).expect("it is put back"),
                Undo::Restore { path, bytes } => fs::write(path, bytes).expect("it is put back"),
                Undo::Flip { path, at } => flip(&path, at),
                Undo::Delete(path) if path.is_dir() => fs::remove_dir_all(path).expect("it is taken away"),
                Undo::Delete(path) => fs::remove_file(path).expect("it is taken away"),
                Undo::Say(_) | Undo::Enroll => {}
            }
        }
        for undo in said {
            match undo {
                Undo::Say(change) => self.say(EventKind::OrgReinstate, change),
                _ => drop(self.hall().enroll().expect("the host is enrolled")),
            }
        }
    }

    /// The key of an approver.
    pub(super) fn approver(&self, holder: &str) -> SigningKey {
        let sealed = self.approvers.get(holder).unwrap_or_else(|| panic!("{holder} has no key"));
        SigningKey::from_sealed_pem(sealed, PASSPHRASE).expect("the key opens")
    }

    fn flip(&mut self, file: &str, at: Option<usize>) {
        let path = self.path(file);
        let length = fs::metadata(&path).expect("the file is there").len();
        let at = at.unwrap_or_else(|| usize::try_from(length).expect("a small file") - 1);
        flip(&path, at);
        self.undo.push(Undo::Flip { path, at });
    }

    fn remove(&mut self, path: &Path) {
        let aside = self.aside();
        fs::rename(path, &aside).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.undo.push(Undo::Move { from: aside, to: path.to_owned() });
    }

    fn hmac_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.world.home().join("keys")).expect("the keys are there");
        let paths = entries.map(|entry| entry.expect("the keys are read").path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "hmac")).collect()
    }

    /// Changes the keyring's file, whatever is then in it.
    fn keyring(&mut self, edit: impl FnOnce(&mut Keyring)) {
        let path = self.path("keys/keyring.json");
        self.keep(&path);
        let mut keyring = Keyring::parse(&skillhall_tests::files::bytes(&path)).expect("a keyring");
        edit(&mut keyring);
        fs::write(path, keyring.to_bytes().expect("a valid keyring")).expect("the keyring is written");
    }

    fn record(&self, key: Key) -> KeyRecord {
        let keyring = Keyring::parse(&skillhall_tests::files::bytes(&self.path("keys/keyring.json"))).expect("a keyring");
        find(&mut keyring.clone(), &self.package, key).clone()
    }

    fn key(&mut self, key: Key, edit: impl FnOnce(&mut KeyRecord)) {
        let package = self.package.clone();
        self.keyring(|keyring| edit(find(keyring, &package, key)));
    }

    /// A keyring with such a key is refused as a whole, so the bytes are changed and not the keyring.
    fn weak_point(&mut self) {
        let public = self.record(Key::Ed25519).public.expect("an Ed25519 key has a public half");
        let path = self.path("keys/keyring.json");
        self.keep(&path);
        let text = skillhall_tests::files::text(&path);
        fs::write(path, text.replace(&public, &"0".repeat(64))).expect("the keyring is written");
    }

    fn manifest(&mut self, edit: impl FnOnce(&mut serde_json::Map<String, Value>)) {
        let path = self.path("package/manifest.json");
        self.keep(&path);
        let mut value: Value = serde_json::from_slice(&skillhall_tests::files::bytes(&path)).expect("JSON");
        edit(value.as_object_mut().expect("an object"));
        fs::write(path, serde_json::to_vec_pretty(&value).expect("JSON")).expect("manifest.json is written");
    }

    fn attest_as(&mut self, worker: Option<&str>, version: Option<&str>) {
        let manifest = self.package.manifest().clone();
        let (hash, key) = (awp::hash_of_package(&self.package), self.record(Key::Hmac));
        let own = Worker::of(&manifest.id());
        let named = worker.map_or_else(|| own.clone(), |id| Worker { id: id.to_owned(), species: own.species.clone() });
        let hall = self.hall();
        let secret =
            hall.keys().hmac_secret(&key.id, &manifest.namespace).expect("the keys are read").expect("the secret is there");
        let at = hall.now().expect("the time is known").whole_seconds();
        let provenance = Provenance { build_source: "test", built_at: at, attested_at: at };
        let version = version.map_or_else(|| manifest.version.to_string(), str::to_owned);
        let bytes = awp::attest(&hash, &named, &version, provenance, &secret).expect("it is attested");
        let path = self.path("package/manifest.json");
        self.keep(&path);
        fs::write(path, bytes).expect("manifest.json is written");
    }

    fn stand(&mut self, target: &str, state: State, own_callers: bool) {
        let target = self.target(target);
        let hall = self.hall();
        let organisation = hall.config().hall.organisation.clone();
        let scope = if own_callers { Scope::Organisation(organisation) } else { Scope::Global };
        hall.stand(target.clone(), state, scope, "a test says so").expect("it is said");
        let events = hall.registry().expect("the registry answers").standing_events(&target).expect("it answers");
        let mut restored = events.last().expect("it was said just now").clone();
        (restored.id, restored.state) = (format!("{}-undone", restored.id), State::Active);
        self.undo.push(Undo::Say(Change::Standing(restored)));
    }

    fn target(&mut self, text: &str) -> Target {
        let manifest = self.package.manifest().clone();
        let (what, which) = text.split_once(':').unwrap_or((text, ""));
        match (what, which) {
            ("skill", _) => Target::Skill(manifest.id()),
            ("version", _) => Target::Version(manifest.reference()),
            ("namespace", _) => Target::Namespace(manifest.namespace),
            ("hash", "manifest") => Target::Hash(self.package.manifest_hash()),
            ("hash", "component") => Target::Hash(manifest.component.sha256),
            ("hash", "package") => Target::Hash(awp::hash_of_package(&self.package)),
            ("key", "hmac") => Target::Key(self.record(Key::Hmac).id),
            ("key", "certifier") => Target::Key(self.record(Key::Certifier).id),
            ("adapter", adapter) => Target::Adapter { skill: manifest.id(), adapter: adapter.parse().expect("an adapter") },
            ("certification", _) => {
                let hash = self.package.manifest_hash();
                let registry = self.hall().registry().expect("the registry answers");
                let statements = registry.statements(&hash).expect("it answers");
                let certification = statements.iter().rfind(|statement| statement.kind == StatementKind::Certification);
                Target::Certification(certification.expect("it is certified").id.clone())
            }
            _ => panic!("'{text}' is no target"),
        }
    }

    fn give_namespace(&mut self, to: &str) {
        let namespace = self.package.manifest().namespace.clone();
        let registry = self.hall().registry().expect("the registry answers");
        let before = registry.namespace(&namespace).expect("it answers").expect("it is registered");
        let after = NamespaceRecord { owner: to.parse().expect("a name"), ..before.clone() };
        self.say(EventKind::NamespaceRegister, Change::Namespace(after));
        self.undo.push(Undo::Say(Change::Namespace(before)));
    }

    fn now(&mut self) -> Timestamp {
        self.hall().now().expect("the time is known")
    }

    /// Gives roles to bob, of this hall's organisation or another that may call, issues a token to him, and acts by it from then on.
    fn issue(&mut self, of: Option<&str>, roles: &[Role], wanted: &Wanted) {
        let namespace = self.package.manifest().namespace.clone();
        let hall = self.hall();
        let organisation = of.map_or_else(|| hall.config().hall.organisation.clone(), id_of);
        if of.is_some() {
            hall.allow_caller(&namespace, &organisation, true).expect("it may call");
        }
        for role in roles {
            let plan = RolePlan { organisation: organisation.clone(), holder: "bob".into(), role: *role, namespace: None };
            hall.grant_role(&plan).expect("the role is given");
        }
        let named = if wanted.no_namespace { None } else { Some(namespace) };
        let mut plan = TokenPlan::worker(organisation, "bob", named);
        plan.roles = roles.iter().copied().collect();
        plan.adapters = wanted.adapter.as_deref().map(|adapter| [id_of(adapter)].into());
        let later = |days: i64| hall.now().expect("the time is known").plus_millis(days * DAY_MS);
        plan.not_before = wanted.begins_in.map(later);
        let issued = hall.issue_token(&plan).expect("the token is issued");
        self.hall = None;
        self.token = Some(issued.text);
    }

    fn host(&mut self, edit: impl FnOnce(&mut HostRecord)) {
        let hall = self.hall();
        let executable = skillhall::hall::executable_digest().expect("the executable is read");
        let mut record =
            HostRecord { host: hall.config().hall.id.clone(), executable, configuration: hall.policy_digest(), revoked: false };
        edit(&mut record);
        self.say(EventKind::WorkerRevoke, Change::Host(record));
        self.undo.push(Undo::Enroll);
    }

    /// Changes the registry as whoever runs it may.
    fn say(&mut self, kind: EventKind, entry: Change) {
        let hall = self.hall();
        let event = Event::new(kind, hall.now().expect("the time is known"));
        change(hall.ledger().expect("the ledger is open"), hall.registry().expect("the registry answers"), event, &entry)
            .expect("the registry is changed");
    }
}

fn id_of<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}

fn find<'a>(keyring: &'a mut Keyring, package: &Package, key: Key) -> &'a mut KeyRecord {
    let own = keyring.namespaces.get_mut(&package.manifest().namespace);
    let found = match key {
        Key::Certifier => keyring.certifiers.first_mut(),
        Key::Hmac => own.and_then(|keys| keys.keys.iter_mut().find(|record| record.algorithm == Algorithm::HmacSha256)),
        Key::Ed25519 => own.and_then(|keys| keys.keys.iter_mut().find(|record| record.algorithm == Algorithm::Ed25519)),
    };
    found.unwrap_or_else(|| panic!("the keyring has no {key:?}"))
}

fn later(record: &KeyRecord, days: i64) -> Timestamp {
    record.valid_from.plus_millis(days * DAY_MS)
}

fn flip(path: &Path, at: usize) {
    let mut bytes = skillhall_tests::files::bytes(path);
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("the file is written");
}

/// Replaces texts; each has to be there.
pub(super) fn edited(text: String, edits: &[(String, String)]) -> String {
    edits.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from.as_str()), "no '{from}' in:\n{text}");
        text.replace(from.as_str(), to)
    })
}

/// The reference of the skill that the stage has, whatever its version.
pub(super) fn default_skill() -> &'static str {
    REDACT
}

struct Answers(Verdict);

impl PolicyGate for Answers {
    fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
        Ok(self.0.clone())
    }
}

struct Fails(GateFault);

impl PolicyGate for Fails {
    fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
        match self.0 {
            GateFault::Error => Err(GateError::Failed("a test".into())),
            GateFault::Late => Err(GateError::Late),
            GateFault::Malformed => Err(GateError::Malformed("a test".into())),
            GateFault::Panic => panic!("this gate panics"),
        }
    }
}
