//! Taking a namespace among a development hall's own: its keys, its place in hall.toml and its record in the registry, all
//! as `hall setup` makes them.

use serde_json::json;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::edit;
use skillhall_core::id::Namespace;
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::Change;

use super::registry::unreachable;
use super::setup::{namespace_keys, namespace_record};
use super::{Fault, Hall, PolicyTexts, Refused};

impl Hall {
    /// Makes a namespace that nobody owns here one of this hall's own. Only in a hall whose `env` is `dev`. This hall goes on
    /// with the configuration that it was opened with, so open it anew.
    ///
    /// # Errors
    /// `ATTEST_NAMESPACE_INVALID` if the hall is not `dev` or its keyring has another's keys for the namespace,
    /// `DENY_NAMESPACE_UNAUTHORIZED` if another organisation owns it, and as [`grant`](Self::grant).
    pub fn adopt(&self, namespace: &Namespace) -> Result<u64, Refused> {
        let event = self.event(EventKind::NamespaceRegister, self.now()?).with("namespace", namespace.as_str());
        self.attempt(&event, |event| {
            let caller = self.owner()?;
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
