//! From what is asked to what is granted: only ever less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::import::PowerClass;
use super::{Ask as _, Asks, files, http, list};
use crate::denial::{Code, Denial};

/// What a host's policy (hall.toml) grants one skill. The default grants nothing beyond the bounded base.
///
/// It is a closed table: what this host cannot grant has no name here, so that a hall.toml that names it is refused when it
/// is read instead of being quietly less than it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Folders of the host, by the skill's mount.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub files: Vec<files::Grant>,
    /// Origins that it may send requests to.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub http: Vec<http::Grant>,
}

impl Policy {
    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each grant as one line for people, such as `files: /in (read) is /srv/data`.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        lines(&self.files, &self.http)
    }
}

/// How a power is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Linked, and always refuses or reads as nothing.
    Empty,
    /// Linked, and reaches what was granted.
    Granted,
}

/// The powers that one call is given beyond the bounded base. Only [`narrow()`] makes it.
#[derive(Debug)]
pub struct Grants {
    links: BTreeMap<PowerClass, Link>,
    files: Vec<files::Grant>,
    http: Vec<http::Grant>,
}

impl Grants {
    /// How to link a power; `None` is: not at all, so that a component which imports it cannot be instantiated.
    #[must_use]
    pub fn links(&self, class: PowerClass) -> Option<Link> {
        self.links.get(&class).copied()
    }

    /// The folders that the guest sees, with no more rights than it asked for.
    #[must_use]
    pub fn files(&self) -> &[files::Grant] {
        &self.files
    }

    /// The requests that it may send: methods and paths as it asked for them.
    #[must_use]
    pub fn http(&self) -> &[http::Grant] {
        &self.http
    }

    /// Each grant as one line for people and receipts, such as `files: empty`.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let empty = self.links.iter().filter(|(_, link)| **link == Link::Empty);
        empty.map(|(class, _)| format!("{}: empty", class.as_str())).chain(lines(&self.files, &self.http)).collect()
    }
}

fn lines(files: &[files::Grant], http: &[http::Grant]) -> Vec<String> {
    let files = files.iter().map(|grant| format!("files: {}", grant.line()));
    files.chain(http.iter().map(|grant| format!("http: {}", grant.line()))).collect()
}

/// What the policy has instead of what is asked.
pub(super) enum Unmet {
    /// Nothing under that name.
    Nothing,
    /// Something, and less than is asked.
    Narrower(String),
}

/// An ask that the policy does not meet.
struct Missing {
    capability: &'static str,
    asked: String,
    instead: Option<String>,
    /// How `hall grant` would spell it; `None` where this host has nothing of the kind to grant.
    flag: Option<String>,
}

/// Gate 9: what of the asks this host's policy grants. All of it, or the call is denied.
///
/// # Errors
/// [`Code::CapabilityNotGranted`] if anything is asked that the policy does not grant in full, or if the asks do not hold
/// together. Details: `capability` and `asked` (the first), `all` (each as a line), and `grant` (what to add to
/// `hall grant NAMESPACE/NAME`, where this host could grant it).
pub fn narrow(asks: &Asks, policy: &Policy) -> Result<Grants, Denial> {
    asks.validate().map_err(|error| Denial::new(Code::CapabilityNotGranted, error.to_string()))?;
    let mut missing = Vec::new();
    let mut links: BTreeMap<PowerClass, Link> = asks.empty().into_iter().map(|class| (class, Link::Empty)).collect();
    let files = each(asks.files.entries(), |ask| ask.narrow(&policy.files), files::Ask::flag, &mut missing);
    let http = each(asks.http.entries(), |ask| ask.narrow(&policy.http), http::Ask::flag, &mut missing);
    let grantable = ["files", "http"];
    let beyond = asks.real().into_iter().filter(|(capability, _)| !grantable.contains(capability));
    missing.extend(beyond.map(|(capability, asked)| Missing { capability, asked, instead: None, flag: None }));
    if let Some(first) = missing.first() {
        return Err(denial(first, &missing));
    }
    if !files.is_empty() {
        links.insert(PowerClass::Files, Link::Granted);
    }
    if !http.is_empty() {
        links.insert(PowerClass::Http, Link::Granted);
    }
    Ok(Grants { links, files, http })
}

fn each<A: super::Ask, G>(
    asks: &[A],
    narrow: impl Fn(&A) -> Result<G, Unmet>,
    flag: impl Fn(&A) -> String,
    missing: &mut Vec<Missing>,
) -> Vec<G> {
    let mut granted = Vec::new();
    for ask in asks {
        match narrow(ask) {
            Ok(grant) => granted.push(grant),
            Err(unmet) => {
                let instead = match unmet {
                    Unmet::Nothing => None,
                    Unmet::Narrower(line) => Some(line),
                };
                missing.push(Missing { capability: A::CAPABILITY, asked: ask.line(), instead, flag: Some(flag(ask)) });
            }
        }
    }
    granted
}

fn denial(first: &Missing, missing: &[Missing]) -> Denial {
    let all: Vec<Value> = missing.iter().map(|ask| format!("{}: {}", ask.capability, ask.asked).into()).collect();
    let more = match all.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let Missing { capability, asked, instead, .. } = first;
    let grants = match instead {
        None => "grants nothing of the kind".to_owned(),
        Some(less) => format!("grants less: {less}"),
    };
    let message = format!("the skill asks for {capability}: {asked}{more}, and this host's policy {grants}");
    let denial = Denial::new(Code::CapabilityNotGranted, message)
        .detail("capability", *capability)
        .detail("asked", asked.as_str())
        .detail("all", all);
    let flags: Option<Vec<&str>> = missing.iter().map(|ask| ask.flag.as_deref()).collect();
    if let Some(flags) = flags {
        let flags = flags.join(" ");
        let hint = format!("If it should have {capability}, its operator grants it: hall grant NAMESPACE/NAME {flags}");
        return denial.detail("grant", flags).advise(hint);
    }
    let beyond = missing.iter().find(|ask| ask.flag.is_none()).map_or(*capability, |ask| ask.capability);
    denial.advise(format!("This host grants nothing under {beyond}. Use a skill that does without, or a host that can grant it."))
}
