//! The engine is asked to run without a recorded call.

pub use skillhall_tests::skillhall::engine::run;

fn main() {}
