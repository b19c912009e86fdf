//! The lowest engine version and the architectures on which guests may run.

use super::EngineFault;

/// The version of wasmtime that this crate is built with. `tests` holds it against Cargo.lock.
pub(crate) const BUILT_WITH: &str = "48.0.8";

/// The floor: below it the engine is known to let a guest out, or to let it hurt the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The lowest version of wasmtime, as `major.minor.patch`.
    pub wasmtime: &'static str,
    /// Why.
    pub reason: &'static str,
    /// Architectures on which guests run, and wasmtime's tier for each.
    pub architectures: &'static [(&'static str, u8)],
}

/// The floor of this release.
pub const FLOOR: Floor = Floor {
    wasmtime: "48.0.8",
    reason: "48.0.3 to 48.0.8 fix 36 advisories, among them sandbox escapes (GHSA-vqjp, GHSA-m9f7, GHSA-jhxm) and unlimited host memory (GHSA-q554, GHSA-6fr9)",
    architectures: &[("x86_64", 1), ("aarch64", 2)],
};

/// Refuses to start below the floor. On an architecture of tier 2 (no continuous fuzzing upstream) gives a remark.
pub(crate) fn check() -> Result<Option<String>, EngineFault> {
    check_against(&FLOOR, BUILT_WITH, std::env::consts::ARCH)
}

fn check_against(floor: &Floor, version: &str, architecture: &str) -> Result<Option<String>, EngineFault> {
    let below = match (parts(version), parts(floor.wasmtime)) {
        (Some(version), Some(lowest)) => version < lowest,
        _ => true,
    };
    if below {
        let message = format!("wasmtime {version} is below the floor {}: {}", floor.wasmtime, floor.reason);
        return Err(EngineFault::BelowFloor(message));
    }
    match floor.architectures.iter().find(|(name, _)| *name == architecture) {
        None => Err(EngineFault::BelowFloor(format!("guests do not run on {architecture}"))),
        Some((_, 1)) => Ok(None),
        Some((name, tier)) => {
            Ok(Some(format!("{name} is a tier {tier} target of wasmtime: it is not fuzzed continuously upstream")))
        }
    }
}

fn parts(version: &str) -> Option<[u64; 3]> {
    let mut numbers = version.split('.').map(|part| part.parse().ok());
    let parts = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_held() {
        assert!(check_against(&FLOOR, "48.0.8", "x86_64").unwrap().is_none());
        assert!(check_against(&FLOOR, "49.0.0", "aarch64").unwrap().unwrap().contains("tier 2"));
        for version in ["48.0.7", "36.0.12", "48.0", "48.0.8.1", "x"] {
            assert!(check_against(&FLOOR, version, "x86_64").is_err(), "{version}");
        }
        assert!(check_against(&FLOOR, "48.0.8", "riscv64").is_err());
    }

    #[test]
    fn the_version_is_the_one_in_the_lock_file() {
        let lock = include_str!("../../../../Cargo.lock");
        for name in ["wasmtime", "wasmtime-wasi", "wasmtime-wasi-io"] {
            let entry = format!("name = \"{name}\"\nversion = \"{BUILT_WITH}\"");
            assert!(lock.contains(&entry), "{name} is not {BUILT_WITH} in Cargo.lock");
        }
    }
}
