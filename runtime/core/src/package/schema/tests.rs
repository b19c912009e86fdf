//! Schemas as a skill's author, a caller and a stranger meet them.

mod mapping;
mod narrowing;
mod refusals;
mod suite;
