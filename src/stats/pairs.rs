//! Right and wrong decisions of two models on the same cases.

use super::distribution::{binomial_at_least, binomial_at_most, fair_coin};
use super::limits::{Confidence, Limits, Verdict};

/// The four counts of paired decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RightWrong {
    /// Both models are right.
    pub both_right: u64,
    /// Only the candidate is right.
    pub gained: u64,
    /// Only the baseline is right.
    pub lost: u64,
    /// Both are wrong.
    pub both_wrong: u64,
}

/// Tests of "both are right equally often". Shown beside an interval; they decide nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Exact, two-sided.
    pub exact: f64,
    /// Mid-p, two-sided (Fagerland, Lydersen, Laake 2013).
    pub mid_p: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

impl RightWrong {
    /// Adds a case.
    pub fn add(&mut self, baseline_right: bool, candidate_right: bool) {
        match (baseline_right, candidate_right) {
            (true, true) => self.both_right += 1,
            (false, true) => self.gained += 1,
            (true, false) => self.lost += 1,
            (false, false) => self.both_wrong += 1,
        }
    }

    /// How many cases.
    pub fn n(&self) -> u64 {
        self.both_right + self.gained + self.lost + self.both_wrong
    }

    /// Cases that exactly one of the two models gets right.
    pub fn discordant(&self) -> u64 {
        self.gained + self.lost
    }

    /// The candidate's share of right decisions minus the baseline's.
    pub fn difference(&self) -> f64 {
        (float(self.gained) - float(self.lost)) / float(self.n())
    }

    /// Tango's score limits of the difference (Tango 1998, *Statistics in Medicine* 17, 891–908). They are
    /// open if there are no cases.
    pub fn tango(&self, confidence: Confidence) -> Limits {
        if self.n() == 0 {
            return Limits::OPEN;
        }
        tango_limits(float(self.gained), float(self.lost), float(self.n()), confidence)
    }

    /// Whether the difference is at least −`margin`, by Tango's limits with the edge rule.
    ///
    /// If nothing was gained, Tango alone passes too often: up to 6.8 % at nominal 5 %, and 19 % at nominal
    /// 10 %. An exact binomial test of the losses then has to agree: at a true difference of −`margin` they
    /// are Bin(n, margin) if nothing can be gained.
    pub fn at_least(&self, margin: f64, confidence: Confidence) -> Verdict {
        let verdict = self.tango(confidence).at_least(-margin);
        if self.gained > 0 || !(0.0..=1.0).contains(&margin) {
            return verdict;
        }
        let alpha = confidence.alpha();
        let agrees = match verdict {
            Verdict::Shown => binomial_at_most(self.lost, self.n(), margin) <= alpha,
            Verdict::Refuted => binomial_at_least(self.lost, self.n(), margin) <= alpha,
            Verdict::Open => true,
        };
        if agrees { verdict } else { Verdict::Open }
    }

    /// Limits that agree with [`Self::at_least`]: Tango's, widened to the exact binomial limits of the losses
    /// (Clopper–Pearson) if nothing was gained.
    pub fn limits(&self, confidence: Confidence) -> Limits {
        let tango = self.tango(confidence);
        if self.gained > 0 || self.n() == 0 {
            return tango;
        }
        let (lost, n, alpha) = (self.lost, self.n(), confidence.alpha());
        let most = root(0.0, 1.0, |p| binomial_at_most(lost, n, p) > alpha);
        let least = root(0.0, 1.0, |p| binomial_at_least(lost, n, p) <= alpha);
        let least = if lost == 0 { f64::INFINITY } else { -least };
        Limits {
            lower: tango.lower.min(-most),
            upper: if least.is_finite() { tango.upper.max(least) } else { tango.upper },
        }
    }

    /// The smallest number of the candidate's wrong decisions that would have to be right until `is_enough`.
    /// `None` if even all of them are not enough.
    ///
    /// Fixing a case that only the baseline gets right counts most, because it also makes the models differ
    /// less. But the exact test of [`Self::limits`] applies until something is gained, so fixing one case
    /// that both get wrong may count more.
    pub fn more_right(&self, is_enough: impl Fn(&Self) -> bool) -> Option<u64> {
        let after = |more: u64, new: u64| {
            let regained = (more - new).min(self.lost);
            let gained = more - regained;
            Self {
                both_right: self.both_right + regained,
                gained: self.gained + gained,
                lost: self.lost - regained,
                both_wrong: self.both_wrong - gained,
            }
        };
        let wrong = self.lost + self.both_wrong;
        let least = |from: u64, to: u64, new: u64| smallest(from, to, |more| is_enough(&after(more, new)));
        let gained_first = if self.both_wrong > 0 { least(1, wrong, 1) } else { None };
        [least(1, self.lost, 0), least(self.lost + 1, wrong, 0), gained_first].into_iter().flatten().min()
    }

