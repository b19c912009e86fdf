//! A hall that nobody has opened.

use skillhall_tests::skillhall::hall::Hall;

pub fn from_nothing() -> Hall {
    <Hall as Default>::default()
}

fn main() {}
