//! Write a skill in Rust.
//!
//! A skill is a WebAssembly component. Its interface stands in the crate's `wit/` folder; [`skill!`] makes Rust types and
//! a trait of it and exports the type that implements the trait:
//!
//! ```wit
//! package acme:greet@1.0.0;
//!
//! interface api {
//!     /// Greets somebody.
//!     greet: func(name: string) -> result<string, greet-error>;
//!
//!     variant greet-error { no-name }
//! }
//!
//! world skill { export api; }
//! ```
//!
//! ```ignore
//! use bindings::exports::acme::greet::api::{Guest, GreetError};
//!
//! skillhall_sdk::skill! { world: "skill", by: Greet }
//!
//! struct Greet;
//!
//! impl Guest for Greet {
//!     fn greet(name: String) -> Result<String, GreetError> {
//!         if name.is_empty() {
//!             return Err(GreetError::NoName);
//!         }
//!         Ok(format!("Hello, {name}"))
//!     }
//! }
//! ```
//!
//! The crate is a `cdylib`, built with `cargo build --release --target wasm32-wasip2`. It also builds for the machine it is
//! written on, so `cargo test` works as it does everywhere.
//!
//! # Errors
//!
//! A function that can fail returns `result<T, E>`, and `E` is a `variant` of its own: one case for each thing the caller
//! can do something about, with the values that say what was wrong. Hosts hand the case and its values on unchanged. Where
//! nothing but a text can be said, `E` is `string`; [`explain`] makes it from any [`std::error::Error`] with its causes.
//! A panic is for a mistake in the skill itself: it ends the call, and the host tells the caller that the skill trapped.
//!
//! # Log
//!
//! [`error!`], [`warn!`], [`info!`] and [`debug!`] write one line to stderr, which the host keeps, up to a bound, with the call's
//! receipt. What a skill prints to stdout goes the same way; only the function's result is handed to the caller.
//!
//! # Other skills
//!
//! [`tools::call`] calls a tool of another skill, if skill.toml names it and whoever runs the host grants it.
#![deny(unsafe_code)]

mod explain;
pub mod log;
pub mod tools;

pub use explain::explain;
pub use wit_bindgen;

/// Makes the types and traits of a world in the crate's `wit/` folder and exports the type that implements them.
///
/// `world` is the name of the world, `by` the type. Both lines of this do the same:
///
/// ```ignore
/// skillhall_sdk::skill! { world: "skill", by: MySkill }
/// skillhall_sdk::skill! { world: "skill", path: "wit", by: MySkill }
/// ```
///
/// The types are in the module `bindings`: those of an exported interface `acme:greet/api` in `bindings::exports::acme::greet::api`, where
/// `Guest` is the trait to implement; functions that the world exports by themselves are in `bindings::Guest`. All that the world
/// imports is in `bindings` too. A function that is not implemented is a compile error.
///
/// Only the code that `wit-bindgen` makes contains `unsafe`, in modules of its own, so the crate that calls this can say
/// `#![deny(unsafe_code)]`. It has to depend on `skillhall-sdk` under this name.
#[macro_export]
macro_rules! skill {
    (world: $world:literal, by: $skill:ident $(,)?) => {
        $crate::skill! { world: $world, path: "wit", by: $skill }
    };
    (world: $world:literal, path: $path:literal, by: $skill:ident $(,)?) => {
        #[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic, clippy::restriction, reason = "made by wit-bindgen")]
        mod bindings {
            $crate::wit_bindgen::generate!({
                world: $world,
                path: $path,
                generate_all,
                runtime_path: "::skillhall_sdk::wit_bindgen::rt",
            });

            export!(Exported with_types_in self);
            use super::$skill as Exported;
        }
    };
}
