//! The bounds of what a skill can ask for as its budgets. A host's own maximum is lower as a rule.

use super::manifest::LimitsAsk;

const BOUNDS: [(&str, u64, u64); 4] = [
    // From one page of WebAssembly memory to all that a 32-bit memory can have.
    ("memory (bytes)", 64 << 10, 4 << 30),
    ("time (milliseconds)", 1, 60 * 60 * 1000),
    ("fuel", 1, 1_000_000_000_000_000),
    ("output (bytes)", 1, 64 << 20),
];

/// Holds each limit that is asked for to its bounds.
///
/// # Errors
/// A sentence about the first that is out of them.
pub fn check(limits: &LimitsAsk) -> Result<(), String> {
    let asked = [limits.memory_bytes, limits.time_ms, limits.fuel, limits.output_bytes];
    for ((name, min, max), asked) in BOUNDS.iter().zip(asked) {
        if let Some(asked) = asked.filter(|asked| !(*min..=*max).contains(asked)) {
            return Err(format!("the limit of {name} is {asked}, and has to be from {min} to {max}"));
        }
    }
    Ok(())
}
