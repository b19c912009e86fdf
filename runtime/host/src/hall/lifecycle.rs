//! A package's way into a hall: attest, certify, publish, install, and the look of verify. Each leaves its record, or does
//! not happen.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial, Stage};
use skillhall_core::digest::Digest;
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{KeyId, SkillRef};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::package::{Package, adapters, build};
use skillhall_core::random;
use skillhall_core::registry::access::Identity;
use skillhall_core::registry::standing::{consult, in_force, marks_verdict};
use skillhall_core::registry::{Change, Published, Registry, StandingQuery, Statement, StatementKind, Target};
use skillhall_core::trust::certify::{self, Certification, CheckResult};
use skillhall_core::trust::keys::{KeySource as _, KeyState, Purpose};
use skillhall_core::trust::{AttestationFacts, Form, attested, awp};

use super::packages::Installed;
use super::records::refused;
use super::registry::unreachable;
use super::{Fault, Hall, Observer, Refused, Step};
use crate::engine::{Limits, PrepareError};

/// A certification that was given.
#[derive(Clone, Debug, Serialize)]
pub struct Certified {
    /// The statement's id.
    pub id: String,
    /// The skill.
    pub skill: SkillRef,
    /// Its manifest hash.
    pub manifest_hash: Digest,
    /// Every check and its result.
    pub checks: Vec<CheckResult>,
    /// The certifier's key.
    pub certifier: KeyId,
    /// From when on it counts no longer.
    pub expires_at: Timestamp,
    /// The ledger's sequence of the record.
    pub record: u64,
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Hall {
    /// Attests a package with every usable key of its namespace that is at hand, in both forms where both are.
    ///
    /// # Errors
    /// `ATTEST_SIGNATURE_MISSING` if no key is at hand, `ATTEST_NAMESPACE_INVALID` if the namespace is not this hall's own.
    pub fn attest(&self, package: &Package, builder: &str) -> Result<(Package, Vec<KeyId>), Refused> {
        self.attest_recorded(package, builder).map(|(package, keys, _)| (package, keys))
    }

    /// As [`attest`](Self::attest), with the ledger's sequence of the record.
    ///
    /// # Errors
    /// As [`attest`](Self::attest).
    pub fn attest_recorded(&self, package: &Package, builder: &str) -> Result<(Package, Vec<KeyId>, u64), Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.about(EventKind::SkillAttest, package, now);
        self.attempt(&event, |event| {
            self.may(Action::Attest, Some(&package.manifest().namespace))?;
            let signers = self.signers(&package.manifest().namespace, now)?;
            let attested = signers.attest(package, builder, now)?;
            let used = signers.ids();
            let event = event.with("keys", used.iter().map(KeyId::as_str).collect::<Vec<_>>());
            let record = self.note(event)?;
            Ok((attested, used, record))
        })
    }

