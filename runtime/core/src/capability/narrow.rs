//! From what is asked to what is granted: only ever less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::import::PowerClass;
use super::list::{Ask, line};
use super::{Asks, clocks, config, env, files, http, keyvalue, list, secrets, sockets, tools};
use crate::denial::{Code, Denial};
use crate::id::{OrgId, SkillId};

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
    /// Addresses that it may open sockets to.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub sockets: Vec<sockets::Grant>,
    /// Environment variables with their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub env: Vec<env::Grant>,
    /// Secrets that the host puts into its requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub secrets: Vec<secrets::Grant>,
    /// Configuration values.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub config: Vec<config::Grant>,
    /// Stores, and how much they may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub keyvalue: Vec<keyvalue::Grant>,
    /// Other skills that it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub tools: Vec<tools::Grant>,
    /// How fine its clocks may be; absent is coarse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<clocks::Ask>,
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
        let Self { files, http, sockets, env, secrets, config, keyvalue, tools, clocks } = self;
        let sockets = sockets.iter().map(line);
        lines(files, http, env, secrets, config, keyvalue, tools, *clocks).into_iter().chain(sockets).collect()
    }
}

/// An ask that a policy can meet. Each power that a host can grant has this shape.
pub(super) trait Meet: Ask {
    /// What a policy says about it.
    type Grant: Ask;

    /// What of the policy meets the ask, no wider than the ask.
    fn narrow(&self, grants: &[Self::Grant]) -> Result<Self::Grant, Unmet>;

    /// How `hall grant` spells what is asked; what is the operator's to name stands in capitals.
    fn flag(&self) -> String;
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
    assets: bool,
    http: Vec<http::Grant>,
    sockets: Vec<sockets::Grant>,
    env: Vec<env::Grant>,
    secrets: Vec<secrets::Grant>,
    config: Vec<config::Grant>,
    keyvalue: Vec<keyvalue::Grant>,
    tools: Vec<tools::Grant>,
    clocks: clocks::Ask,
    holder: Option<Holder>,
}

/// For whom something is kept: no guest has a say in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The organisation whose call it is.
    pub organisation: OrgId,
    /// The skill that is called.
    pub skill: SkillId,
}

impl Grants {
    /// Says for whom they are; whoever says it first has said it.
    #[must_use]
    pub fn held_by(mut self, organisation: &OrgId, skill: &SkillId) -> Self {
        let holder = || Holder { organisation: organisation.clone(), skill: skill.clone() };
        self.holder.get_or_insert_with(holder);
        self
    }

    /// For whom they are. Grants that are for nobody reach nothing that is kept for somebody.
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// How to link a power; `None` is: not at all, so that a component which imports it cannot be instantiated.
    #[must_use]
    pub fn links(&self, class: PowerClass) -> Option<Link> {
        self.links.get(&class).copied()
    }

    /// Whether the guest reads its package's own assets. They reach nothing outside the package, so no policy is asked.
    #[must_use]
    pub fn assets(&self) -> bool {
        self.assets
    }

    /// Whether the guest sees any folder, its own assets among them.
    #[must_use]
    pub fn has_folders(&self) -> bool {
        self.assets || !self.files.is_empty()
    }

    /// The folders of the host that the guest sees, with no more rights than it asked for.
    #[must_use]
    pub fn files(&self) -> &[files::Grant] {
        &self.files
    }

    /// The requests that it may send: methods and paths as it asked for them.
    #[must_use]
    pub fn http(&self) -> &[http::Grant] {
        &self.http
    }

    /// The addresses that it may open sockets to.
    #[must_use]
    pub fn sockets(&self) -> &[sockets::Grant] {
        &self.sockets
    }

    /// The environment that the guest has.
    #[must_use]
    pub fn env(&self) -> &[env::Grant] {
        &self.env
    }

    /// The secrets that go into its requests, or that it may see.
    #[must_use]
    pub fn secrets(&self) -> &[secrets::Grant] {
        &self.secrets
    }

    /// The configuration values that it can read.
    #[must_use]
    pub fn config(&self) -> &[config::Grant] {
        &self.config
    }

    /// The stores that it can use.
    #[must_use]
    pub fn keyvalue(&self) -> &[keyvalue::Grant] {
        &self.keyvalue
    }

    /// The skills that it can call.
    #[must_use]
    pub fn tools(&self) -> &[tools::Grant] {
        &self.tools
    }

    /// How fine its clocks are.
    #[must_use]
    pub fn clocks(&self) -> clocks::Ask {
        self.clocks
    }

    /// Each grant as one line for people and receipts, such as `files: empty`. Values are not told: a receipt goes further
    /// than a policy.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let Self { links, files, assets, http, sockets, env, secrets, config, keyvalue, tools, clocks, holder: _ } = self;
        let empty = links.iter().filter(|(_, link)| **link == Link::Empty);
        let empty = empty.map(|(class, _)| format!("{}: empty", class.as_str()));
        let precise = (*clocks == clocks::Ask::Precise).then_some(*clocks);
        let sockets = sockets.iter().map(line);
        let assets = assets.then(|| format!("{}: {} (read) is the package's own", files::Ask::CAPABILITY, files::ASSETS));
        empty.chain(assets).chain(lines(files, http, env, secrets, config, keyvalue, tools, precise)).chain(sockets).collect()
    }
}

