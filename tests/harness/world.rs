//! A hall of one's own in a temporary folder.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use skillhall::hall::setup::{Plan, setup};
use skillhall::hall::{Config, Hall, Receipt, Refused, RolePlan, Silent, TokenPlan};
use skillhall_core::clock::SystemClock;
use skillhall_core::govern::call::{Call, Caller, Input};
use skillhall_core::govern::config::Env;
use skillhall_core::id::Namespace;
use skillhall_core::ledger::Record;
use skillhall_core::ledger::read::Filter;
use skillhall_core::package::Package;
use skillhall_core::registry::access::Role;
use skillhall_core::registry::token::TokenText;
use tempfile::TempDir;

use crate::clock::ShiftedClock;
use crate::files::copy_folder;
use crate::skills;

/// A text that the real skill masks, and what it makes of it.
pub const TEXT: &str = "Write to ada@example.org.";

/// A hall in a temporary folder that is removed with it.
pub struct World {
    folder: TempDir,
    /// The clock of every hall that is opened here.
    pub clock: Arc<ShiftedClock>,
}

/// A hall in which the real skill is attested, certified, published and installed; others are copied from it.
static READY: LazyLock<World> = LazyLock::new(|| {
    let world = World::bare();
    install(&world.open(), &skills::redact());
    world
});

impl World {
    /// A hall in which nothing has happened yet.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn bare() -> Self {
        let world = Self::empty();
        setup(&world.home(), &plan(), &SystemClock).expect("a hall is made");
        world
    }

    /// A hall in which the real skill can be run.
    #[must_use]
    pub fn ready() -> Self {
        let world = Self::empty();
        copy_folder(&READY.home(), &world.home());
        world
    }

    fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("skillhall-test-").tempdir().expect("a temporary folder is made");
        Self { folder, clock: Arc::default() }
    }

    /// The hall's folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("hall")
    }

    /// A folder beside the hall for whatever a test needs.
    #[must_use]
    pub fn desk(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the hall under the world's clock and without a policy gate.
    ///
    /// # Panics
    /// If it does not open.
    #[must_use]
    pub fn open(&self) -> Hall {
        Hall::open(self.config()).expect("the hall opens")
    }

    /// How the hall is opened under the world's clock: compiling in this process, since a test's `main` is not its own.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::at(self.home()).clock(self.clock.clone()).compile_in_process()
    }
}

/// The plan of every hall here.
///
/// # Panics
/// Never.
#[must_use]
pub fn plan() -> Plan {
    Plan {
        organisation: "acme".parse().expect("a name"),
        owner: "ada".into(),
        env: Env::Dev,
        namespaces: vec!["org.skillhall".parse().expect("a namespace")],
        attest_env_namespace: None,
    }
}

/// Attests, certifies, publishes and installs a package; gives the attested package.
///
/// # Panics
/// If any of it is refused.
pub fn install(hall: &Hall, package: &Package) -> Arc<Package> {
    let (attested, _) = hall.attest(package, "test").expect("it is attested");
    let attested = Arc::new(attested);
    if attested.manifest().policy_tier == 0 {
        hall.certify(&attested, 365).expect("it is certified");
    } else {
        certify_apart(hall, &attested);
    }
    hall.publish(&attested).expect("it is published");
    hall.install(&attested, &mut Silent).expect("it is installed");
    attested
}

/// As [`install`], certified by somebody else than who publishes it, whatever its tier.
///
/// # Panics
/// If any of it is refused.
pub fn install_apart(hall: &Hall, package: &Package) -> Arc<Package> {
    let attested = Arc::new(hall.attest(package, "test").expect("it is attested").0);
    certify_apart(hall, &attested);
    hall.publish(&attested).expect("it is published");
    hall.install(&attested, &mut Silent).expect("it is installed");
    attested
}

/// Has a package certified by another person of the hall's organisation, cleo, by a token of hers.
///
/// # Panics
/// If any of it is refused.
pub fn certify_apart(hall: &Hall, package: &Arc<Package>) {
    let token = token_of(hall, "cleo", Role::Certifier, &package.manifest().namespace);
    let config = Config::at(hall.folder().path()).compile_in_process().token(&token);
    Hall::open(config).expect("the hall opens").certify(package, 365).expect("it is certified");
}

/// A token of somebody of the hall's organisation, who is given the role that it is for.
///
/// # Panics
/// If any of it is refused.
#[must_use]
pub fn token_of(hall: &Hall, holder: &str, role: Role, namespace: &Namespace) -> TokenText {
    let organisation = hall.config().hall.organisation.clone();
    let plan = RolePlan { organisation: organisation.clone(), holder: holder.into(), role, namespace: None };
    hall.grant_role(&plan).expect("the role is given");
    let plan = TokenPlan { roles: [role].into(), ..TokenPlan::worker(organisation, holder, [namespace.clone()]) };
    hall.issue_token(&plan).expect("the token is issued").text
}

/// A call of the real skill.
///
/// # Panics
/// If the text is no JSON.
#[must_use]
pub fn call(skill: &str, input: &str) -> Call {
    let input = Input::parse(input.as_bytes()).expect("the input is JSON");
    Call::new(skill.parse().expect("a skill in a version"), input).correlation_id("e2e")
}

/// The call that every ready hall lets pass.
#[must_use]
pub fn good_call() -> Call {
    call(skills::REDACT, &format!("{{\"text\": \"{TEXT}\"}}"))
}

/// Runs a call as the hall's owner.
///
/// # Errors
/// [`Refused::Denied`] if it is denied, [`Refused::Fault`] if the host fails.
pub fn run(hall: &Hall, call: Call) -> Result<Receipt, Refused> {
    run_as(hall, call, hall.caller().expect("the owner is known"))
}

/// Runs a call.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// If there is no runtime.
pub fn run_as(hall: &Hall, call: Call, caller: Option<Caller>) -> Result<Receipt, Refused> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let receipt = runtime.block_on(hall.execute_for(caller, call))?;
    match receipt.denial() {
        Some(denial) => Err(Refused::Denied { denial: denial.clone(), record: receipt.record() }),
        None => Ok(receipt),
    }
}

/// The ledger's records from this sequence on.
///
/// # Panics
/// If the ledger cannot be read.
#[must_use]
pub fn records_from(hall: &Hall, sequence: u64) -> Vec<Record> {
    let mut records = hall.records(&Filter::default()).expect("the ledger is read");
    records.retain(|record| record.sequence >= sequence);
    records
}

/// How many records the ledger has.
#[must_use]
pub fn size(hall: &Hall) -> u64 {
    records_from(hall, 0).last().map_or(0, |record| record.sequence + 1)
}