    /// Checks a package and certifies it, for a number of days.
    ///
    /// # Errors
    /// `DENY_CERTIFICATION_REFUSED` if a check fails (the record names it), `DENY_DUTY_SEPARATION` if in a policy tier above 0 the
    /// certifier has published or attested these bytes, the codes of authority, and the codes of gate 3.
    pub fn certify(&self, package: &Arc<Package>, days: u32) -> Result<Certified, Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.about(EventKind::SkillCertify, package, now);
        self.attempt(&event, |event| {
            let by = self.may(Action::Certify, Some(&package.manifest().namespace))?.identity();
            let registry = self.registry()?;
            let checks = self.checks(package, registry, now)?;
            let event = event.with("checks", json!(checks));
            if let Some(failed) = checks.iter().find(|check| !check.ok) {
                let message = format!("the check '{}' failed: {}", failed.name, failed.message);
                return Err(Denial::new(Code::CertificationRefused, message).detail("checks", json!(checks)).into());
            }
            self.certifies_no_own(package, &by, registry, now)?;
            let keyring = self.keys.keyring().map_err(Fault::from)?;
            let record = keyring.certifiers.iter().rfind(|key| key.state(now) == KeyState::Valid);
            let record = record.ok_or_else(|| {
                Denial::new(Code::CertificationRefused, "this hall has no certifier's key that is valid now")
                    .advise("Make one: `hall keys new --purpose certify`.")
            })?;
            let key = self.keys.signing_key(record, Purpose::Certify).map_err(Fault::from)?;
            let id = random::uuid().map_err(Fault::from)?;
            let expires_at = now.plus_millis(i64::from(days).saturating_mul(DAY_MS));
            let certification = Certification {
                id: id.clone(),
                checks: checks.clone(),
                policy_tier: package.manifest().policy_tier,
                issued_at: now,
                expires_at,
                certifier: record.id.clone(),
            };
            let body = certify::sign(package, certification, &key)?;
            let statement = Statement {
                id: id.clone(),
                kind: StatementKind::Certification,
                manifest_hash: package.manifest_hash(),
                signer: record.id.clone(),
                body: String::from_utf8(body).map_err(|_| Fault::Configuration("a certification that is no text".into()))?,
                by: Some(by),
                at: now,
            };
            let event =
                event.with("certification", id.as_str()).with("signer", record.id.as_str()).with("expires_at", json!(expires_at));
            let sequence = self.change(event, &Change::Statement(statement))?;
            let manifest = package.manifest();
            Ok(Certified {
                id,
                skill: manifest.reference(),
                manifest_hash: package.manifest_hash(),
                checks,
                certifier: record.id.clone(),
                expires_at,
                record: sequence,
            })
        })
    }

    /// What a certifier looks at.
    fn checks(&self, package: &Package, registry: &dyn Registry, now: Timestamp) -> Result<Vec<CheckResult>, Refused> {
        let mut checks: Vec<CheckResult> = build::recheck(package)
            .into_iter()
            .map(|check| CheckResult { name: check.name, ok: check.ok, message: check.message })
            .collect();
        let attested = attested(package, &*self.source, now, self.is_local());
        checks.push(CheckResult {
            name: "attested".into(),
            ok: attested.is_ok(),
            message: attested.err().map_or_else(|| "the attestation holds".into(), |denial| denial.to_string()),
        });
        let manifest = package.manifest();
        let hashes = [package.manifest_hash(), manifest.component.sha256, awp::hash_of_package(package)];
        let mut bad = None;
        for hash in hashes {
            let events = registry.standing_events(&Target::Hash(hash)).map_err(|error| unreachable(&error))?;
            if !in_force(&events).is_empty() {
                bad = Some(hash);
            }
        }
        checks.push(CheckResult {
            name: "no-banned-hash".into(),
            ok: bad.is_none(),
            message: bad.map_or_else(|| "no hash is on the ban list".into(), |hash| format!("{hash} is banned")),
        });
        Ok(checks)
    }

    /// Publishes a package: its row enters the registry for good, and its attestations beside it.
    ///
    /// # Errors
    /// `DENY_ADAPTER_MALFORMED` if an adapter is not the one that skill.json gives, `DENY_VERSION_IMMUTABLE` if the version is
    /// published with other bytes, `DENY_NAMESPACE_UNAUTHORIZED` if the namespace is not the caller's, `DENY_DUTY_SEPARATION` if in
    /// a policy tier above 0 the caller has certified these bytes, the codes of authority, and the codes of gate 3.
    pub fn publish(&self, package: &Arc<Package>) -> Result<(Published, u64), Refused> {
        let now = self.now()?;
        let event = self.about(EventKind::SkillPublish, package, now);
        self.attempt(&event, |event| {
            let manifest = package.manifest();
            let caller = self.may(Action::Publish, Some(&manifest.namespace))?;
            let registry = self.registry()?;
            self.owns_namespace(registry, &caller, &manifest.namespace)?;
            adapters::verify(package).map_err(|error| error.denial())?;
            let attested = attested(package, &*self.source, now, self.is_local())?;
            let attester = self.publishes_no_certified(package, &caller.identity(), registry, &attested)?;
            let published = Published {
                skill: manifest.reference(),
                manifest_hash: package.manifest_hash(),
                component_hash: manifest.component.sha256,
                package_hash: awp::hash_of_package(package),
                adapters: manifest.adapters.clone(),
                provides: manifest.provides.clone(),
                publisher: caller.organisation.clone(),
                by: Some(caller.identity()),
                published_at: now,
            };
            let event = event
                .with("package_hash", published.package_hash.to_string())
                .with("adapters", json!(published.adapters))
                .with("attestation", json!(attested))
                .with("status", "active");
            let change = Change::Publish(published.clone());
            // What is published is at hand from then on; what would be refused leaves nothing.
            registry.check(&change).map_err(refused)?;
            self.shelve(package)?;
            let sequence = self.change(event, &change)?;
            self.enter_attestations(package, &attested, Some(&attester), now)?;
            Ok((published, sequence))
        })
    }

    /// Enters attestations that were found good beside the version's row, and who gave them; nobody, where published bytes are only
    /// attested anew. Those that stand there already stay as they are, with the time of then.
    pub(super) fn enter_attestations(
        &self,
        package: &Package,
        facts: &AttestationFacts,
        by: Option<&Identity>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let known = self.registry()?.statements(&package.manifest_hash()).map_err(|error| unreachable(&error))?;
        let is_new = |statement: &Statement| known.iter().all(|known| known.id != statement.id);
        for statement in statements(package, facts, by, now).into_iter().filter(is_new) {
            let event = self.about(EventKind::SkillAttest, package, now).with("signer", statement.signer.as_str());
            self.change(event, &Change::Statement(statement))?;
        }
        Ok(())
    }

    /// Installs a published package on this host: keeps its files and compiles it.
    ///
    /// # Errors
    /// `DENY_ADAPTER_MALFORMED` if an adapter is not the one that skill.json gives, `DENY_SKILL_UNKNOWN` if it is not published, `ATTEST_HASH_MISMATCH` if it is published with other bytes, the codes of
    /// gates 3 and 5, `DENY_POWERS_INCREASED` if it asks for more than the newest installed version, and
    /// `ATTEST_PACKAGE_LAYOUT` if the engine does not accept the component.
    pub fn install(&self, package: &Arc<Package>, observer: &mut dyn Observer) -> Result<Installed, Refused> {
        self.install_accepting(package, None, observer)
    }

    /// As [`install`](Self::install), where exactly the difference in powers with this digest was accepted.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub fn install_accepting(
        &self,
        package: &Arc<Package>,
        accepted: Option<Digest>,
        observer: &mut dyn Observer,
    ) -> Result<Installed, Refused> {
        self.install_recorded(package, accepted, observer).map(|(installed, _)| installed)
    }

    /// As [`install_accepting`](Self::install_accepting), with the ledger's sequence of the record.
    pub(super) fn install_recorded(
        &self,
        package: &Arc<Package>,
        accepted: Option<Digest>,
        observer: &mut dyn Observer,
    ) -> Result<(Installed, u64), Refused> {
        let now = self.now()?;
        let event = self.about(EventKind::SkillInstall, package, now);
        self.attempt(&event, |event| {
            let caller = self.may(Action::Install, Some(&package.manifest().namespace))?;
            // What can be seen from the package alone is seen first, whoever published it.
            adapters::verify(package).map_err(|error| error.denial())?;
            let manifest = package.manifest();
            let query = StandingQuery {
                skill: manifest.reference(),
                organisation: caller.organisation.clone(),
                host: self.host.host.clone(),
                adapter: caller.adapter.clone(),
                approval: None,
                token: None,
            };
            let standing = consult(self.registry()?, query)?;
            let published = standing.published();
            if published.manifest_hash != package.manifest_hash() {
                let message = format!("{} is published with other bytes than these", published.skill);
                return Err(Denial::new(Code::HashMismatch, message)
                    .detail("expected_hash", published.manifest_hash.to_string())
                    .detail("computed_hash", package.manifest_hash().to_string())
                    .into());
            }
            let attested = attested(package, &*self.source, now, self.is_local())?;
            marks_verdict(&standing, &attested.keys())?;
            let event = self.check_powers(package, accepted, event)?;
            let component = package.component();
            let fuel = Limits::resolve(&manifest.limits, &self.maximum).fuel.is_some();
            self.engines
                .prepare(&component, manifest.component.sha256, fuel, &mut |event| observer.step(Step::Code(&event)))
                .map_err(not_compiled)?;
            self.keep(package)?;
            let record = self.note(event)?;
            Ok((Installed { skill: manifest.reference(), manifest_hash: package.manifest_hash() }, record))
        })
    }

    /// Gates 1 to 5 on a package that is held: what `hall verify` shows.
    ///
    /// # Errors
    /// The denial of the first gate that fails; it is recorded.
    pub fn verify(&self, package: &Arc<Package>, observer: &mut dyn Observer) -> Result<(), Refused> {
        let now = self.now()?;
        let event = self.about(EventKind::SkillVerify, package, now);
        self.attempt(&event, |event| {
            let caller = self.may(Action::Look, None)?;
            let mut since = std::time::Instant::now();
            let mut passed = |gate: Stage| {
                observer.step(Step::Passed { gate, took: since.elapsed() });
                since = std::time::Instant::now();
            };
            let query = StandingQuery {
                skill: package.manifest().reference(),
                organisation: caller.organisation.clone(),
                host: self.host.host.clone(),
                adapter: caller.adapter.clone(),
                approval: None,
                token: None,
            };
            let standing = consult(self.registry()?, query)?;
            passed(Stage::Registry);
            let verified = self.verify_package(package.clone(), &standing, now, &mut passed)?;
            marks_verdict(&standing, &verified.keys_used())?;
            passed(Stage::Standing);
            self.note(event)?;
            Ok(())
        })
    }
}

