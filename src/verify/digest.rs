//! Rows as numbers that can be added: the means by which two sides are compared without sorting either.
//!
//! What the seed is for: XXH3 is fast because it is no cryptographic hash. For a fixed seed anybody can make rows whose
//! digests are the same, or add up to the same. A proof draws its seed when all rows have long been written, so that
//! nobody could choose them to collide under it; by chance two tables agree in one of 2^128 cases. Afterwards the seed
//! stands in the certificate, for digests under another one could not be compared. So a later check against the
//! certificate finds accidents, and does not withstand somebody who knows the seed and forges rows on purpose. Nor would
//! a better hash of the rows alone help: sums modulo 2^128 are found to order by the generalised birthday attack
//! (Wagner, "A Generalized Birthday Problem", 2002) with far less work than 2^64. A sum, not an exclusive or: two equal
//! rows would cancel each other.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

use super::row::Exceptions;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_secret};

/// Makes 128-bit digests under a secret, so that rows cannot be made to collide beforehand.
#[derive(Debug, Clone)]
pub(super) struct Digester {
    secret: [u8; 192],
}

impl Digester {
    /// A digester whose secret follows from `seed`.
    pub(super) fn new(seed: u128) -> Digester {
        let mut secret = [0; 192];
        for (index, word) in secret.chunks_exact_mut(8).enumerate() {
            let mut input = [0; 24];
            input[..16].copy_from_slice(&seed.to_le_bytes());
            input[16..].copy_from_slice(&(index as u64).to_le_bytes());
            word.copy_from_slice(&xxh3_64_with_seed(&input, seed as u64).to_le_bytes());
        }
        Digester { secret }
    }

    /// The digest of some bytes.
    pub(super) fn digest(&self, bytes: &[u8]) -> u128 {
        xxh3_128_with_secret(bytes, &self.secret)
    }
}

/// What a run's digests are made under. As text 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Seed(u128);

impl Seed {
    /// One that nobody can foresee, from the standard library's own source of randomness.
    #[must_use]
    pub fn random() -> Seed {
        let half = || u128::from(RandomState::new().build_hasher().finish());
        Seed(half() << 64 | half())
    }
}

impl From<Seed> for u128 {
    fn from(seed: Seed) -> u128 {
        seed.0
    }
}

impl From<Seed> for String {
    fn from(seed: Seed) -> String {
        format!("{:032x}", seed.0)
    }
}

impl TryFrom<String> for Seed {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Seed, Self::Error> {
        u128::from_str_radix(&text, 16).map(Seed)
    }
}

/// Rows whose keys' digests fall together: how many, and the sum of their digests. Order does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) rows: u64,
    pub(super) sum: u128,
}

/// One side of one table.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    buckets: Vec<Bucket>,
    /// What is not in the target as it is, as `on_invalid` asks.
    pub(super) exceptions: Exceptions,
}

/// Which bucket a row is in. `count` is a power of two.
pub(super) fn bucket_of(key_digest: u128, count: usize) -> usize {
    key_digest as usize & (count - 1)
}

impl Buckets {
    /// `count` empty buckets; a power of two.
    pub(super) fn new(count: usize) -> Buckets {
        Buckets { buckets: vec![Bucket::default(); count], exceptions: Exceptions::default() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, key_digest: u128, row_digest: u128) {
        let at = bucket_of(key_digest, self.buckets.len());
        let bucket = &mut self.buckets[at];
        bucket.rows += 1;
        bucket.sum = bucket.sum.wrapping_add(row_digest);
    }

    /// Takes a row away that was added, and counts it among the rejected. Gives whether there was any of its bucket.
    pub(super) fn remove(&mut self, key_digest: u128, row_digest: u128) -> bool {
        let at = bucket_of(key_digest, self.buckets.len());
        let bucket = &mut self.buckets[at];
        let Some(rows) = bucket.rows.checked_sub(1) else { return false };
        bucket.rows = rows;
        bucket.sum = bucket.sum.wrapping_sub(row_digest);
        self.exceptions.rejected += 1;
        true
    }

    /// Adds another reader's part of the same side.
    pub(super) fn merge(&mut self, other: &Buckets) {
        for (bucket, part) in self.buckets.iter_mut().zip(&other.buckets) {
            bucket.rows += part.rows;
            bucket.sum = bucket.sum.wrapping_add(part.sum);
        }
        self.exceptions += other.exceptions;
    }

    /// Rows in all buckets.
    pub(super) fn rows(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.rows).sum()
    }

    /// The digest of the whole side, 32 hexadecimal digits; the same for the same rows, however many the buckets.
    pub(super) fn digest(&self, digester: &Digester) -> String {
        let sum = self.buckets.iter().fold(0_u128, |sum, bucket| sum.wrapping_add(bucket.sum));
        let mut input = [0; 24];
        input[..16].copy_from_slice(&sum.to_le_bytes());
        input[16..].copy_from_slice(&self.rows().to_le_bytes());
        format!("{:032x}", digester.digest(&input))
    }

    /// The buckets that differ from the other side's: position, the source's, the target's.
    pub(super) fn differing<'a>(
        &'a self,
        target: &'a Buckets,
    ) -> impl Iterator<Item = (usize, Bucket, Bucket)> + 'a {
        let pairs = self.buckets.iter().zip(&target.buckets).enumerate();
        pairs
            .filter(|(_, (source, target))| source != target)
            .map(|(at, (source, target))| (at, *source, *target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_does_not_matter_but_their_number_does() {
        let digester = Digester::new(7);
        let rows: Vec<u128> = (0_u32..100).map(|row| digester.digest(&row.to_be_bytes())).collect();
        let side = |rows: &mut dyn Iterator<Item = &u128>| {
            let mut buckets = Buckets::new(16);
            rows.for_each(|&row| buckets.add(row, row));
            buckets
        };
        let (there, back) = (side(&mut rows.iter()), side(&mut rows.iter().rev()));
        assert_eq!(there.digest(&digester), back.digest(&digester));
        assert_eq!(there.differing(&back).count(), 0);
        let twice = side(&mut rows.iter().chain(&rows[..1]));
        assert_eq!(twice.differing(&there).count(), 1);
        assert_ne!(twice.digest(&digester), there.digest(&digester));
        let mut merged = side(&mut rows[..50].iter());
        merged.merge(&side(&mut rows[50..].iter()));
        assert_eq!(merged.digest(&digester), there.digest(&digester));
    }

    #[test]
    fn another_seed_is_another_digest() {
        assert_ne!(Digester::new(1).digest(b"row"), Digester::new(2).digest(b"row"));
        let seed = Seed::random();
        assert_ne!(seed, Seed::random());
        assert_eq!(Seed::try_from(String::from(seed)), Ok(seed));
        assert_eq!(String::from(Seed(7)).len(), 32);
    }
}
