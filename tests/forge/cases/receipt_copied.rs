//! One receipt made into two.

use skillhall_tests::skillhall::hall::Receipt;

pub fn twice(one: &Receipt) -> Receipt {
    <Receipt as Clone>::clone(one)
}

fn main() {}