/// A package whose component cannot be compiled is refused; that the host could not try is its own trouble.
fn not_compiled(error: PrepareError) -> Refused {
    let denial = Denial::new(Code::PackageLayout, format!("the component cannot be compiled: {error}"));
    match error {
        PrepareError::Fault(fault) => Fault::from(fault).into(),
        PrepareError::Exceeded(_) => denial
            .advise("Ask its author for a component that takes less. If you trust it, raise limits.compile_time_ms or limits.compile_memory_bytes in hall.toml and enrol the host as it is then: hall worker enroll.")
            .into(),
        _ => denial.into(),
    }
}

/// The attestations of a package that were found good, as statements beside its row.
fn statements(package: &Package, facts: &AttestationFacts, by: Option<&Identity>, at: Timestamp) -> Vec<Statement> {
    [(&facts.hmac, package.awp_manifest()), (&facts.ed25519, package.dsse_envelope())]
        .into_iter()
        .filter_map(|(form, body)| {
            let Form::Verified { key } = form else { return None };
            let body = String::from_utf8(body?.to_vec()).ok()?;
            Some(Statement {
                id: Digest::of(body.as_bytes()).to_string(),
                kind: StatementKind::Attestation,
                manifest_hash: package.manifest_hash(),
                signer: key.clone(),
                body,
                by: by.cloned(),
                at,
            })
        })
        .collect()
}
