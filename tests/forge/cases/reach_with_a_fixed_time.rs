//! What a run reaches is made up, with a time of one's own.

use skillhall_tests::skillhall::engine::execute::Reach;
use skillhall_tests::skillhall::sandbox::Replay;

pub fn make_up<'a>(reach: Reach<'a>, replay: &'a Replay) -> Reach<'a> {
    Reach { replay: Some(replay), ..reach }
}

fn main() {}
