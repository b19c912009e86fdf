//! A decision by an answer of the registry that was kept, or made up.

use skillhall_tests::skillhall_core::govern::call::{Call, Caller};
use skillhall_tests::skillhall_core::govern::decide::{Moment, Policy, decide};
use skillhall_tests::skillhall_core::registry::Snapshot;
use skillhall_tests::skillhall_core::trust::VerifiedPackage;

pub fn kept(answer: &Snapshot, package: VerifiedPackage, call: Call, caller: Caller, policy: Policy<'_>, moment: Moment) {
    let _ = decide(answer, package, call, Some(caller), policy, moment, &mut |_| {});
}

fn main() {}
