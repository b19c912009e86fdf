//! The Merkle tree over the records: RFC 6962, section 2.1, with SHA-256.
//!
//! A leaf is hashed with the prefix 0x00 and a node with 0x01, so no leaf can pass for a node. The tree is the chain of
//! the ledger: a root says everything that was ever recorded before it, in order.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// The hash of a leaf (RFC 6962, section 2.1).
#[must_use]
pub fn leaf(data: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// The hash of an inner node (RFC 6962, section 2.1).
#[must_use]
pub fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::from_bytes(
        Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes()).finalize().into(),
    )
}

/// All that must be kept of a tree to append to it and to give its root: the roots of its perfect subtrees, largest
/// first, one for each bit that is set in its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier that was written down; `None` if so many peaks do not belong to a tree of this size. Whether they are
    /// the right ones only the root can tell.
    #[must_use]
    pub fn from_parts(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        (peaks.len() == usize::try_from(size.count_ones()).ok()?).then_some(Self { size, peaks })
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Appends the hash of a leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree; that of the empty tree is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Digest::of(b""),
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
        }
    }
}

/// Gathers a proof while the leaves of a tree go by in order, in memory that grows with the height of the tree only.
#[derive(Clone, Debug)]
pub struct Prover {
    /// The subtrees whose roots make the proof: their leaves, their place in the proof, and the root as far as it is known.
    subtrees: Vec<(Range<u64>, usize, Frontier)>,
    next: u64,
    size: u64,
}

impl Prover {
    /// For the proof that leaf `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1); `None` if it is not in it.
    #[must_use]
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut ranges = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                ranges.push(middle..end);
                end = middle;
            } else {
                ranges.push(start..middle);
                start = middle;
            }
        }
        ranges.reverse();
        Some(Self::new(ranges, size))
    }

    /// For the proof that the tree of `size` leaves begins with the tree of `first` leaves (RFC 6962, section 2.1.2);
    /// `None` if `first` is larger. From nothing, and to itself, the proof is empty.
    #[must_use]
    pub fn consistency(first: u64, size: u64) -> Option<Self> {
        if first > size {
            return None;
        }
        let mut ranges = Vec::new();
        let (mut start, mut end, mut complete) = (0, size, true);
        let proves_something = first > 0 && first < size;
        while proves_something && first != end {
            let middle = start + split(end - start);
            if first <= middle {
                ranges.push(middle..end);
                end = middle;
            } else {
                ranges.push(start..middle);
                start = middle;
                complete = false;
            }
        }
        if proves_something && !complete {
            ranges.push(start..end);
        }
        ranges.reverse();
        Some(Self::new(ranges, size))
    }

    fn new(ranges: Vec<Range<u64>>, size: u64) -> Self {
        let subtrees = ranges.into_iter().enumerate().map(|(place, range)| (range, place, Frontier::new())).collect();
        Self { subtrees, next: 0, size }
    }

    /// Takes the hash of the next leaf. Leaves beyond the tree's size are ignored.
    pub fn push(&mut self, leaf: Digest) {
        for (range, _, frontier) in &mut self.subtrees {
            if range.contains(&self.next) {
                frontier.push(leaf);
            }
        }
        self.next = self.next.saturating_add(1);
    }

    /// The proof, from the leaf's sibling towards the root; `None` if not all leaves have gone by.
    #[must_use]
    pub fn finish(mut self) -> Option<Vec<Digest>> {
        self.subtrees.sort_by_key(|(_, place, _)| *place);
        (self.next >= self.size).then(|| self.subtrees.iter().map(|(_, _, frontier)| frontier.root()).collect())
    }
}

/// The largest power of two that is smaller than `n`, for `n` of at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Whether the proof shows that `leaf` stands at `index` in the tree of `size` leaves with this root (RFC 9162, section
/// 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the proof shows that the tree of `second` leaves begins with that of `first` leaves (RFC 9162, section
/// 2.1.4.2). Nothing can be shown from the empty tree, so `first` of 0 is never consistent.
#[must_use]
pub fn verify_consistency(first: u64, second: u64, proof: &[Digest], first_root: &Digest, second_root: &Digest) -> bool {
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return proof.is_empty() && first_root == second_root;
    }
    let (start, rest) = if first.is_power_of_two() {
        (*first_root, proof)
    } else {
        match proof.split_first() {
            Some((start, rest)) => (*start, rest),
            None => return false,
        }
    };
    let shift = (first - 1).trailing_ones();
    let (mut place, mut last) = ((first - 1).checked_shr(shift).unwrap_or(0), (second - 1).checked_shr(shift).unwrap_or(0));
    let (mut old, mut new) = (start, start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old = node(sibling, &old);
            new = node(sibling, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node(&new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}
