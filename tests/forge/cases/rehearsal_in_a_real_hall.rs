//! A rehearsal is made of a hall that was opened.

use skillhall_tests::skillhall::hall::{Hall, Rehearsal};

pub fn rehearse(hall: Hall) -> Rehearsal {
    Rehearsal { hall, registry: Default::default() }
}

fn main() {}
