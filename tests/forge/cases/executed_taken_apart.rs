//! The result of a run is taken before its end is recorded.

use skillhall_tests::skillhall::engine::execute::Executed;

pub fn result(executed: Executed) {
    let _ = executed.into_parts();
}

fn main() {}
