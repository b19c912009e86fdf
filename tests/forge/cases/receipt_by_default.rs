//! A receipt from nothing.

use skillhall_tests::skillhall::hall::Receipt;

pub fn from_nothing() -> Receipt {
    <Receipt as Default>::default()
}

fn main() {}
