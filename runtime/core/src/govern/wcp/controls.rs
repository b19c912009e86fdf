//! Controls: what a host has in place, and what each policy tier requires.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a control, such as `ctrl.obs.audit-log-append-only`.
///
/// WCP's own texts write some ids with hyphens and the same ones with underscores; both are one control here. The id is
/// shown as it was first written.
#[derive(Clone, Debug)]
pub struct ControlId {
    text: String,
    key: String,
}

/// A text is no control id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no control id: ctrl. followed by a letter or digit and then a-z, 0-9, '.', '-' and '_', at most 128 in all")]
pub struct ControlIdError(String);

impl ControlId {
    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ControlId {
    type Err = ControlIdError;

    fn from_str(text: &str) -> Result<Self, ControlIdError> {
        let fits = |rest: &str| {
            rest.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
        };
        if text.len() > 128 || !text.strip_prefix("ctrl.").is_some_and(fits) {
            return Err(ControlIdError(super::request::shown(text)));
        }
        Ok(Self { text: text.to_owned(), key: text.replace('-', "_") })
    }
}

impl PartialEq for ControlId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ControlId {}

impl PartialOrd for ControlId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ControlId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl Hash for ControlId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ControlId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ControlId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The ids as texts, sorted, each once: the order in which WCP shows them.
pub(super) fn sorted<'a>(controls: impl IntoIterator<Item = &'a ControlId>) -> Vec<String> {
    let mut texts: Vec<String> = controls.into_iter().map(|control| control.text.clone()).collect();
    texts.sort();
    texts
}

/// The control under which a rule asks for the blast score in every environment.
pub const BLAST_RADIUS_SCORING: &str = "ctrl.blast-radius-scoring";
/// The control under which a rule asks for the privilege envelope.
pub const PRIVILEGE_ENVELOPES_REQUIRED: &str = "ctrl.privilege-envelopes-required";

/// Whether the set holds the control with this id, in either spelling.
pub(super) fn holds(controls: &BTreeSet<ControlId>, id: &str) -> bool {
    controls.iter().any(|control| is_same(control.as_str(), id))
}

/// Whether two texts are one control: a hyphen and an underscore are the same.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(one, other)| plain(one) == plain(other))
}

/// Controls that this runtime has by construction, each with what makes it so. A host has these and those its
/// configuration names.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("ctrl.sandbox.resource-limits-strict", "every execution runs under limits of time, memory, output and host calls"),
    ("ctrl.sandbox.no-privileged-containers", "a guest is a WebAssembly component; there is no privileged mode to run it in"),
    ("ctrl.sandbox.secrets-denied-by-default", "a guest sees no environment and no secret unless one is granted"),
    ("ctrl.sandbox.no-egress-default-deny", "nothing of the network is linked unless an origin is granted"),
    ("ctrl.sandbox.readonly-rootfs", "a guest has no root file system"),
    ("ctrl.sandbox.workspace-mounts-only", "nothing is mounted but what is granted"),
    ("ctrl.sandbox.path-allowlists", "a path outside a granted mount cannot be named"),
    ("ctrl.obs.structured-logging", "every event is one JSON line with correlation id and tenant"),
    ("ctrl.obs.audit-log-append-only", "the ledger is append-only and its checkpoints are signed"),
    ("ctrl.obs.run-metadata-store", "the ledger keeps hashes, times, resources and version of every execution"),
    ("ctrl.pol.default-deny", "what no rule matches is denied"),
    ("ctrl.pol.audit-policy-decisions", "every decision is durable before anything runs"),
    ("ctrl.os.worker-registry", "a skill the registry does not know is denied"),
    ("ctrl.os.routing-rules", "rules are ordered, the first match counts"),
    ("ctrl.os.end-to-end-correlation", "the correlation id stands in every event"),
    ("ctrl.os.global-kill-switches", "bans and revocations are asked for at every execution"),
    ("ctrl.os.provenance-requirements", "a package without attestation and certification is denied"),
    (BLAST_RADIUS_SCORING, "this room computes and judges the score"),
    (PRIVILEGE_ENVELOPES_REQUIRED, "this room judges the envelope where it is required"),
];

