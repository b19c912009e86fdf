//! What is installed on this host, how each version stands at this moment, and taking one away again.

use std::sync::Arc;

use cap_fs_ext::DirExt as _;
use serde::Serialize;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::ledger::EventKind;
use skillhall_core::random;
use skillhall_core::registry::standing::{consult, marks_verdict};
use skillhall_core::registry::{Published, StandingQuery};

use super::folder::{CACHE, PACKAGES};
use super::packages::turn;
use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// An installed version and how it stands.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The version.
    pub skill: SkillRef,
    /// Its manifest hash.
    pub manifest_hash: Digest,
    /// One line by its author; absent if the package cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it asks for, each as a line.
    pub powers: Vec<String>,
    /// Bytes of the package's files.
    pub bytes: u64,
    /// `good` if gates 1 to 5 would pass now, else the code of the refusal.
    pub standing: &'static str,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when its certification counts, if it passes gate 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certified_until: Option<Timestamp>,
}

/// What was taken away.
#[derive(Clone, Debug, Serialize)]
pub struct Uninstalled {
    /// The version.
    pub skill: SkillRef,
    /// Its manifest hash.
    pub manifest_hash: Digest,
    /// How many files of compiled code went with it.
    pub compiled: usize,
    /// The ledger's sequence of the record.
    pub record: u64,
}

impl Hall {
    /// Every installed version, by name and version, with how it stands at this moment. Nothing is recorded.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`.
    pub fn list(&self) -> Result<Vec<Shown>, Refused> {
        let mut shown = Vec::new();
        for published in self.all_published()? {
            if self.is_present(&published) {
                shown.push(self.show(&published)?);
            }
        }
        shown.sort_by(|one, other| one.skill.cmp(&other.skill));
        Ok(shown)
    }

    /// Every published version of every skill.
    pub(super) fn all_published(&self) -> Result<Vec<Published>, Denial> {
        let registry = self.registry()?;
        let mut all = Vec::new();
        for skill in registry.skills().map_err(|error| unreachable(&error))? {
            all.extend(registry.versions(&skill).map_err(|error| unreachable(&error))?);
        }
        Ok(all)
    }

    /// Whether a published version is installed here.
    pub(super) fn is_present(&self, published: &Published) -> bool {
        self.folder.dir().is_dir(format!("{PACKAGES}/{}", published.manifest_hash))
    }

    fn show(&self, published: &Published) -> Result<Shown, Refused> {
        let mut shown = Shown {
            skill: published.skill.clone(),
            manifest_hash: published.manifest_hash,
            summary: None,
            powers: Vec::new(),
            bytes: 0,
            standing: "good",
            reason: None,
            certified_until: None,
        };
        let package = match self.package(published) {
            Ok(package) => Arc::new(package),
            Err(denial) => return Ok(refused(shown, &denial)),
        };
        shown.summary = Some(package.manifest().summary.clone());
        shown.powers = package.manifest().capabilities.list();
        shown.bytes = package.files().map(|(_, bytes)| u64::try_from(bytes.len()).unwrap_or(u64::MAX)).sum();
        Ok(match self.passes(&package, &published.skill)? {
            Ok(until) => Shown { certified_until: Some(until), ..shown },
            Err(denial) => refused(shown, &denial),
        })
    }

    /// Gates 1 to 5 on a package that is held, quietly: until when its certification counts, or why it is refused.
    pub(super) fn passes(
        &self,
        package: &Arc<skillhall_core::package::Package>,
        skill: &SkillRef,
    ) -> Result<Result<Timestamp, Denial>, Refused> {
        let query = StandingQuery {
            skill: skill.clone(),
            organisation: self.config.hall.organisation.clone(),
            host: self.host.host.clone(),
            adapter: self.adapter.clone(),
            approval: None,
            token: None,
        };
        let judged = consult(self.registry()?, query).and_then(|standing| {
            let verified = self.verify_package(package.clone(), &standing, self.now()?, &mut |_| {})?;
            marks_verdict(&standing, &verified.keys_used())?;
            Ok(verified.certification().expires_at)
        });
        Ok(judged)
    }

