//! What is published beyond what is installed: newer versions, and skills by words of their names and summaries.

use std::sync::Arc;

use serde::Serialize;
use skillhall_core::denial::Denial;
use skillhall_core::id::{CapabilityId, SkillId, SkillRef};
use skillhall_core::package::Package;
use skillhall_core::registry::Published;

use super::Hall;
use super::resolve::{Reference, Versions};

/// What an update of one skill could be.
#[derive(Clone, Debug)]
pub struct Update {
    /// The newest installed version.
    pub installed: SkillRef,
    /// The newest published version that is meant, if it is newer.
    pub newer: Option<SkillRef>,
    /// Its package, if it is kept here.
    pub package: Option<Arc<Package>>,
}

/// A skill that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The skill.
    pub skill: SkillId,
    /// Its newest published version.
    pub newest: SkillRef,
    /// Whether any version of it is installed.
    pub installed: bool,
    /// What it provides.
    pub provides: Vec<CapabilityId>,
    /// One line by its author, if its package is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

impl Hall {
    /// For each installed skill that is meant (`None`: all), what it could be updated to: the newest published version in the
    /// range, never a pre-release unless one is named. Nothing is installed.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`; for a skill that is named and of which nothing is installed, as [`resolve`](Self::resolve);
    /// the codes of gate 2 for a kept package that is whole no more.
    pub fn updates(&self, of: Option<&Reference>) -> Result<Vec<Update>, Denial> {
        let mut by_skill: Vec<(SkillId, Vec<Published>)> = Vec::new();
        for published in self.all_published()? {
            if of.is_some_and(|reference| reference.skill != published.skill.id) {
                continue;
            }
            match by_skill.last_mut() {
                Some((skill, versions)) if *skill == published.skill.id => versions.push(published),
                _ => by_skill.push((published.skill.id.clone(), vec![published])),
            }
        }
        let versions = of.map_or(&Versions::Newest, |reference| &reference.versions);
        let mut updates = Vec::new();
        for (_, published) in &by_skill {
            let Some(installed) = Versions::Newest.best(published.iter().filter(|published| self.is_present(published))) else {
                continue;
            };
            updates.push(self.update(installed, published, versions)?);
        }
        match of {
            Some(reference) if updates.is_empty() => {
                // Told as what it is: unknown, or published and not installed.
                self.resolve(reference)?;
                Err(Denial::new(
                    skillhall_core::denial::Code::NotInstalled,
                    format!("no version of {} is installed here", reference.skill),
                )
                .detail("skill", reference.skill.to_string())
                .advise(format!("Install it: `hall install {reference}`.")))
            }
            _ => Ok(updates),
        }
    }

    fn update(&self, installed: &Published, published: &[Published], versions: &Versions) -> Result<Update, Denial> {
        // A range means a pre-release only if it names one.
        let is_wanted = |published: &&Published| !matches!(versions, Versions::Newest) || published.skill.version.pre.is_empty();
        let best = versions.best(published.iter().filter(is_wanted));
        let newer = best.filter(|best| best.skill.version > installed.skill.version);
        let package = match newer.filter(|newer| self.is_shelved(newer)) {
            Some(newer) => Some(Arc::new(self.take(newer)?)),
            None => None,
        };
        Ok(Update { installed: installed.skill.clone(), newer: newer.map(|newer| newer.skill.clone()), package })
    }

    /// The published skills whose name, summary or provided capability ids hold every word of a text.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`.
    pub fn search(&self, text: &str) -> Result<Vec<Found>, Denial> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<Found> = Vec::new();
        let mut published = self.all_published()?;
        published.sort_by(|one, other| one.skill.id.cmp(&other.skill.id));
        for versions in published.chunk_by(|one, other| one.skill.id == other.skill.id) {
            let Some(newest) = Versions::Newest.best(versions.iter()) else { continue };
            let summary = self.summary(newest);
            let provides = newest.provides.iter().map(CapabilityId::as_str);
            let all = provides.chain([summary.as_deref().unwrap_or_default()]).collect::<Vec<_>>().join(" ");
            let all = format!("{} {}", newest.skill.id, all).to_lowercase();
            if words.iter().all(|word| all.contains(word.as_str())) {
                found.push(Found {
                    skill: newest.skill.id.clone(),
                    newest: newest.skill.clone(),
                    installed: versions.iter().any(|version| self.is_present(version)),
                    provides: newest.provides.clone(),
                    summary,
                });
            }
        }
        Ok(found)
    }

    /// The author's line about a version, from whichever package of it is at hand and is the one that was published.
    fn summary(&self, published: &Published) -> Option<String> {
        let package = if self.is_present(published) { self.package(published) } else { self.take(published) }.ok()?;
        (package.manifest_hash() == published.manifest_hash).then(|| package.manifest().summary.clone())
    }
}
