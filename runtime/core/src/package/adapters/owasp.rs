//! OWASP's Universal Skill Format, version 1.0 (Agentic Skills Top 10, universal-skill-format). The format is YAML; this is its JSON
//! form, which every reader of YAML 1.2 takes.
//!
//! `content_hash` is the component's. There is no `signature`: the package's own attestation covers this file, and is made after it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Facts, Fault, envelope};
use crate::capability::{Asked, Asks, files, http};
use crate::json;
use crate::package::manifest::Effect;

const REQUIRED: [&str; 6] = ["name", "version", "description", "permissions", "risk_tier", "content_hash"];
const KNOWN: [&str; 9] =
    ["name", "version", "description", "permissions", "risk_tier", "content_hash", "platforms", "author", "requires"];
const TIERS: [&str; 4] = ["L0", "L1", "L2", "L3"];
/// What an agent reads as its own mind, as the format names them.
const IDENTITY_FILES: [&str; 3] = ["SOUL.md", "MEMORY.md", "AGENTS.md"];

pub(super) fn make(facts: &Facts<'_>) -> Result<Vec<u8>, Fault> {
    let asks = facts.capabilities;
    let author = if facts.authors.is_empty() { facts.skill.id.namespace.to_string() } else { facts.authors.join(", ") };
    envelope::bytes(&json!({
        "name": facts.skill.id.name,
        "version": facts.skill.version.to_string(),
        "description": facts.summary,
        "platforms": ["skillhall"],
        "author": { "name": author },
        "permissions": permissions(asks),
        "requires": { "binaries": ["hall"] },
        "risk_tier": TIERS.get(risk(facts)),
        "content_hash": facts.component(),
    }))
}

pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    let file = json::parse(bytes).map_err(|error| Fault::new("", format!("it is no JSON: {error}")))?;
    let file = envelope::object(&file, "")?;
    envelope::members(file, "", &REQUIRED, &KNOWN)?;
    envelope::text(file, "name")?;
    envelope::text(file, "description")?;
    if crate::id::parse_version(envelope::text(file, "version")?).is_none() {
        return Err(Fault::new("/version", "it is a semantic version"));
    }
    if !TIERS.contains(&envelope::text(file, "risk_tier")?) {
        return Err(Fault::new("/risk_tier", "it is one of L0, L1, L2, L3"));
    }
    envelope::is_digest(file.get("content_hash"), "/content_hash")?;
    permitted(file.get("permissions").unwrap_or(&Value::Null))
}

fn permissions(asks: &Asks) -> Value {
    let mounts = |written: bool| -> Vec<&str> {
        let entries = asks.files.entries().iter().filter(|ask| !written || ask.access == files::Access::Write);
        entries.map(|ask| ask.mount.as_str()).collect()
    };
    let addresses = asks.sockets.entries().iter().map(|ask| ask.address.to_string());
    let hosts: BTreeSet<String> = asks.http.entries().iter().map(|ask| host(&ask.origin).to_owned()).chain(addresses).collect();
    let skills: Vec<String> = asks.tools.iter().map(|ask| ask.skill.to_string()).collect();
    // Inside a folder that may be written no file is withheld, so nothing can be promised there.
    let withheld: &[&str] = if mounts(true).is_empty() { &IDENTITY_FILES } else { &[] };
    json!({
        "files": { "read": mounts(false), "write": mounts(true), "deny_write": withheld },
        "network": { "allow": hosts, "deny": "*" },
        "shell": false,
        "tools": skills,
    })
}

/// The host of an origin, without scheme and port.
fn host(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
}

/// The tier that capabilities and effects give together: 0 safe, 1 low, 2 elevated, 3 destructive.
fn risk(facts: &Facts<'_>) -> usize {
    use http::Method::{Get, Head, Options};
    let asks = facts.capabilities;
    let effects: BTreeSet<Effect> = facts.tools.values().flat_map(|tool| tool.effects.iter().copied()).collect();
    let writes = asks.files.entries().iter().any(|ask| ask.access == files::Access::Write);
    let sends = asks.http.entries().iter().any(|ask| !ask.methods.iter().all(|method| matches!(method, Get | Head | Options)));
    if writes || sends || matches!(asks.sockets, Asked::List(_)) || !asks.tools.is_empty() || effects.contains(&Effect::Write) {
        return 3;
    }
    let keeps = !asks.keyvalue.is_empty() || !asks.secrets.is_empty();
    if keeps || !asks.http.entries().is_empty() || effects.contains(&Effect::External) {
        return 2;
    }
    let reads = !asks.files.entries().is_empty() || !asks.env.is_empty() || !asks.config.is_empty();
    usize::from(reads || effects.contains(&Effect::Read))
}

fn permitted(permissions: &Value) -> Result<(), Fault> {
    let members = ["files", "network", "shell", "tools"];
    let permissions = envelope::object(permissions, "/permissions")?;
    envelope::members(permissions, "/permissions", &members, &members)?;
    let part = |name: &str, members: &[&str]| -> Result<Map<String, Value>, Fault> {
        let at = format!("/permissions/{name}");
        let part = envelope::object(permissions.get(name).unwrap_or(&Value::Null), &at)?;
        envelope::members(part, &at, members, members)?;
        Ok(part.clone())
    };
    let files = part("files", &["read", "write", "deny_write"])?;
    let network = part("network", &["allow", "deny"])?;
    if network.get("deny").and_then(Value::as_str) != Some("*") {
        return Err(Fault::new("/permissions/network/deny", "it is \"*\": what is not allowed is denied"));
    }
    if permissions.get("shell") != Some(&Value::Bool(false)) {
        return Err(Fault::new("/permissions/shell", "it is false: a skill has no shell"));
    }
    let lists = files.iter().map(|(name, list)| (format!("files/{name}"), list));
    let lists = lists.chain(network.get("allow").map(|list| ("network/allow".to_owned(), list)));
    let lists = lists.chain(permissions.get("tools").map(|list| ("tools".to_owned(), list)));
    for (name, list) in lists {
        let explicit = |entry: &Value| entry.as_str().is_some_and(|text| !text.is_empty() && !text.contains('*'));
        if !list.as_array().is_some_and(|list| list.iter().all(explicit)) {
            return Err(Fault::new(
                format!("/permissions/{name}"),
                "it is a list of texts that name each thing, without wildcards",
            ));
        }
    }
    Ok(())
}
