//! The words that take a limit.

/// A word that takes a limit. It carries the direction, so nothing guesses whether more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKind {
    /// At least this.
    Min,
    /// At most this.
    Max,
    /// May fall by at most this against the baseline.
    MaxDrop,
    /// Must rise by at least this.
    MinRise,
    /// May rise by at most this.
    MaxRise,
    /// Must fall by at least this.
    MinDrop,
    /// May differ by at most this, either way.
    MaxChange,
    /// The best slice may be above the worst by at most this.
    MaxGap,
    /// The worst slice must be at least this share of the best.
    MinRatio,
    /// The gap between slices may rise by at most this against the baseline's.
    MaxGapRise,
}

/// Every word, in the order in which the documentation lists them.
pub const LIMIT_KINDS: [LimitKind; 10] = [
    LimitKind::Min,
    LimitKind::Max,
    LimitKind::MaxDrop,
    LimitKind::MinRise,
    LimitKind::MaxRise,
    LimitKind::MinDrop,
    LimitKind::MaxChange,
    LimitKind::MaxGap,
    LimitKind::MinRatio,
    LimitKind::MaxGapRise,
];

impl LimitKind {
    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::MaxDrop => "max_drop",
            Self::MinRise => "min_rise",
            Self::MaxRise => "max_rise",
            Self::MinDrop => "min_drop",
            Self::MaxChange => "max_change",
            Self::MaxGap => "max_gap",
            Self::MinRatio => "min_ratio",
            Self::MaxGapRise => "max_gap_rise",
        }
    }

    /// Finds a word by its name.
    pub fn named(name: &str) -> Option<Self> {
        LIMIT_KINDS.into_iter().find(|word| word.name() == name)
    }

    /// Whether it compares with the baseline.
    pub fn is_relative(self) -> bool {
        !matches!(self, Self::Min | Self::Max | Self::MaxGap | Self::MinRatio)
    }

    /// Whether it limits how far slices are apart.
    pub fn is_of_slices(self) -> bool {
        matches!(self, Self::MaxGap | Self::MinRatio | Self::MaxGapRise)
    }

    /// Whether it treats a higher value as better; `None` if it implies no direction.
    pub fn higher_is_better(self) -> Option<bool> {
        match self {
            Self::MaxDrop | Self::MinRise => Some(true),
            Self::MaxRise | Self::MinDrop => Some(false),
            Self::Min | Self::Max | Self::MaxChange | Self::MaxGap | Self::MinRatio | Self::MaxGapRise => {
                None
            }
        }
    }

    /// The opposite word, for a limit below zero.
    pub(crate) fn opposite(self) -> &'static str {
        match self {
            Self::MaxDrop => "min_rise",
            Self::MinRise => "max_drop",
            Self::MaxRise => "min_drop",
            Self::MinDrop => "max_rise",
            Self::Min | Self::Max | Self::MaxChange | Self::MaxGap | Self::MinRatio | Self::MaxGapRise => {
                "none"
            }
        }
    }
}
