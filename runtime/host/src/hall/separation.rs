//! Separation of duties before any run: nobody certifies what they have brought in, nor brings in what they have certified, where the
//! policy tier in force is above 0. Gate 4 judges it again at every call.

use skillhall_core::clock::Timestamp;
use skillhall_core::govern::separation::{apart, authors, is_owner, tier_in_force};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::ledger::read::Filter;
use skillhall_core::package::Package;
use skillhall_core::registry::access::Identity;
use skillhall_core::registry::{Registry, StatementKind};
use skillhall_core::trust::{AttestationFacts, Form, attested};

use super::registry::unreachable;
use super::{Hall, Refused};

impl Hall {
    /// Whether somebody who is about to certify a package has neither attested nor published these bytes.
    pub(super) fn certifies_no_own(
        &self,
        package: &Package,
        by: &Identity,
        registry: &dyn Registry,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let tier = self.tier_of(package, registry)?;
        if tier == 0 {
            return Ok(());
        }
        let manifest = package.manifest();
        let facts = attested(package, &*self.source, now, self.is_local())?;
        let versions = registry.versions(&manifest.id()).map_err(|error| unreachable(&error))?;
        let published = versions.iter().find(|published| published.manifest_hash == package.manifest_hash());
        let statements = registry.statements(&package.manifest_hash()).map_err(|error| unreachable(&error))?;
        let attesters = self.attesters(package)?;
        let mut all: Vec<&Identity> = attesters.iter().collect();
        if let Some(published) = published {
            all.extend(authors(published, &statements, &self.config, is_signed(&facts)));
        }
        Ok(apart(&all, by, tier)?)
    }

    /// Whether somebody who is about to publish a package has not certified these bytes, and neither has who attested them. Gives who
    /// attested them, or else who publishes.
    pub(super) fn publishes_no_certified(
        &self,
        package: &Package,
        by: &Identity,
        registry: &dyn Registry,
        facts: &AttestationFacts,
    ) -> Result<Identity, Refused> {
        let tier = self.tier_of(package, registry)?;
        if tier == 0 {
            return Ok(by.clone());
        }
        let attesters = self.attesters(package)?;
        // The hall's owner passes on what somebody else has signed.
        let passes_on = is_signed(facts) && !self.config.owns(&package.manifest().namespace) && is_owner(by, &self.config);
        let all: Vec<&Identity> = attesters.iter().chain((!passes_on).then_some(by)).collect();
        let statements = registry.statements(&package.manifest_hash()).map_err(|error| unreachable(&error))?;
        let certifications = statements.iter().filter(|statement| statement.kind == StatementKind::Certification);
        for certifier in certifications.filter_map(|statement| statement.by.as_ref()) {
            apart(&all, certifier, tier)?;
        }
        Ok(attesters.last().unwrap_or(by).clone())
    }

    fn tier_of(&self, package: &Package, registry: &dyn Registry) -> Result<u8, Refused> {
        let record = registry.namespace(&package.manifest().namespace).map_err(|error| unreachable(&error))?;
        Ok(tier_in_force(&self.config, package, record.map_or(0, |record| record.min_tier)))
    }

    /// Who attested these bytes in this hall, as the ledger says, oldest first.
    fn attesters(&self, package: &Package) -> Result<Vec<Identity>, Refused> {
        let filter = Filter { kind: Some(EventKind::SkillAttest), skill: Some(package.manifest().id()), ..Filter::default() };
        let of_these = |event: &skillhall_core::ledger::Event| {
            event.change.is_none() && event.hashes.get("manifest") == Some(&package.manifest_hash())
        };
        let records = self.records(&filter)?.into_iter().map(|record| record.event).filter(of_these);
        let named = records.filter_map(|event| Some(Identity { organisation: event.organisation?, name: event.caller? }));
        Ok(named.collect())
    }
}

fn is_signed(facts: &AttestationFacts) -> bool {
    matches!(facts.ed25519, Form::Verified { .. })
}