/// The [`BUILT_IN`] controls as ids.
#[must_use]
pub fn built_in() -> BTreeSet<ControlId> {
    BUILT_IN.iter().filter_map(|(id, _)| id.parse().ok()).collect()
}

/// The highest policy tier.
pub const MAX_TIER: u8 = 8;

/// What each policy tier (0 to 8) requires. A tier requires what every lower one requires, so more scrutiny never means
/// fewer controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierControls(BTreeMap<u8, BTreeSet<ControlId>>);

/// A table names a tier that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no policy tier; tiers go from 0 to 8")]
pub struct TierError(u8);

impl TierControls {
    /// A table of one's own: what each tier requires beyond the lower ones.
    ///
    /// # Errors
    /// If it names a tier above [`MAX_TIER`].
    pub fn new(table: BTreeMap<u8, BTreeSet<ControlId>>) -> Result<Self, TierError> {
        match table.keys().find(|tier| **tier > MAX_TIER) {
            Some(tier) => Err(TierError(*tier)),
            None => Ok(Self(table)),
        }
    }

    /// Everything that a tier requires. A number above [`MAX_TIER`] requires what the highest tier does.
    #[must_use]
    pub fn required(&self, tier: u8) -> BTreeSet<ControlId> {
        self.0.range(..=tier.min(MAX_TIER)).flat_map(|(_, controls)| controls.iter().cloned()).collect()
    }

    /// The lowest tier up to this one that requires a control.
    #[must_use]
    pub fn first_tier(&self, control: &ControlId, tier: u8) -> Option<u8> {
        self.0.range(..=tier.min(MAX_TIER)).find(|(_, controls)| controls.contains(control)).map(|(tier, _)| *tier)
    }
}

impl Default for TierControls {
    /// The table of `docs/wcp.md`: WCP's catalogue says for which risk tiers (low, medium, high, critical) a control is
    /// required; low begins at tier 1, medium at 3, high (and critical, which requires the same) at 5. Left out are the
    /// catalogue's controls about what this runtime does not have: queues, idempotency stores, model budgets, rollouts.
    fn default() -> Self {
        let tiers: [(u8, &[&str]); 3] = [(1, LOW), (3, MEDIUM), (5, HIGH)];
        Self(tiers.into_iter().map(|(tier, ids)| (tier, ids.iter().filter_map(|id| id.parse().ok()).collect())).collect())
    }
}

const LOW: &[&str] = &[
    "ctrl.sandbox.resource-limits-strict",
    "ctrl.sandbox.no-privileged-containers",
    "ctrl.sandbox.secrets-denied-by-default",
    "ctrl.obs.structured-logging",
    "ctrl.os.worker-registry",
];

const MEDIUM: &[&str] = &[
    "ctrl.sandbox.no-egress-default-deny",
    "ctrl.sandbox.readonly-rootfs",
    "ctrl.sandbox.workspace-mounts-only",
    "ctrl.sandbox.flight-recorder",
    "ctrl.sandbox.path-allowlists",
    "ctrl.obs.metrics-core",
    "ctrl.obs.tracing-distributed",
    "ctrl.obs.audit-log-append-only",
    "ctrl.obs.run-metadata-store",
    "ctrl.obs.slo-alerting",
    "ctrl.pol.policy-engine-runtime",
    "ctrl.pol.audit-policy-decisions",
    "ctrl.pol.policy-versioning",
    "ctrl.os.routing-rules",
    "ctrl.os.end-to-end-correlation",
    "ctrl.os.global-kill-switches",
    "ctrl.os.budget-and-cost-enforcement",
    PRIVILEGE_ENVELOPES_REQUIRED,
];

const HIGH: &[&str] = &[
    "ctrl.sandbox.syscall-filtering",
    "ctrl.obs.flight-recorder-bundle",
    "ctrl.pol.default-deny",
    "ctrl.os.policy-gate-every-step",
    "ctrl.os.provenance-requirements",
    BLAST_RADIUS_SCORING,
];
