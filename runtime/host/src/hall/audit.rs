//! Reading the ledger of a hall.

use skillhall_core::ledger::Record;
use skillhall_core::ledger::audit::{self, Report};
use skillhall_core::ledger::read::{self, Filter};
use skillhall_core::trust::keys::{KeyError, KeySource as _, PublicKey};

use super::folder::LEDGER;
use super::{Fault, Hall};

impl Hall {
    /// Reads the whole ledger and checks every record, every checkpoint, and, if one was kept elsewhere, that the ledger
    /// continues it.
    ///
    /// # Errors
    /// [`Fault::Audit`] naming the first bad record.
    pub fn audit(&self, kept: Option<&str>) -> Result<Report, Fault> {
        Ok(audit::verify(&self.folder.part(LEDGER)?, &self.ledger_key()?, kept)?)
    }

    /// The records that fit, oldest first.
    ///
    /// # Errors
    /// [`Fault::Scan`] if the ledger cannot be read.
    pub fn records(&self, filter: &Filter) -> Result<Vec<Record>, Fault> {
        Ok(read::search(&self.folder.part(LEDGER)?, filter)?)
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
