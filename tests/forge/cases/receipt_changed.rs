//! A denied call is made into an admitted one afterwards.

use skillhall_tests::skillhall::hall::{Decision, Receipt};

pub fn allow(denied: &mut Receipt, other: &Receipt) {
    denied.decision = other.decision().clone();
    if let Decision::Allow(_) = denied.decision() {}
}

fn main() {}
