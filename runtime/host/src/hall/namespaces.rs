//! Namespaces: registered for their owners, with who may call into them and their least tier; and taking one among a development
//! hall's own, with its keys, its place in hall.toml and its record in the registry, all as `hall setup` makes them.

use serde::Serialize;
use serde_json::json;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::{self, Action};
use skillhall_core::govern::edit;
use skillhall_core::id::{Namespace, OrgId};
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::registry::{Change, NamespaceRecord};

use super::registry::unreachable;
use super::setup::{namespace_keys, namespace_record};
use super::{Fault, Hall, PolicyTexts, Refused};

/// A namespace after a change.
#[derive(Clone, Debug, Serialize)]
pub struct NamespaceChanged {
    /// How it stands.
    #[serde(flatten)]
    pub namespace: NamespaceRecord,
    /// The ledger's sequence of the record; `None` if it stood so already.
    pub record: Option<u64>,
}

impl Hall {
    /// Registers a namespace for an organisation that owns it.
    ///
    /// # Errors
    /// `DENY_ROLE_MISSING` and the other codes of authority, `DENY_ORG_OFFBOARDED`; [`Fault::Known`] if it is registered, there is no
    /// such organisation, or the tier is none; `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn create_namespace(&self, namespace: &Namespace, owner: &OrgId, min_tier: u8) -> Result<NamespaceChanged, Refused> {
        let event = self.event(EventKind::NamespaceRegister, self.now()?);
        let event = event.with("namespace", namespace.as_str()).with("about", owner.as_str());
        self.attempt(&event, |event| {
            self.may(Action::Namespaces, None)?;
            if self.registry()?.namespace(namespace).map_err(|error| unreachable(&error))?.is_some() {
                let message = format!("the namespace {namespace} is registered already");
                return Err(known(message, format!("see how it stands: hall namespace show {namespace}")).into());
            }
            self.joins(owner)?;
            let record = NamespaceRecord { min_tier, ..namespace_record(namespace, owner) };
            self.keep_namespace(event, None, record)
        })
    }

    /// Sets the least policy tier of a namespace's skills.
    ///
    /// # Errors
    /// As [`create_namespace`](Self::create_namespace); [`Fault::Known`] if there is no such namespace.
    pub fn set_tier(&self, namespace: &Namespace, min_tier: u8) -> Result<NamespaceChanged, Refused> {
        let event = self.event(EventKind::NamespaceRegister, self.now()?);
        let event = event.with("namespace", namespace.as_str()).with("min_tier", min_tier);
        self.attempt(&event, |event| {
            self.may(Action::Namespaces, None)?;
            let stands = self.known_namespace(namespace)?;
            self.keep_namespace(event, Some(&stands), NamespaceRecord { min_tier, ..stands.clone() })
        })
    }

    /// Lets an organisation call into a namespace, or no longer. By a token: of a namespace of one's own organisation (an operator:
    /// of any). What runs for an organisation that is not let in any longer is stopped.
    ///
    /// # Errors
    /// As [`set_tier`](Self::set_tier).
    pub fn allow_caller(&self, namespace: &Namespace, organisation: &OrgId, allowed: bool) -> Result<NamespaceChanged, Refused> {
        let event = self.event(EventKind::NamespaceRegister, self.now()?).with("namespace", namespace.as_str());
        let event = event.with("about", organisation.as_str()).with("allowed", allowed);
        self.attempt(&event, |event| {
            let acting = self.acting(Action::Callers, Some(namespace))?;
            let stands = self.known_namespace(namespace)?;
            if acting.caller.organisation != stands.owner && !self.runs_the_hall(&acting) {
                self.owns_namespace(self.registry()?, &acting.caller, namespace)?;
            }
            let mut record = stands.clone();
            if !allowed {
                record.callers.retain(|caller| caller != organisation);
            } else if !record.callers.contains(organisation) {
                self.joins(organisation)?;
                record.callers.push(organisation.clone());
                record.callers.sort();
            }
            self.keep_namespace(event, Some(&stands), record)
        })
    }

    /// Every namespace, by name.
    ///
    /// # Errors
    /// The codes of authority; `DENY_REGISTRY_UNREACHABLE`.
    pub fn namespaces(&self) -> Result<Vec<NamespaceRecord>, Refused> {
        self.permits(Action::Look, None)?;
        Ok(self.registry()?.namespaces().map_err(|error| unreachable(&error))?)
    }

    /// One namespace.
    ///
    /// # Errors
    /// As [`namespaces`](Self::namespaces); [`Fault::Known`] if it is not registered.
    pub fn namespace(&self, namespace: &Namespace) -> Result<NamespaceRecord, Refused> {
        self.permits(Action::Look, None)?;
        self.known_namespace(namespace)
    }

    fn keep_namespace(
        &self,
        event: Event,
        stands: Option<&NamespaceRecord>,
        record: NamespaceRecord,
    ) -> Result<NamespaceChanged, Refused> {
        if record.min_tier > MAX_TIER {
            let message = format!("the policy tier {} is none", record.min_tier);
            return Err(known(message, format!("a policy tier is 0 to {MAX_TIER}")).into());
        }
        if stands == Some(&record) {
            return Ok(NamespaceChanged { namespace: record, record: None });
        }
        let sequence = self.change(event, &Change::Namespace(record.clone()))?;
        Ok(NamespaceChanged { namespace: record, record: Some(sequence) })
    }

    fn known_namespace(&self, namespace: &Namespace) -> Result<NamespaceRecord, Refused> {
        let found = self.registry()?.namespace(namespace).map_err(|error| unreachable(&error))?;
        Ok(found.ok_or_else(|| {
            known(format!("the registry knows no namespace {namespace}"), "see those that are there: hall namespace list".into())
        })?)
    }

    /// An organisation that may be named in a namespace's record.
    fn joins(&self, organisation: &OrgId) -> Result<(), Refused> {
        if self.registered(organisation)?.offboarded {
            return Err(authority::offboarded(organisation).into());
        }
        Ok(())
    }

    /// Makes a namespace that nobody owns here one of this hall's own. Only in a hall whose `env` is `dev`. This hall goes on
    /// with the configuration that it was opened with, so open it anew.
    ///
    /// # Errors
    /// `ATTEST_NAMESPACE_INVALID` if the hall is not `dev` or its keyring has another's keys for the namespace,
    /// `DENY_NAMESPACE_UNAUTHORIZED` if another organisation owns it, and as [`grant`](Self::grant).
    pub fn adopt(&self, namespace: &Namespace) -> Result<u64, Refused> {
        let event = self.event(EventKind::NamespaceRegister, self.now()?).with("namespace", namespace.as_str());
        self.attempt(&event, |event| {
            let caller = self.may(Action::Namespaces, None)?;
            if !self.is_local() {
                let message =
                    format!("the namespace {namespace} is not this hall's own, and only a dev hall takes one by itself");
                return Err(Denial::new(Code::NamespaceInvalid, message).detail("namespace", namespace.as_str()).into());
            }
            let registry = self.registry()?;
            let record = registry.namespace(namespace).map_err(|error| unreachable(&error))?;
            if record.as_ref().is_some_and(|record| record.owner != caller.organisation) {
                self.owns_namespace(registry, &caller, namespace)?;
            }
            let _lock = self.lock_policy()?;
            let old = self.policy_texts()?;
            self.must_be_enrolled(&old.digest())?;
            self.make_keys_of(namespace)?;
            let new = PolicyTexts { config: edit::with_namespace(&old.config, namespace).map_err(Fault::from)?, ..old.clone() };
            if new != old {
                let event =
                    self.event(EventKind::WorkerEnroll, self.now()?).with("reason", json!(format!("the namespace {namespace}")));
                self.put_in_force(event, &old, &new)?;
            }
            self.change(event, &Change::Namespace(namespace_record(namespace, &caller.organisation)))
        })
    }

    /// Makes the keys of a namespace, unless an earlier attempt has made them.
    fn make_keys_of(&self, namespace: &Namespace) -> Result<(), Refused> {
        let now = self.now()?.whole_seconds();
        let _lock = self.lock_keys()?;
        let mut keyring = self.keys.stored().map_err(Fault::from)?;
        if keyring.owns(namespace) {
            return Ok(());
        }
        if keyring.namespaces.contains_key(namespace) {
            // Whoever's keys these are, they count for a namespace that is not this hall's own.
            let message =
                format!("the keyring has another publisher's keys for {namespace}, so it does not become this hall's own");
            return Err(Denial::new(Code::NamespaceInvalid, message).detail("namespace", namespace.as_str()).into());
        }
        let own = namespace_keys(&self.keys, namespace, true, now)?;
        // Recorded before they count: a keyring never holds a key that the ledger does not know.
        for record in &own.keys {
            let key = serde_json::to_value(record).map_err(|error| Fault::Configuration(error.to_string()))?;
            self.note(self.event(EventKind::KeyAdd, now).with("key", key))?;
        }
        keyring.namespaces.insert(namespace.clone(), own);
        keyring.own.push(namespace.clone());
        self.keys.save(&keyring).map_err(Fault::from)?;
        Ok(())
    }
}

/// The highest policy tier.
const MAX_TIER: u8 = 8;

fn known(message: String, hint: String) -> Fault {
    Fault::Known { message, hint }
}
