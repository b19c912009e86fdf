//! What the end-to-end suites stand on: a hall of their own for each test, skills to put into it, and the command as a
//! process. Everything here panics where something is not as it must be; it is for tests only.

#[path = "harness/callers.rs"]
pub mod callers;
#[path = "harness/clock.rs"]
pub mod clock;
#[path = "harness/command.rs"]
pub mod command;
#[path = "harness/desk.rs"]
pub mod desk;
#[path = "harness/files.rs"]
pub mod files;
#[path = "harness/normal.rs"]
pub mod normal;
#[path = "harness/skills.rs"]
pub mod skills;
#[path = "harness/world.rs"]
pub mod world;

// The compile-fail cases name the two crates through this one, so that they are compiled against what is tested.
pub use skillhall;
pub use skillhall_core;

/// Reads a value of any type that can be read from data.
///
/// # Panics
/// If the text is no such value.
#[must_use]
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("the text is such a value")
}
