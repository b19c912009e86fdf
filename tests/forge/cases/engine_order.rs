//! An order for the engine is written by hand.

pub use skillhall_tests::skillhall::engine::Order;

fn main() {}
