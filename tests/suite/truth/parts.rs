//! A hall whose every part can be made to fail: what surrounds the gates lies as the faults of the moment say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use skillhall::hall::{Config, Hall, Receipt};
use skillhall::sandbox::LocalPowers;
use skillhall_core::clock::Timestamp;
use skillhall_core::govern::call::{Authority, Call, Caller};
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
use skillhall_core::id::{KeyId, Namespace, OrgId, SkillId};
use skillhall_core::ledger::EventKind;
use skillhall_core::package::Package;
use skillhall_core::quotas::{Claim, Counted, Figures, QuotaError, Quotas, Spent, over};
use skillhall_core::registry::access::{Credential, RoleRecord};
use skillhall_core::registry::approval::Approval;
use skillhall_core::registry::memory::MemoryRegistry;
use skillhall_core::registry::{
    Change, Commit, NamespaceRecord, OrgRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery,
    Statement, Target,
};
use skillhall_core::trust::keys::{FileKeys, KeyError, KeySource, Keyring, Secret, Verdicts};
use skillhall_tests::files::{copy_folder, put, text};
use skillhall_tests::skills::{redact_as, redact_toml};
use skillhall_tests::world::{World, good_call, install_apart, records_from};

/// What a fault does.
#[derive(Clone, Copy)]
pub(super) enum Does {
    /// The registry does not answer.
    Unreachable,
    /// It answers otherwise.
    Answer(fn(&mut Snapshot)),
    /// The keyring is another.
    Keys(fn(&mut Keyring)),
    /// A key's secret is another, or is not there.
    Secret(fn() -> Option<Secret>),
    /// A file of the installed package is another, or is not there.
    File(&'static str, Spoil),
    /// So many days have passed.
    Days(i64),
    /// Somebody else calls, or nobody.
    Caller(fn(&mut Option<Caller>)),
    /// The call comes by a token, of which the registry says this.
    Token(fn(&mut Option<Credential>)),
    /// The call is another.
    Call(fn(&mut Call)),
    /// So many calls are counted, or none can be.
    Quota(fn() -> Result<u64, ()>),
    /// The host gives no powers.
    Powerless,
    /// The gate answers this.
    Gate(fn() -> Result<Verdict, GateError>),
    /// There is no gate.
    Gateless,
    /// The ledger is not there.
    NoLedger,
    /// The ledger is not as it was written.
    EditedLedger,
}

/// How a file is spoiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoil {
    Gone,
    Cut,
    Flipped,
}

/// Which files are spoiled now, and what was in them.
#[derive(Default)]
struct Spoiled {
    folder: PathBuf,
    files: Vec<(&'static str, Spoil)>,
    before: Vec<(PathBuf, Vec<u8>)>,
}

type Faults = Arc<Mutex<Vec<Does>>>;

fn each(faults: &Faults, mut take: impl FnMut(Does)) {
    faults.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|does| take(*does));
}

/// A hall, and the same without its ledger, and with another one.
pub(super) struct Desk {
    world: World,
    faults: Faults,
    registry: Arc<MemoryRegistry>,
    package: Arc<Package>,
    halls: RefCell<BTreeMap<Parts, Hall>>,
    spoiled: RefCell<Spoiled>,
    runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Parts {
    home: &'static str,
    powers: bool,
    gate: bool,
}

const WHOLE: Parts = Parts { home: "hall", powers: true, gate: true };

/// Only calls with PUBLIC data have a rule, and the gate is asked about them.
const RULES: &str = r#"{"rules": [{"rule_id": "public", "match": { "data_label": "PUBLIC" }, "decision": {
    "candidate_workers_ranked": [{"worker_species_id": "wrk.*", "score_hint": 1.0}],
    "required_controls_suggested": [], "escalation": {"policy_gate": true}, "preconditions": {}}}]}"#;

