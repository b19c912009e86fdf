//! What a decision is taken from, beside the policy and the registry's standing: it is recorded with the decision, so that the
//! decision can be taken again ([`replay`](super::replay)).

use serde::{Deserialize, Serialize};

use crate::capability::Asks;
use crate::digest::Digest;
use crate::id::{CapabilityId, KeyId, ToolName};
use crate::package::{Effect, Manifest};
use crate::registry::standing::Standing;
use crate::trust::verify::VerifiedPackage;

use super::call::Call;
use super::wcp::gate::PolicyGate;

/// What a decision is taken from, as it stands in the record; no input is among it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// WCP capability ids that the skill provides.
    pub provides: Vec<CapabilityId>,
    /// What the tool does to the world.
    pub effects: Vec<Effect>,
    /// The powers that the skill asks for.
    pub asks: Asks,
    /// The policy tiers that others than the host's configuration ask for.
    pub tiers: Tiers,
    /// Who is asked on this host where a rule requires a policy gate: [`PolicyGate::names`].
    pub gates: Vec<String>,
}

/// Policy tiers, each 0 to 8. The highest of these and of the host's own counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    /// What the manifest asks for.
    pub manifest: u8,
    /// What the certification asks for.
    pub certification: u8,
    /// The floor of the namespace, in the registry.
    pub namespace: u8,
}

/// What was before gate 5 when it was reached: of which bytes, and by what they are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// By what the call is judged.
    pub basis: Basis,
    /// The keys that attested and certified the package.
    pub keys: Vec<KeyId>,
    /// The tool, if the call names one that is there or there is only one.
    pub tool: Option<ToolName>,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// SHA-256 of the component.
    pub component: Digest,
    /// WCP's package hash.
    pub package: Digest,
}

impl Considered {
    pub(super) fn of(standing: &Standing, package: &VerifiedPackage, call: &Call, gate: Option<&dyn PolicyGate>) -> Self {
        let manifest = package.package().manifest();
        let tool = named(manifest, call);
        let basis = Basis {
            provides: manifest.provides.clone(),
            effects: tool.and_then(|tool| manifest.tools.get(tool)).map(|tool| tool.effects.clone()).unwrap_or_default(),
            asks: manifest.capabilities.clone(),
            tiers: Tiers {
                manifest: manifest.policy_tier,
                certification: package.certification().policy_tier,
                namespace: standing.namespace().map_or(0, |record| record.min_tier),
            },
            gates: gate.map(PolicyGate::names).unwrap_or_default(),
        };
        Self {
            basis,
            keys: package.keys_used().into_iter().cloned().collect(),
            tool: tool.cloned(),
            manifest: package.package().manifest_hash(),
            component: manifest.component.sha256,
            package: package.package_hash(),
        }
    }
}

/// The tool that was named, or the only one. Gate 8 says what is wrong if there is none.
fn named<'a>(manifest: &'a Manifest, call: &'a Call) -> Option<&'a ToolName> {
    match &call.tool {
        Some(tool) => manifest.tools.get_key_value(tool).map(|(name, _)| name),
        None => manifest.tools.keys().next().filter(|_| manifest.tools.len() == 1),
    }
}
