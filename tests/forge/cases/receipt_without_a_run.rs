//! A receipt is made by hand of what a run would give.

pub use skillhall_tests::skillhall::hall::receipt::close;

fn main() {}