impl Desk {
    pub(super) fn new() -> Self {
        let world = World::bare();
        let toml = redact_toml() + "\n[capabilities]\nenv = [\"LANG\"]\n";
        let package = install_apart(&world.open(), &redact_as(&toml).expect("the skill is built"));
        let config = world.home().join("hall.toml");
        let grant = "\n[quotas]\ncalls_per_minute = 100\n\n[grants.\"org.skillhall/redact\"]\nenv = [{ name = \"LANG\", value = \"C\" }]\n";
        // Above tier 0, where who brought a version in has not certified it.
        let raised = text(&config).replacen("\nmin_tier = 0\n", "\nmin_tier = 1\n", 1);
        assert!(raised.contains("\nmin_tier = 1\n"), "{raised}");
        put(&config, (raised + grant).as_bytes());
        put(&world.home().join("rules.json"), RULES.as_bytes());
        world.open().enroll().expect("it is enrolled");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (faults, registry) = (Faults::default(), Arc::new(MemoryRegistry::new()));
        let desk = Self { world, faults, registry, package, halls: RefCell::default(), spoiled: RefCell::default(), runtime };
        // The registry is filled from the ledger.
        let receipt = desk.run(&[]);
        assert!(receipt.output().is_some(), "{:?} {:?}", receipt.denial(), receipt.failure());
        for home in ["bare", "edited"] {
            copy_folder(&desk.world.home(), &desk.home(home));
        }
        fs::remove_dir_all(desk.home("bare").join("ledger")).expect("the ledger is taken away");
        let segment = desk.home("edited").join("ledger/000000000000.jsonl");
        put(&segment, text(&segment).replace("\"event\":\"skill.install\"", "\"event\":\"skill.publish\"").as_bytes());
        desk
    }

    fn home(&self, name: &str) -> PathBuf {
        self.world.desk().join(name)
    }

    fn open(&self, parts: Parts) -> Hall {
        let home = self.home(parts.home);
        let keys = Dir::open_ambient_dir(self.world.home().join("keys"), ambient_authority()).expect("the keys");
        let mut config = Config::at(home).clock(self.world.clock.clone()).compile_in_process().adapter("mcp");
        config = config.registry(Arc::new(Lying { faults: self.faults.clone(), registry: self.registry.clone() }));
        config = config.keys(Arc::new(Lying { faults: self.faults.clone(), registry: FileKeys::new(keys, None) }));
        config = config.quotas(Arc::new(Lying { faults: self.faults.clone(), registry: () }));
        if parts.powers {
            config = config.powers(Arc::new(LocalPowers::default()));
        }
        if parts.gate {
            config = config.gate(Arc::new(Lying { faults: self.faults.clone(), registry: () }));
        }
        Hall::open(config).expect("the hall opens")
    }

    /// Makes the call while all of this is wrong.
    pub(super) fn run(&self, wrong: &[Does]) -> Receipt {
        let (mut parts, mut call, mut days, mut files) = (WHOLE, good_call(), 0, Vec::new());
        for does in wrong {
            match *does {
                Does::Powerless => parts.powers = false,
                Does::Gateless => parts.gate = false,
                Does::NoLedger => parts.home = "bare",
                Does::EditedLedger => parts.home = "edited",
                Does::Call(edit) => edit(&mut call),
                Does::Days(more) => days = more,
                Does::File(name, spoil) => files.push((name, spoil)),
                _ => {}
            }
        }
        let mut halls = self.halls.borrow_mut();
        let hall = halls.entry(parts).or_insert_with(|| self.open(parts));
        let mut caller = hall.caller().expect("the owner is known");
        for does in wrong {
            match does {
                Does::Caller(edit) => edit(&mut caller),
                Does::Token(_) => {
                    // Whoever comes by a token is whom it names.
                    caller.iter_mut().for_each(|caller| {
                        caller.organisation = "acme".parse().expect("a name");
                        caller.authority = Authority::Token(super::faults::token().presented());
                    });
                }
                _ => {}
            }
        }
        let folder = self.home(parts.home).join("packages").join(self.package.manifest_hash().to_string());
        self.spoil(&folder, &files);
        self.world.clock.ahead(days);
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = wrong.to_vec();
        let receipt = self.runtime.block_on(hall.execute_for(caller, call)).expect("the host is well");
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.world.clock.ahead(0);
        receipt
    }

