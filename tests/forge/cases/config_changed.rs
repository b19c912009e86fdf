//! An open hall is told that another gate counts from now on.

use std::sync::Arc;

use skillhall_tests::skillhall::hall::Hall;
use skillhall_tests::skillhall_core::govern::wcp::gate::PolicyGate;

pub fn change(hall: &mut Hall, gate: Arc<dyn PolicyGate>) {
    hall.gate = Some(gate);
}

fn main() {}