    /// `McNemar`'s test, exact and mid-p.
    pub fn mcnemar(&self) -> McNemar {
        let (discordant, fewer) = (self.discordant(), self.gained.min(self.lost));
        if discordant == 0 {
            return McNemar { exact: 1.0, mid_p: 1.0 };
        }
        let tail = 2.0 * binomial_at_most(fewer, discordant, 0.5);
        McNemar { exact: tail.min(1.0), mid_p: (tail - fair_coin(fewer, discordant)).min(1.0) }
    }
}

/// Tango's statistic of "the difference is `at`", by counts that need not be whole.
fn statistic(gained: f64, lost: f64, n: f64, at: f64) -> f64 {
    let a = 2.0 * n;
    let b = -gained - lost + (2.0 * n - gained + lost) * at;
    let c = -lost * at * (1.0 - at);
    let constrained = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
    let variance = n * (2.0 * constrained + at * (1.0 - at));
    let top = gained - lost - n * at;
    if variance > 0.0 {
        top / variance.sqrt()
    } else if top == 0.0 {
        0.0
    } else {
        f64::INFINITY.copysign(top)
    }
}

/// Tango's limits for counts that need not be whole, as in a larger imagined sample with the same shares.
pub(super) fn tango_limits(gained: f64, lost: f64, n: f64, confidence: Confidence) -> Limits {
    let z = confidence.z();
    let difference = (gained - lost) / n;
    // The statistic falls as `at` rises.
    let lower = if difference <= -1.0 {
        -1.0
    } else {
        root(-1.0, difference, |at| statistic(gained, lost, n, at) > z)
    };
    let upper = if difference >= 1.0 {
        1.0
    } else {
        root(difference, 1.0, |at| statistic(gained, lost, n, at) >= -z)
    };
    Limits { lower, upper }
}

/// The smallest number from `from` to `to` for which `is_true`; it must be true for all larger ones, too.
pub fn smallest(from: u64, to: u64, is_true: impl Fn(u64) -> bool) -> Option<u64> {
    if from > to || !is_true(to) {
        return None;
    }
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_true(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// Where `above` turns from true to false between `low` and `high`, to the last digit.
fn root(mut low: f64, mut high: f64, above: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..1100 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if above(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_the_edge_rule_agree() {
        let confidence = Confidence::new(0.95).expect("a confidence");
        for lost in [0, 1, 3, 12, 40] {
            for n in [41, 100, 133, 164, 500] {
                let pairs = RightWrong { both_right: n - lost, lost, ..RightWrong::default() };
                for margin in [0.005, 0.01, 0.02, 0.05, 0.1, 0.3] {
                    assert_eq!(
                        pairs.limits(confidence).at_least(-margin),
                        pairs.at_least(margin, confidence),
                        "{pairs:?} {margin}"
                    );
                }
            }
        }
    }

    /// Tries every way to get more cases right.
    fn by_trying(pairs: &RightWrong, is_enough: &dyn Fn(&RightWrong) -> bool) -> Option<u64> {
        let ways = |more: u64| {
            (0..=more.min(pairs.lost)).filter(move |regained| more - regained <= pairs.both_wrong).map(
                move |regained| RightWrong {
                    both_right: pairs.both_right + regained,
                    gained: pairs.gained + more - regained,
                    lost: pairs.lost - regained,
                    both_wrong: pairs.both_wrong - (more - regained),
                },
            )
        };
        (1..=pairs.lost + pairs.both_wrong).find(|more| ways(*more).any(|pairs| is_enough(&pairs)))
    }

    #[test]
    fn the_fewest_cases_that_would_be_enough() {
        let confidence = Confidence::new(0.95).expect("a confidence");
        let mut found = [0, 0];
        for (gained, lost, both_wrong, both_right) in [
            (0, 3, 0, 60),
            (0, 3, 9, 60),
            (0, 9, 20, 60),
            (1, 9, 4, 80),
            (5, 20, 3, 150),
            (20, 5, 30, 100),
            (0, 0, 12, 30),
            (7, 0, 5, 40),
        ] {
            let pairs = RightWrong { both_right, gained, lost, both_wrong };
            for bound in [-0.3, -0.1, -0.05, -0.02, 0.0, 0.02, 0.1] {
                let is_enough =
                    |pairs: &RightWrong| pairs.limits(confidence).at_least(bound) == Verdict::Shown;
                let expected = by_trying(&pairs, &is_enough);
                assert_eq!(pairs.more_right(is_enough), expected, "{pairs:?} {bound}");
                found[usize::from(expected.is_some())] += 1;
            }
        }
        assert!(found.iter().all(|count| *count > 5), "both happen: {found:?}");
    }

    #[test]
    fn no_case_shows_nothing() {
        let confidence = Confidence::new(0.9).expect("a confidence");
        assert_eq!(RightWrong::default().limits(confidence), Limits::OPEN);
    }
}
