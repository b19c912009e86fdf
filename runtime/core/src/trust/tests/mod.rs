#![expect(clippy::disallowed_methods, reason = "tests read vectors and open temporary folders by path")]

mod awp;
mod codes;
mod flips;
mod gate;
mod keys;
mod vectors;
mod world;
