//! Privilege envelopes: what a worker says it needs, and whether this host permits it (WCP 6, `privilege_envelope`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::callables::EnvelopeRuling;
use super::object::Object;
use super::request::{DataLabel, Env};

/// The host's policy on envelopes: the destinations that workers on RESTRICTED data may reach in prod and edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvelopePolicy {
    /// Destinations by environment; an environment that is not named permits none.
    pub egress: BTreeMap<Env, BTreeSet<String>>,
}

impl EnvelopePolicy {
    /// Judges a worker's declared envelope. One that is not declared or cannot be read is refused.
    #[must_use]
    pub fn judge(&self, env: Env, data_label: DataLabel, declared: Option<&Value>) -> EnvelopeRuling {
        let Some(declared) = declared else {
            return EnvelopeRuling::Refused("envelope_undeclared".to_owned());
        };
        let Ok(Object(envelope)) = Object::<Envelope>::deserialize(declared) else {
            return EnvelopeRuling::Refused("envelope_malformed".to_owned());
        };
        if env.is_production() && data_label == DataLabel::Restricted {
            let permitted = self.egress.get(&env);
            let outside = envelope.destinations().find(|to| !permitted.is_some_and(|permitted| permitted.contains(*to)));
            if let Some(destination) = outside {
                return EnvelopeRuling::Refused(format!("egress_not_allowlisted:{}", super::request::shown(destination)));
            }
        }
        EnvelopeRuling::Permitted("envelope_within_policy".to_owned())
    }
}

/// An envelope as worker records write it. Both of the reference's spellings of egress count.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(default)]
    network_egress: Option<NetworkEgress>,
    #[serde(default)]
    egress: Option<Object<Egress>>,
    #[serde(default, rename = "secrets_access")]
    _secrets_access: Vec<String>,
    #[serde(default, rename = "filesystem_writes")]
    _filesystem_writes: Vec<String>,
    #[serde(default, rename = "tools")]
    _tools: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NetworkEgress {
    /// `none`, or a word such as `any`, which then has to be permitted like a destination.
    Word(String),
    Destinations(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Egress {
    #[serde(default)]
    allowlist: Vec<String>,
}

impl Envelope {
    fn destinations(&self) -> impl Iterator<Item = &String> {
        let network: &[String] = match &self.network_egress {
            None => &[],
            Some(NetworkEgress::Word(word)) if word == "none" => &[],
            Some(NetworkEgress::Word(word)) => std::slice::from_ref(word),
            Some(NetworkEgress::Destinations(list)) => list,
        };
        network.iter().chain(self.egress.iter().flat_map(|egress| &egress.0.allowlist))
    }
}
