//! The powers of a real hall are given replies that were recorded.

use std::sync::Arc;

use skillhall_tests::skillhall::hall::Config;
use skillhall_tests::skillhall::sandbox::LocalPowers;
use skillhall_tests::skillhall::sandbox::egress::{Network, Recording, Reply};

pub fn open(replies: &[Reply]) -> Config {
    let network = Network::recorded(Arc::new(Recording::new(replies).unwrap()));
    Config::at("/srv/hall").powers(Arc::new(LocalPowers::with_network(network)))
}

fn main() {}
