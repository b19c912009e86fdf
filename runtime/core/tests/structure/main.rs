//! What must stay true of the project's files, read from the files themselves.
//!
//! Each check is a function from text to findings, and has a case beside it that it must find.
#![expect(clippy::disallowed_methods, reason = "these tests read the repository that they stand in, by path")]

#[cfg(test)]
mod advisories;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod events;
#[cfg(test)]
mod floor;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod rust;
#[cfg(test)]
mod security;
#[cfg(test)]
mod tree;
