//! Which skill does what is asked for, if what is asked for is a capability and not a skill.

use std::collections::BTreeMap;

use serde_json::json;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::{DataLabel, QosClass, TenantRisk};
use skillhall_core::govern::wcp::Request;
use skillhall_core::id::{CapabilityId, SkillId};
use skillhall_core::registry::Published;

use super::{Hall, Refused, Resolved, Versions};

/// What is asked for, and under which circumstances: what WCP's rules match by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What has to be provided.
    pub capability: CapabilityId,
    /// How sensitive the data is.
    pub data_label: DataLabel,
    /// How risky the tenant is.
    pub tenant_risk: TenantRisk,
    /// How urgent it is.
    pub qos_class: QosClass,
}

impl Wanted {
    /// A capability, for public data and a tenant of low risk, not urgent: as [`Call::new`](skillhall_core::govern::call::Call::new).
    #[must_use]
    pub fn of(capability: CapabilityId) -> Self {
        Self { capability, data_label: DataLabel::Public, tenant_risk: TenantRisk::Low, qos_class: QosClass::P2 }
    }
}

impl Hall {
    /// The installed skill that provides a capability: of the candidates of the rule that matches, in their order, the first that
    /// is installed, provides it, and would pass gates 1 to 5 now. Nothing is chosen by chance: if a candidate means several, or no
    /// candidate means any of several, the call is denied until one is named or ranked.
    ///
    /// This grants nothing: the call that is then made goes through every gate, with
    /// [`Call::capability`](skillhall_core::govern::call::Call::capability) set.
    ///
    /// # Errors
    /// `DENY_NO_AVAILABLE_WORKER` if there is none, or more than one and no order among them; `DENY_REGISTRY_UNREACHABLE`.
    pub fn route(&self, wanted: &Wanted) -> Result<Resolved, Denial> {
        let (mut able, mut passed_over) = (Vec::new(), Vec::new());
        for published in self.newest_that_provide(&wanted.capability)? {
            match self.would_pass(&published)? {
                Ok(()) => able.push(published),
                Err(denial) => passed_over.push(json!({ "skill": published.skill, "code": denial.code })),
            }
        }
        let found = match self.ranked(wanted, &able).as_slice() {
            [one] => *one,
            several => {
                let names: Vec<String> = several.iter().map(|published| published.skill.to_string()).collect();
                return Err(nobody(&wanted.capability, &names).detail("passed_over", passed_over));
            }
        };
        Ok(Resolved {
            requested: wanted.capability.to_string(),
            skill: found.skill.clone(),
            manifest_hash: found.manifest_hash,
            installed: true,
        })
    }

    /// The newest installed version of each skill, if it provides the capability.
    fn newest_that_provide(&self, capability: &CapabilityId) -> Result<Vec<Published>, Denial> {
        let mut newest = self.newest_installed()?;
        newest.retain(|published| published.provides.contains(capability));
        Ok(newest)
    }

    /// The newest installed version of each skill, by the skills' names.
    pub(super) fn newest_installed(&self) -> Result<Vec<Published>, Denial> {
        let mut skills: BTreeMap<SkillId, Vec<Published>> = BTreeMap::new();
        for published in self.all_published()? {
            if self.is_present(&published) {
                skills.entry(published.skill.id.clone()).or_default().push(published);
            }
        }
        Ok(skills.values().filter_map(|versions| Versions::Newest.best(versions.iter())).cloned().collect())
    }

    fn would_pass(&self, published: &Published) -> Result<Result<(), Denial>, Denial> {
        let package = match self.package(published) {
            Ok(package) => package.into(),
            Err(denial) => return Ok(Err(denial)),
        };
        match self.passes(&package, &published.skill) {
            Ok(judged) => Ok(judged.map(drop)),
            Err(Refused::Denied { denial, .. }) => Err(denial),
            Err(Refused::Fault(fault)) => Err(Denial::new(Code::InternalError, fault.to_string())),
        }
    }

    /// Those that the first candidate means which means any; all, if none does.
    fn ranked<'a>(&self, wanted: &Wanted, able: &'a [Published]) -> Vec<&'a Published> {
        let hall = &self.config.hall;
        let (capability, organisation) = (wanted.capability.to_string(), hall.organisation.as_str().to_owned());
        let (label, risk, class) = (wanted.data_label, wanted.tenant_risk, wanted.qos_class);
        let request = Request::new(capability, hall.env, label, risk, class, organisation, String::new());
        let candidates = self.rules.first_match(&request).map(|rule| rule.candidates.as_slice()).unwrap_or_default();
        let present = self.config.controls_present();
        let served = candidates.iter().filter(|candidate| candidate.requires_controls_minimum.is_subset(&present));
        let meant = served.map(|candidate| -> Vec<&Published> {
            able.iter().filter(|published| candidate.means(&published.skill.id.worker_species_id())).collect()
        });
        let mut meant = meant.filter(|meant| !meant.is_empty());
        meant.next().unwrap_or_else(|| able.iter().collect())
    }
}

fn nobody(capability: &CapabilityId, several: &[String]) -> Denial {
    if several.is_empty() {
        return Denial::new(Code::NoAvailableWorker, format!("no installed skill that may run provides {capability}"))
            .detail("capability", capability.as_str())
            .advise(format!(
                "`hall search {capability}` shows which published skills do, and `hall list` how the installed stand."
            ));
    }
    Denial::new(
        Code::NoAvailableWorker,
        format!("{} provide {capability}, and no rule says which comes first", several.join(" and ")),
    )
    .detail("capability", capability.as_str())
    .detail("skills", several)
    .advise("Name the skill in place of the capability, or rank them as candidate_workers_ranked in the rule of rules.json.")
}
