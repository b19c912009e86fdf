//! What a skill declares, what its component imports and what this host grants, side by side.

use serde_json::{Value, json};
use skillhall_core::capability::{Declared, Policy, narrow};
use skillhall_core::package::manifest::Manifest;

use crate::printer::{bad, dim, good, shown};

/// One thing that is asked for.
struct Power {
    declared: Declared,
    /// Whether this host grants it; `None` where there is no host to ask.
    granted: Option<bool>,
}

/// Everything that a skill asks for.
pub(super) struct Powers {
    list: Vec<Power>,
    /// The command that would grant what is missing, where a command could.
    grant: Option<String>,
}

impl Powers {
    /// `policy` is what the host grants the skill; `None` if there is no host.
    pub(super) fn of(manifest: &Manifest, policy: Option<&Policy>) -> Self {
        let asks = &manifest.capabilities;
        let denial = policy.and_then(|policy| narrow(asks, policy).err());
        let missing: Vec<String> = denial
            .as_ref()
            .and_then(|denial| denial.details.get("all")?.as_array())
            .into_iter()
            .flatten()
            .filter_map(|line| Some(line.as_str()?.to_owned()))
            .collect();
        let list = asks
            .declared(&manifest.component.imports)
            .into_iter()
            .map(|declared| {
                let line = format!("{}: {}", declared.capability, declared.ask);
                Power { granted: policy.map(|_| !missing.contains(&line)), declared }
            })
            .collect();
        let flags = denial.as_ref().and_then(|denial| denial.details.get("grant")?.as_str());
        Self { list, grant: flags.map(|flags| format!("hall grant {} {flags}", manifest.id())) }
    }

    pub(super) fn to_json(&self) -> Value {
        let of = |power: &Power| {
            let Declared { capability, ask, imported } = &power.declared;
            json!({ "capability": capability, "ask": ask, "imported": imported, "granted": power.granted })
        };
        self.list.iter().map(of).collect()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        if self.list.is_empty() {
            return vec!["  asks for: nothing beyond the bounded base".into()];
        }
        let width = self.list.iter().map(|power| name(&power.declared).chars().count()).max().unwrap_or_default();
        let mut lines = vec!["  asks for:".to_owned()];
        for Power { declared, granted } in &self.list {
            let imported = if declared.imported { "imported    " } else { "not imported" };
            let granted = match granted {
                Some(true) => good("granted here"),
                Some(false) => bad("not granted here"),
                None => dim("no hall to ask"),
            };
            let name = name(declared);
            lines.push(format!(
                "    {name}{:padding$}  {imported}  {granted}",
                "",
                padding = width.saturating_sub(name.chars().count())
            ));
        }
        if self.list.iter().any(|power| !power.declared.imported) {
            lines.push(dim("    what is declared and not imported is never used: take it out of skill.toml"));
        }
        lines.extend(self.grant.iter().map(|command| dim(&format!("    what is missing: {command}"))));
        lines
    }
}

fn name(declared: &Declared) -> String {
    shown(&format!("{}: {}", declared.capability, declared.ask))
}
