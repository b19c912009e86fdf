//! From what is asked to what is granted: only ever less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Asks;
use super::import::PowerClass;
use crate::denial::{Code, Denial};

/// What a host's policy (hall.toml) grants one skill. The default grants nothing beyond the bounded base.
///
/// It is a closed table: this host links no power that reaches outside, so there is nothing that a policy could grant, and a
/// hall.toml that names a grant is refused when it is read instead of being quietly less than it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {}

/// How a power is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Linked, and always refuses or reads as nothing.
    Empty,
}

/// The powers that one call is given beyond the bounded base. Only [`narrow()`] makes it.
#[derive(Debug)]
pub struct Grants {
    links: BTreeMap<PowerClass, Link>,
}

impl Grants {
    /// How to link a power; `None` is: not at all, so that a component which imports it cannot be instantiated.
    #[must_use]
    pub fn links(&self, class: PowerClass) -> Option<Link> {
        self.links.get(&class).copied()
    }

    /// Each grant as one line for people and receipts, such as `files: empty`.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        self.links
            .iter()
            .map(|(class, link)| match link {
                Link::Empty => format!("{}: empty", class.as_str()),
            })
            .collect()
    }
}

/// Gate 9: what of the asks this host's policy grants. All of it, or the call is denied.
///
/// # Errors
/// [`Code::CapabilityNotGranted`] if anything is asked that reaches beyond the base and the empty powers, or if the asks do
/// not hold together. Details: `capability` and `asked` (the first), `all` (each as a line).
pub fn narrow(asks: &Asks, policy: &Policy) -> Result<Grants, Denial> {
    asks.validate().map_err(|error| Denial::new(Code::CapabilityNotGranted, error.to_string()))?;
    let Policy {} = policy;
    let real = asks.real();
    if let Some((capability, asked)) = real.first() {
        let all: Vec<Value> = real.iter().map(|(capability, asked)| format!("{capability}: {asked}").into()).collect();
        let more = match all.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        return Err(Denial::new(
            Code::CapabilityNotGranted,
            format!("the skill asks for {capability}: {asked}{more}, and this host's policy grants nothing of the kind"),
        )
        .detail("capability", *capability)
        .detail("asked", asked.as_str())
        .detail("all", all)
        .advise(format!(
            "This host's policy grants nothing under {capability}: it runs skills that need only the bounded base. Use a skill that does \
             without, or a host that can grant it."
        )));
    }
    Ok(Grants { links: asks.empty().into_iter().map(|class| (class, Link::Empty)).collect() })
}
