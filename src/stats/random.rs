//! Random numbers from our own generator, so that no new version of a library changes a verdict.

/// `SplitMix64` (Steele, Lea and Flood 2014): the state is a counter, so that each resample has its own stream and
/// threads don't matter.
#[derive(Debug, Clone)]
pub struct Random(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The stream of one resample under a seed.
    pub fn stream(seed: u64, number: u64) -> Self {
        // Streams begin at mixed places, so that neighbours do not overlap.
        let mut start = Self(seed);
        let base = start.bits();
        Self(mix(base ^ mix(number.wrapping_mul(GOLDEN).wrapping_add(1))))
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A whole number below `bound`, by multiplication (Lemire 2019); the bias is below `bound`/2^64.
    pub fn below(&mut self, bound: u32) -> u32 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u32::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number at least 0 and below 1.
    pub fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let bits = (self.bits() >> 11) as f64;
        bits * (1.0 / 9_007_199_254_740_992.0)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
