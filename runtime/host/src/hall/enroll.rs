//! The enrolment of this host: what it is now, and what has changed since it was enrolled last.

use serde::Serialize;
use serde_json::{Map, Value};
use skillhall_core::clock::Timestamp;
use skillhall_core::digest::Digest;
use skillhall_core::govern::authority::Action;
use skillhall_core::id::HostId;
use skillhall_core::ledger::event::{Event, EventKind};
use skillhall_core::ledger::read::Filter;
use skillhall_core::registry::{Change, HostRecord};

use super::folder::CONFIG;
use super::{Fault, Hall, PolicyTexts, Refused};

/// An enrolment, and what it changed.
#[derive(Clone, Debug, Serialize)]
pub struct Enrolled {
    /// The host.
    pub host: HostId,
    /// The ledger's sequence of the record.
    pub record: u64,
    /// The enrolment before this one, if the ledger has one.
    pub last: Option<LastEnrolment>,
    /// What is not as it was then; nothing, if nothing has changed.
    pub changes: Vec<Difference>,
}

/// The enrolment that was in force.
#[derive(Clone, Debug, Serialize)]
pub struct LastEnrolment {
    /// The ledger's sequence of its record.
    pub record: u64,
    /// When it was made.
    pub time: Timestamp,
}

/// A part of the host that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which part: `executable`, `configuration`, or a file of the configuration by its name.
    pub part: String,
    /// What it was: a SHA-256 digest; `None` if it was not there or not recorded.
    pub before: Option<String>,
    /// What it is; `None` if it is not there any more.
    pub now: Option<String>,
}

impl Hall {
    /// Enrols this host as it is now: its executable and its configuration. The record says of which files that is.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`, `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`; [`Fault::Configuration`] if hall.toml or
    /// the rules were changed since this hall was opened.
    pub fn enroll(&self) -> Result<Enrolled, Refused> {
        let event = self.event(EventKind::WorkerEnroll, self.now()?);
        self.attempt(&event, |event| {
            self.may(Action::Enroll, None)?;
            let _lock = self.lock_policy()?;
            let texts = self.policy_texts()?;
            if self.keep_policy(&texts)? != self.host.configuration {
                return Err(Fault::Configuration(
                    "hall.toml, the rules or the policies were changed just now; enrol again".into(),
                )
                .into());
            }
            let record = HostRecord {
                host: self.host.host.clone(),
                executable: self.host.executable,
                configuration: self.host.configuration,
                revoked: false,
            };
            let event = with_parts(event, &self.config.policy.rules, &texts);
            let last = self.last_enrolment()?;
            let changes = last.as_ref().map(|(_, last)| differences(last, &event, &record)).unwrap_or_default();
            let last = last.map(|(record, event)| LastEnrolment { record, time: event.time });
            let record = self.change(event, &Change::Host(record))?;
            Ok(Enrolled { host: self.host.host.clone(), record, last, changes })
        })
    }

    /// The last record by which this host was enrolled.
    fn last_enrolment(&self) -> Result<Option<(u64, Event)>, Fault> {
        let own = |event: &Event| matches!(&event.change, Some(Change::Host(record)) if record.host == self.host.host);
        let mut last = None;
        // A change of grants enrols the host, too.
        for kind in [EventKind::WorkerEnroll, EventKind::PolicyGrant] {
            let records = self.records(&Filter { kind: Some(kind), ..Filter::default() })?;
            let found = records.into_iter().rev().find(|record| own(&record.event)).map(|record| (record.sequence, record.event));
            last = last.into_iter().chain(found).max_by_key(|(sequence, _)| *sequence);
        }
        Ok(last)
    }
}

/// The event of an enrolment with the runtime's version and the digest of each file of the configuration.
pub(super) fn with_parts(event: Event, rules_name: &str, texts: &PolicyTexts) -> Event {
    let policies = texts.policies.iter().map(|policy| (policy.name.as_str(), policy.text.as_str()));
    let files = [(CONFIG, texts.config.as_str()), (rules_name, texts.rules.as_str())].into_iter().chain(policies);
    let files: Map<String, Value> =
        files.map(|(name, text)| (name.to_owned(), Digest::of(text.as_bytes()).to_string().into())).collect();
    event.with("files", files).with("runtime", env!("CARGO_PKG_VERSION"))
}

fn differences(last: &Event, event: &Event, record: &HostRecord) -> Vec<Difference> {
    let Some(Change::Host(before)) = &last.change else { return Vec::new() };
    let differs = |part: &str, before: Option<String>, now: Option<String>| {
        (before != now).then(|| Difference { part: part.to_owned(), before, now })
    };
    let executable = differs("executable", Some(before.executable.to_string()), Some(record.executable.to_string()));
    let configuration = differs("configuration", Some(before.configuration.to_string()), Some(record.configuration.to_string()));
    let (then, now) = (files(last), files(event));
    // An old record may not say of which files the configuration was.
    let parts = then.iter().filter(|_| configuration.is_some()).flat_map(|then| {
        let names: std::collections::BTreeSet<&String> = then.keys().chain(now.iter().flat_map(|now| now.keys())).collect();
        let digest = |files: Option<&Map<String, Value>>, name: &str| files?.get(name)?.as_str().map(str::to_owned);
        names.into_iter().filter_map(move |name| differs(name, digest(Some(then), name), digest(now, name))).collect::<Vec<_>>()
    });
    let parts: Vec<Difference> = parts.collect();
    executable.into_iter().chain(configuration).chain(parts).collect()
}

fn files(event: &Event) -> Option<&Map<String, Value>> {
    event.data.get("files")?.as_object()
}
