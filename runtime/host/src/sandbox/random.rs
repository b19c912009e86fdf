//! `wasi:random`: bytes from the operating system (or from a replay's seed), bounded for each call and in all.

use skillhall_core::digest::Digest;
use wasmtime::Result;
use wasmtime::component::HasData;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::meter::Meter;
use super::{Guest, Replay, Stop};

/// The most bytes that one call may ask for.
pub(crate) const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// Where a guest's randomness comes from. The interfaces called insecure get the same bytes.
pub(super) enum RandomSource {
    /// The operating system, a block at a time.
    System { block: Box<[u8; 256]>, left: usize },
    /// SHA-256 over the seed and a counter.
    Seeded { seed: [u8; 32], counter: u64 },
}

impl RandomSource {
    pub(super) fn new(replay: Option<&Replay>) -> Self {
        replay
            .map_or(Self::System { block: Box::new([0; 256]), left: 0 }, |replay| Self::Seeded { seed: replay.seed, counter: 0 })
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        match self {
            Self::System { block, left } => {
                for byte in out {
                    if *left == 0 {
                        **block = skillhall_core::random::bytes()?;
                        *left = block.len();
                    }
                    *left -= 1;
                    if let Some(next) = block.get_mut(*left) {
                        // A byte that was handed out is not kept.
                        *byte = std::mem::take(next);
                    }
                }
            }
            Self::Seeded { seed, counter } => {
                for chunk in out.chunks_mut(32) {
                    let mut input = seed.to_vec();
                    input.extend_from_slice(&counter.to_be_bytes());
                    *counter = counter.wrapping_add(1);
                    for (byte, random) in chunk.iter_mut().zip(Digest::of(&input).as_bytes()) {
                        *byte = *random;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The two parts of a guest that the functions need.
pub(super) struct RandomView<'a> {
    source: &'a mut RandomSource,
    meter: &'a mut Meter,
}

impl RandomView<'_> {
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        if length > MAX_RANDOM_BYTES {
            return Err(Stop::HostCallBytes { allowed: MAX_RANDOM_BYTES }.into());
        }
        self.meter.moving(length)?;
        let mut out = vec![0; usize::try_from(length)?];
        self.source.fill(&mut out)?;
        Ok(out)
    }

    fn number(&mut self) -> Result<u64> {
        let mut out = [0; 8];
        self.meter.moving(8)?;
        self.source.fill(&mut out)?;
        Ok(u64::from_le_bytes(out))
    }
}

/// Names [`RandomView`] to the linker.
pub(super) struct HasRandom;

impl HasData for HasRandom {
    type Data<'a> = RandomView<'a>;
}

pub(super) fn view(guest: &mut Guest) -> RandomView<'_> {
    guest.meter.host_call();
    RandomView { source: &mut guest.random, meter: &mut guest.meter }
}

impl random::Host for RandomView<'_> {
    fn get_random_bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.number()
    }
}

impl insecure::Host for RandomView<'_> {
    fn get_insecure_random_bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        self.number()
    }
}

impl insecure_seed::Host for RandomView<'_> {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        Ok((self.number()?, self.number()?))
    }
}

#[cfg(test)]
mod tests {
    use skillhall_core::clock::Timestamp;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again_and_never_repeats_within() {
        let replay = |seed| Replay { at: Timestamp::from_millis(0), seed: [seed; 32] };
        let draw = |seed| {
            let (mut source, mut out) = (RandomSource::new(Some(&replay(seed))), [0; 128]);
            source.fill(&mut out).unwrap();
            out
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1)[..32], draw(1)[32..64]);
    }

    #[test]
    fn the_system_gives_bytes_over_more_than_one_block() {
        let (mut source, mut out) = (RandomSource::new(None), [0; 1000]);
        source.fill(&mut out).unwrap();
        assert!(out.chunks(8).all(|chunk| chunk != [0; 8]));
    }
}