    /// Has the package's files as these say, and all others as they were.
    fn spoil(&self, folder: &Path, files: &[(&'static str, Spoil)]) {
        let mut spoiled = self.spoiled.borrow_mut();
        if spoiled.folder == folder && spoiled.files == files {
            return;
        }
        spoiled.before.drain(..).rev().for_each(|(path, bytes)| put(&path, &bytes));
        (spoiled.folder, spoiled.files) = (folder.to_owned(), files.to_vec());
        for (name, spoil) in files {
            let path = folder.join(name);
            let Ok(content) = fs::read(&path) else { continue };
            match spoil {
                Spoil::Gone => fs::remove_file(&path).expect("the file is taken away"),
                Spoil::Cut => put(&path, &content[..content.len() / 2]),
                Spoil::Flipped => put(&path, &content.iter().map(|byte| byte ^ 1).collect::<Vec<_>>()),
            }
            spoiled.before.push((path, content));
        }
    }

    /// How many runs the ledger tells.
    pub(super) fn runs(&self) -> usize {
        let records = records_from(&self.world.open(), 0);
        records.iter().filter(|record| record.event.kind == EventKind::SkillComplete).count()
    }
}

/// A part that does as it is told by the faults, and else what the real one does.
struct Lying<T> {
    faults: Faults,
    registry: T,
}

impl PolicyGate for Lying<()> {
    fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
        let mut answer = super::faults::says("ALLOW");
        each(&self.faults, |does| {
            if let Does::Gate(says) = does {
                answer = says();
            }
        });
        answer
    }
}

impl Lying<()> {
    fn counts(&self, figures: &Figures, claim: Claim, now: Timestamp) -> Result<Counted, QuotaError> {
        let mut calls = Ok(0);
        each(&self.faults, |does| {
            if let Does::Quota(says) = does {
                calls = says();
            }
        });
        let calls = calls.map_err(|()| QuotaError::Unavailable("a test".into()))?;
        let counted = Counted { calls, ..Counted::nothing(now) };
        over(figures, &counted, claim).map_or(Ok(counted), |excess| Err(QuotaError::Exceeded(excess)))
    }
}

impl Quotas for Lying<()> {
    fn look(&self, _: &OrgId, figures: &Figures, claim: Claim, now: Timestamp) -> Result<Counted, QuotaError> {
        self.counts(figures, claim, now)
    }

    fn take(&self, _: &str, _: &OrgId, figures: &Figures, claim: Claim, now: Timestamp) -> Result<(), QuotaError> {
        self.counts(figures, claim, now).map(drop)
    }

    fn settle(&self, _: &str, _: Spent) {}
}

impl KeySource for Lying<FileKeys> {
    fn keyring(&self) -> Result<Keyring, KeyError> {
        let mut keyring = self.registry.keyring()?;
        each(&self.faults, |does| {
            if let Does::Keys(edit) = does {
                edit(&mut keyring);
            }
        });
        Ok(keyring)
    }

    fn hmac_secret(&self, key: &KeyId, namespace: &Namespace) -> Result<Option<Secret>, KeyError> {
        let mut secret = self.registry.hmac_secret(key, namespace)?;
        each(&self.faults, |does| {
            if let Does::Secret(other) = does {
                secret = other();
            }
        });
        Ok(secret)
    }

    fn verdicts(&self) -> Option<&Verdicts> {
        self.registry.verdicts()
    }
}

impl Lying<Arc<MemoryRegistry>> {
    fn answers(&self) -> Result<&MemoryRegistry, RegistryError> {
        let mut gone = false;
        each(&self.faults, |does| gone |= matches!(does, Does::Unreachable));
        if gone { Err(RegistryError::Unreachable("a test".into())) } else { Ok(&self.registry) }
    }
}

impl Registry for Lying<Arc<MemoryRegistry>> {
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
        let mut snapshot = self.answers()?.snapshot(query)?;
        each(&self.faults, |does| {
            // Of what it does not know, there is nothing else to say.
            match does {
                Does::Answer(edit) if snapshot.published.is_some() => edit(&mut snapshot),
                Does::Token(edit) if query.token.is_some() => {
                    snapshot.credential = Some(super::faults::credential());
                    edit(&mut snapshot.credential);
                }
                _ => {}
            }
        });
        Ok(snapshot)
    }

    fn version(&self) -> Result<u64, RegistryError> {
        self.answers()?.version()
    }

    fn check(&self, change: &Change) -> Result<(), RegistryError> {
        self.answers()?.check(change)
    }

    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
        self.answers()?.apply(change, commit)
    }

    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        self.answers()?.commits(after)
    }

    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        self.answers()?.versions(skill)
    }

    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        self.answers()?.skills()
    }

    fn statements(&self, manifest: &skillhall_core::digest::Digest) -> Result<Vec<Statement>, RegistryError> {
        self.answers()?.statements(manifest)
    }

    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        self.answers()?.standing_events(target)
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        self.answers()?.namespace(namespace)
    }

    fn approval(&self, id: &str) -> Result<Option<Approval>, RegistryError> {
        self.answers()?.approval(id)
    }

    fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, RegistryError> {
        self.answers()?.approvals(only_open)
    }

    fn credential(&self, token: &str) -> Result<Option<Credential>, RegistryError> {
        self.answers()?.credential(token)
    }

    fn organisations(&self) -> Result<Vec<OrgRecord>, RegistryError> {
        self.answers()?.organisations()
    }

    fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, RegistryError> {
        self.answers()?.roles(organisation)
    }
}
