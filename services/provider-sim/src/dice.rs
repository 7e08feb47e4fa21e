//! Pseudo-random numbers that are the same on every machine and with every version of every library.

/// SplitMix64: tiny, seedable, good enough for ids and choices, useless for secrets.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// A stream fixed by `seed` and `purpose`: streams of different purposes do not disturb each other.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: the standard library does not promise that its hashes stay the same.
        let hash = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self { state: seed ^ hash }
    }

    /// The next 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        let product = u128::from(self.next()) * (bound as u128);
        (product >> 64) as usize
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True with probability `p` (0.0 never, 1.0 always).
    pub fn chance(&mut self, p: f64) -> bool {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < p
    }

    /// `count` letters and digits.
    pub fn text(&mut self, count: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        (0..count)
            .map(|_| char::from(ALPHABET[self.below(ALPHABET.len())]))
            .collect()
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeds written into test files of other programs must keep their meaning: the first values are pinned.
    #[test]
    fn the_stream_is_pinned_by_seed_and_purpose() {
        let mut dice = Dice { state: 0 };
        assert_eq!(dice.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(Dice::new(7, "a").text(8), Dice::new(7, "a").text(8));
        assert_ne!(Dice::new(7, "a").text(8), Dice::new(7, "b").text(8));
        assert_ne!(Dice::new(7, "a").text(8), Dice::new(8, "a").text(8));
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut dice = Dice::new(1, "range");
        let drawn: Vec<usize> = (0..500).map(|_| dice.between(2, 4)).collect();
        assert!(
            drawn.iter().all(|n| (2..=4).contains(n)) && drawn.contains(&2) && drawn.contains(&4)
        );
        assert!(!dice.chance(0.0) && dice.chance(1.0));
    }
}
