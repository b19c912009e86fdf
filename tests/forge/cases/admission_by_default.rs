//! A admission from nothing.

use skillhall_tests::skillhall_core::govern::decide::Admission;

pub fn from_nothing() -> Admission {
    <Admission as Default>::default()
}

fn main() {}
