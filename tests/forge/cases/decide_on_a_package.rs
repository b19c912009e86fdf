//! A decision about a package that nobody verified.

use std::sync::Arc;

use skillhall_tests::skillhall_core::govern::call::{Call, Caller};
use skillhall_tests::skillhall_core::govern::decide::{Moment, Policy, decide};
use skillhall_tests::skillhall_core::package::Package;
use skillhall_tests::skillhall_core::registry::standing::Standing;

pub fn unverified(standing: &Standing, package: Arc<Package>, call: Call, caller: Caller, policy: Policy<'_>, moment: Moment) {
    let _ = decide(standing, package, call, Some(caller), policy, moment, &mut |_| {});
}

fn main() {}
