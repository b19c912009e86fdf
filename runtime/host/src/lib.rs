//! The host of Skillhall, to be embedded: runs skills, which are WebAssembly components that somebody else wrote, only after
//! it has been shown that a skill is the one that was certified, that it still is allowed, and that this caller may use it
//! now; and gives it what its manifest declares and the host grants, and nothing else.
//!
//! # Running a skill
//!
//! A [`Hall`](hall::Hall) is where skills are published, installed, judged and run. [`Hall::open`](hall::Hall::open) opens
//! the one in a folder; [`Hall::in_memory`](hall::Hall::in_memory) makes a throwaway one, with the very same gates. Here a
//! small skill goes all the way:
//!
//! ```
//! use std::sync::Arc;
//!
//! use serde_json::json;
//! use skillhall::hall::{Hall, Silent};
//! use skillhall::skillhall_core::govern::call::{Call, Input};
//! use skillhall::skillhall_core::package::{build, source};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // What an author writes and what a compiler makes of it; `hall build` does this from a folder.
//! let source = source::parse(
//!     r#"
//!     [skill]
//!     namespace = "org.example"
//!     name = "double"
//!     version = "1.0.0"
//!     summary = "Doubles a number"
//!     policy_tier = 0
//!     component = "double.wasm"
//!     "#,
//! )?;
//! let component = wat::parse_str(
//!     r#"(component
//!         (core module $m
//!             (func (export "double") (param i32) (result i32) (i32.add (local.get 0) (local.get 0))))
//!         (core instance $i (instantiate $m))
//!         (func (export "double") (param "n" u32) (result u32) (canon lift (core func $i "double"))))"#,
//! )?;
//! let package = build::assemble(&source, component, None, [].into(), [].into())?;
//!
//! // Its way into a hall. What is left out here, a gate misses later.
//! let hall = Hall::in_memory()?;
//! let (package, _keys) = hall.attest(&package, "a build of the documentation")?;
//! let package = Arc::new(package);
//! hall.certify(&package, 30)?;
//! hall.publish(&package)?;
//! hall.install(&package, &mut Silent)?;
//!
//! // One call, through eleven gates.
//! let call = Call::new("org.example/double@1.0.0".parse()?, Input::from_value(&json!({ "n": 21 }))?);
//! let receipt = hall.execute(call).await?;
//! assert_eq!(receipt.gates().len(), 11);
//! assert_eq!(receipt.into_output()?, json!(42));
//! # Ok(())
//! # }
//! ```
//!
//! # Who is at fault
//!
//! Three things can stand in the place of a result, and they never mix. A gate *denies*: the [`Receipt`](hall::Receipt) says
//! so, with a code from a closed table and a hint. The run *fails*: it trapped, exceeded a limit, gave its own error, or was
//! stopped; the receipt says how, and what it had used. And the host can have its own trouble, a [`Fault`](hall::Fault):
//! that alone is an `Err`.
//!
//! ```
//! use skillhall::hall::{Decision, Hall};
//! use skillhall::skillhall_core::denial::Code;
//! use skillhall::skillhall_core::govern::call::{Call, Input};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hall = Hall::in_memory()?;
//! let call = Call::new("org.example/unheard-of@1.0.0".parse()?, Input::parse(b"{}")?);
//! let receipt = hall.execute(call).await?;
//! match receipt.decision() {
//!     Decision::Deny(denial) => assert_eq!(denial.code, Code::SkillUnknown),
//!     Decision::Allow(_) => unreachable!("nothing is published in this hall"),
//! }
//! // It is in the ledger, and `?` works where a result is all that is wanted.
//! assert!(receipt.record().is_some());
//! assert!(receipt.into_output().is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # What an embedding program can rely on
//!
//! - **Deny is the default.** A part that a [`Config`](hall::Config) leaves out (registry, keys, clock, policy gate, powers)
//!   refuses whatever needs it. No part is made up in its place.
//! - **No durable record, no run.** The decision is on the disk before the guest begins; a result is given out when its end
//!   is on the disk.
//! - **A call can be dropped** at any moment: its guest stops, and its record is closed as cancelled before the drop returns.
//! - **A hall can be drained**: [`Hall::shutdown`](hall::Hall::shutdown) takes no new calls, waits, and stops the rest.
//! - **A receipt cannot be forged**: it is made of a run and its closed record, or of a recorded denial, and of nothing else.
//!
//! # Features
//!
//! - `cedar` (default): policy gates in Cedar.
//! - `sqlite` (default): the registry of a hall in a folder. Without it, a program brings its own
//!   [`Registry`](skillhall_core::registry::Registry), or the one in memory.
//! - `http` (default): the power to send requests to granted origins.
//!
//! Without them, neither a policy engine, a database nor a TLS stack is built.
//!
//! # Rooms
//!
//! In the order in which they may use each other: `program`, `sandbox` <- `engine` <- `worker` <- `gates` <- `hall` <- `doctor`. A program that embeds
//! Skillhall needs [`hall`], [`worker::enter`] and the types of [`skillhall_core`]; [`sandbox`] has the traits of powers, [`gates`]
//! the policy gates that hall.toml can name, [`program`] asks another program, [`engine`] has the limits, the kill handle and the figures of a run, and [`doctor`] proves on a machine that the sandbox holds there.
#![deny(unsafe_code)]

pub mod doctor;
pub mod engine;
pub mod gates;
pub mod hall;
pub mod program;
pub mod sandbox;
pub mod worker;

pub use skillhall_core;
