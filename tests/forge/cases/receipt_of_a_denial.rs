//! A receipt is made by hand of a denial.

pub use skillhall_tests::skillhall::hall::receipt::denied;

fn main() {}
