//! Whether the sandbox holds on this very machine: hostile guests, each run as any call is run, and a good one after each.
//!
//! The guests are built in, fixed when this crate is compiled: a [`Guest`] cannot be made outside of it, so that this is no
//! door by which anything else would run unrecorded. Their texts stand in `tests/guests`, and each says in its head what it
//! tries, within what, and how it must end. The test suites run all of them, the doctor those that are marked for it.
//!
//! ```
//! use skillhall::doctor::Doctor;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let doctor = Doctor::new()?;
//! let guest = doctor.guests().iter().find(|guest| guest.name() == "time-loop-in-call").expect("it is built in");
//! let finding = doctor.examine(guest).await;
//! assert!(finding.held, "{finding:?}");
//! # Ok(())
//! # }
//! ```

mod choice;
pub mod environment;
mod examine;
mod guest;
mod judge;
mod scratch;

#[cfg(test)]
mod tests;

pub use environment::{Condition, Standing, conditions};
pub use examine::Doctor;
pub use guest::Guest;
pub use judge::{Figure, Finding, Unit};
