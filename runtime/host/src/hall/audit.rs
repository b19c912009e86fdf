//! Reading the ledger of a hall.

use skillhall_core::digest::Digest;
use skillhall_core::govern::authority::Action;
use skillhall_core::id::OrgId;
use skillhall_core::ledger::Record;
use skillhall_core::ledger::audit::{self, Report};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::ledger::export::{self, Exported, Format};
use skillhall_core::ledger::read::{self, Filter};
use skillhall_core::trust::keys::{KeyError, KeySource as _, PublicKey};

use super::folder::LEDGER;
use super::{Fault, Hall, Refused};

impl Hall {
    /// Reads the whole ledger and checks every record, every checkpoint, and, if one was kept elsewhere, that the ledger
    /// continues it.
    ///
    /// # Errors
    /// [`Fault::Audit`] naming the first bad record.
    pub fn audit(&self, kept: Option<&str>) -> Result<Report, Fault> {
        Ok(audit::verify(&self.folder.part(LEDGER)?, &self.ledger_key()?, kept)?)
    }

    /// Of which organisation whoever presents a token may read the records: `None` is of all. Without a token, whoever can read the
    /// hall's folder reads them all.
    ///
    /// # Errors
    /// `DENY_ROLE_MISSING` and the other codes of tokens; `DENY_REGISTRY_UNREACHABLE`.
    pub fn auditor(&self) -> Result<Option<OrgId>, Refused> {
        if self.presented.is_none() {
            return Ok(None);
        }
        let event = self.event(EventKind::SkillDeny, self.now()?).with("action", Action::Audit.as_str());
        self.attempt(&event, |_| Ok(self.sees(&self.acting(Action::Audit, None)?)))
    }

    /// The records that fit, oldest first.
    ///
    /// # Errors
    /// [`Fault::Scan`] if the ledger cannot be read.
    pub fn records(&self, filter: &Filter) -> Result<Vec<Record>, Fault> {
        Ok(read::search(&self.folder.part(LEDGER)?, filter)?)
    }

    /// Gives the records that fit, oldest first, one after the other, however many there are.
    ///
    /// # Errors
    /// [`Fault::Scan`] if the ledger cannot be read, and then nothing was given; or what `take` gives.
    pub fn each_record(&self, filter: &Filter, take: &mut dyn FnMut(Record) -> Result<(), Fault>) -> Result<(), Fault> {
        read::visit(&self.folder.part(LEDGER)?, filter, take)
    }

    /// The digests by which records name what a digest is of: itself, and the manifests of the versions that were published with it.
    ///
    /// # Errors
    /// [`Fault::Scan`] if the ledger cannot be read.
    pub fn meant_by(&self, digest: Digest) -> Result<std::collections::BTreeSet<Digest>, Fault> {
        Ok(read::meant_by(&self.folder.part(LEDGER)?, digest)?)
    }

    /// Verifies the whole ledger, and then writes the records that fit as lines, or the telemetry of WCP that they hold.
    ///
    /// # Errors
    /// [`Fault::Export`]; of a ledger that is not what was written, nothing is written.
    pub fn export(
        &self,
        kept: Option<&str>,
        filter: &Filter,
        format: Format,
        write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<Exported, Fault> {
        Ok(export::export(&self.folder.part(LEDGER)?, &self.ledger_key()?, kept, filter, format, write)?)
    }

    /// One record by its sequence; `None` if there are fewer.
    ///
    /// # Errors
    /// [`Fault::Scan`] if the ledger cannot be read.
    pub fn record(&self, sequence: u64) -> Result<Option<Record>, Fault> {
        let dir = self.folder.part(LEDGER)?;
        let found = read::read(&dir, sequence)?.next().transpose()?;
        Ok(found.filter(|record| record.sequence == sequence))
    }

    /// The public key under which this hall's checkpoints verify.
    ///
    /// # Errors
    /// If the keyring names none.
    pub fn ledger_key(&self) -> Result<PublicKey, Fault> {
        let keyring = self.keys.keyring()?;
        let record = keyring.ledger.ok_or_else(|| KeyError::Malformed("the keyring names no key for the ledger".into()))?;
        Ok(record.public_key()?)
    }
}
