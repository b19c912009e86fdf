//! Behaviour of the room as a whole: the reference's vectors, what is stricter here, and what holds for every input.

mod differences;
mod laws;
mod properties;
mod rules;
mod vectors;