    /// Removes an installed version: its files and its compiled code. A call that runs holds what it needs in memory and
    /// is not disturbed; the next call is denied. The version stays published.
    ///
    /// # Errors
    /// `DENY_NOT_INSTALLED` if it is not installed, `DENY_SKILL_UNKNOWN` if it is not published, `DENY_UNAUTHENTICATED`,
    /// `DENY_LEDGER_UNAVAILABLE`; faults of the folder.
    pub fn uninstall(&self, skill: &SkillRef) -> Result<Uninstalled, Refused> {
        let mut event = self.event(EventKind::SkillUninstall, self.now()?);
        event.skill = Some(skill.id.clone());
        event.version = Some(skill.version.clone());
        event.worker = Some(skill.id.worker_species_id());
        self.attempt(&event, |mut event| {
            self.may(Action::Install, Some(&skill.id.namespace))?;
            let versions = self.registry()?.versions(&skill.id).map_err(|error| unreachable(&error))?;
            let published =
                versions.into_iter().find(|published| published.skill == *skill).ok_or_else(|| self.not_here(skill))?;
            if !self.is_present(&published) {
                return Err(self.not_here(skill).into());
            }
            event.hashes.insert("manifest".into(), published.manifest_hash);
            event.hashes.insert("component".into(), published.component_hash);
            // Recorded before it happens; a process that dies in between leaves a package that is listed still.
            let record = self.note(event)?;
            self.remove_package(&published)?;
            let compiled = self.remove_code(&published)?;
            Ok(Uninstalled { skill: skill.clone(), manifest_hash: published.manifest_hash, compiled, record })
        })
    }

    /// The refusal of what is not installed, with what is.
    fn not_here(&self, skill: &SkillRef) -> Denial {
        let installed = self.installed(&skill.id).unwrap_or_default();
        let versions: Vec<String> = installed.iter().map(|installed| installed.skill.version.to_string()).collect();
        let denial = Denial::new(Code::NotInstalled, format!("{skill} is not installed here")).detail("skill", skill.to_string());
        if versions.is_empty() {
            let nearest = self.nearest_installed(&skill.id);
            let advice = match nearest.as_slice() {
                [] => "`hall list` shows what is installed.".to_owned(),
                names => format!("Did you mean {}? `hall list` shows what is installed.", names.join(" or ")),
            };
            return denial.detail("nearest", nearest).advise(advice);
        }
        let advice = format!("Installed versions of it: {}.", versions.join(", "));
        denial.detail("installed", versions).advise(advice)
    }

    fn nearest_installed(&self, skill: &SkillId) -> Vec<String> {
        let here = self.all_published().unwrap_or_default();
        let mut names: Vec<SkillId> =
            here.into_iter().filter(|published| self.is_present(published)).map(|published| published.skill.id).collect();
        names.dedup();
        skillhall_core::registry::standing::nearest(skill, &names)
    }

    /// Moves the folder aside first: a package is there whole or not at all.
    fn remove_package(&self, published: &Published) -> Result<(), Fault> {
        let io = |error: std::io::Error| Fault::io("the installed package", &error);
        let packages = self.folder.part(PACKAGES)?;
        let turn = turn(&packages).map_err(io)?;
        let aside = format!(".{}.gone", random::uuid()?);
        packages.rename(published.manifest_hash.to_string(), &packages, &aside).map_err(io)?;
        skillhall_core::store::sync_folder(&packages).map_err(io)?;
        let removed = packages.remove_dir_all(&aside).map_err(io);
        drop(turn);
        removed
    }

    /// Removes the compiled code of a component that no other installed version has.
    fn remove_code(&self, published: &Published) -> Result<usize, Refused> {
        let needed =
            self.all_published()?.iter().any(|other| other.component_hash == published.component_hash && self.is_present(other));
        if needed {
            return Ok(0);
        }
        let io = |error: std::io::Error| Fault::io("the compiled code", &error);
        let cache = self.folder.part(CACHE)?;
        let beginning = format!("{}-", published.component_hash);
        let mut removed = 0;
        for entry in cache.entries().map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(&beginning)) {
                cache.remove_file_or_symlink(&name).map_err(io)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn refused(shown: Shown, denial: &Denial) -> Shown {
    Shown { standing: denial.code.as_str(), reason: Some(denial.message.clone()), ..shown }
}