#[expect(clippy::too_many_arguments, reason = "one for each power: none can be forgotten")]
fn lines(
    files: &[files::Grant],
    http: &[http::Grant],
    env: &[env::Grant],
    secrets: &[secrets::Grant],
    config: &[config::Grant],
    keyvalue: &[keyvalue::Grant],
    tools: &[tools::Grant],
    clocks: Option<clocks::Ask>,
) -> Vec<String> {
    let lists = files.iter().map(line).chain(http.iter().map(line)).chain(env.iter().map(line)).chain(secrets.iter().map(line));
    let lists = lists.chain(config.iter().map(line)).chain(keyvalue.iter().map(line)).chain(tools.iter().map(line));
    lists.chain(clocks.iter().map(line)).collect()
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
/// together. Details: `capability` and `asked` (the first), `all` (each that is missing, as a line), `granted` (each ask that is met,
/// as a line, if any is), and `grant` (what to add to
/// `hall grant NAMESPACE/NAME`, where this host could grant it).
pub fn narrow(asks: &Asks, policy: &Policy) -> Result<Grants, Denial> {
    asks.validate().map_err(|error| Denial::new(Code::CapabilityNotGranted, error.to_string()))?;
    let mut missing = Vec::new();
    let mut links: BTreeMap<PowerClass, Link> = asks.empty().into_iter().map(|class| (class, Link::Empty)).collect();
    let (assets, folders): (Vec<_>, Vec<_>) = asks.files.entries().iter().cloned().partition(files::Ask::is_of_the_package);
    let assets = !assets.is_empty();
    let files = each(&folders, &policy.files, &mut missing);
    let http = each(asks.http.entries(), &policy.http, &mut missing);
    let sockets = each(asks.sockets.entries(), &policy.sockets, &mut missing);
    let env = each(&asks.env, &policy.env, &mut missing);
    let secrets = each(&asks.secrets, &policy.secrets, &mut missing);
    let config = each(&asks.config, &policy.config, &mut missing);
    let keyvalue = each(&asks.keyvalue, &policy.keyvalue, &mut missing);
    let tools = each(&asks.tools, &policy.tools, &mut missing);
    let clocks = each(asks.clocks.as_slice(), policy.clocks.as_slice(), &mut missing);
    let beyond = asks.real().into_iter().filter(|(capability, _)| !GRANTABLE.contains(capability));
    missing.extend(beyond.map(|(capability, asked)| Missing { capability, asked, instead: None, flag: None }));
    if let Some(first) = missing.first() {
        return Err(denial(first, &missing, &met(asks, &missing)));
    }
    let revealed = secrets.iter().any(|grant| grant.reveal);
    for (class, granted) in [
        (PowerClass::Files, assets || !files.is_empty()),
        (PowerClass::Http, !http.is_empty()),
        (PowerClass::Sockets, !sockets.is_empty()),
        (PowerClass::Secrets, revealed),
        (PowerClass::Config, !config.is_empty()),
        (PowerClass::Keyvalue, !keyvalue.is_empty()),
        (PowerClass::Tools, !tools.is_empty()),
    ] {
        if granted {
            links.insert(class, Link::Granted);
        }
    }
    let clocks = clocks.first().copied().unwrap_or(clocks::Ask::Coarse);
    Ok(Grants { links, files, assets, http, sockets, env, secrets, config, keyvalue, tools, clocks, holder: None })
}

/// The capabilities that a host can grant; each has [`Meet`].
const GRANTABLE: [&str; 9] = [
    files::Ask::CAPABILITY,
    http::Ask::CAPABILITY,
    sockets::Ask::CAPABILITY,
    env::Ask::CAPABILITY,
    secrets::Ask::CAPABILITY,
    config::Ask::CAPABILITY,
    keyvalue::Ask::CAPABILITY,
    tools::Ask::CAPABILITY,
    clocks::Ask::CAPABILITY,
];

fn each<A: Meet>(asks: &[A], policy: &[A::Grant], missing: &mut Vec<Missing>) -> Vec<A::Grant> {
    let mut granted = Vec::new();
    for ask in asks {
        match ask.narrow(policy) {
            Ok(grant) => granted.push(grant),
            Err(unmet) => {
                let instead = match unmet {
                    Unmet::Nothing => None,
                    Unmet::Narrower(line) => Some(line),
                };
                missing.push(Missing { capability: A::CAPABILITY, asked: ask.line(), instead, flag: Some(ask.flag()) });
            }
        }
    }
    granted
}

/// What is asked and granted all the same, each as a line.
fn met(asks: &Asks, missing: &[Missing]) -> Vec<Value> {
    let is_missing =
        |capability: &str, asked: &String| missing.iter().any(|ask| ask.capability == capability && ask.asked == *asked);
    let met = asks.real().into_iter().filter(|(capability, asked)| !is_missing(capability, asked));
    met.map(|(capability, asked)| format!("{capability}: {asked}").into()).collect()
}

fn denial(first: &Missing, missing: &[Missing], met: &[Value]) -> Denial {
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
    let denial = if met.is_empty() { denial } else { denial.detail("granted", met) };
    let flags: Option<Vec<&str>> = missing.iter().map(|ask| ask.flag.as_deref()).collect();
    if let Some(flags) = flags {
        let flags = flags.join(" ");
        let hint = format!("If it should have {capability}, its operator grants it: hall grant NAMESPACE/NAME {flags}");
        return denial.detail("grant", flags).advise(hint);
    }
    let beyond = missing.iter().find(|ask| ask.flag.is_none()).map_or(*capability, |ask| ask.capability);
    denial.advise(format!("This host grants nothing under {beyond}. Use a skill that does without, or a host that can grant it."))
}
