//! The work is taken out of an admission that nobody recorded.

use skillhall_tests::skillhall_core::govern::decide::Admission;

pub fn work(admission: Admission) {
    let _ = admission.into_work();
}

fn main() {}
