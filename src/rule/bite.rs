//! Limits that let everything through: `max_drop: 5` on a metric between 0 and 1, which was meant as `5%`.

use super::compare::{Subject, is_share};
use super::{Amount, Limit};
use crate::code::codes;
use crate::run::Decimal;
use crate::verdict::{Finding, LimitKind};

codes! {
    CANNOT_BITE = "limit/cannot-bite": "A limit against the baseline is so wide that hardly any value can break it. This is a warning.";
    UNIT_CHANGED = "limit/unit-changed": "A metric seems to be in another unit than in the baseline, such as per cent. This is a warning.";
}

/// Warns if a limit is at least as large as the value that it limits.
pub(super) fn without_bite(limit: &Limit, subject: &Subject<'_>) -> Option<Finding> {
    let baseline = subject.baseline.filter(|baseline| !baseline.is_zero())?;
    if !matches!(limit.word, LimitKind::MaxDrop | LimitKind::MaxRise | LimitKind::MaxChange) {
        return None;
    }
    let (word, written) = (limit.word.name(), &limit.written);
    let (wide, why) = match &limit.amount {
        Amount::Percent(percent) => (
            *percent >= Decimal::whole(100),
            format!("`{word}: {written}` allows a change as large as the baseline itself, {baseline}"),
        ),
        Amount::Absolute(amount) => (
            is_wide(limit.word, amount, baseline, subject.candidate),
            format!(
                "`{word}: {written}` is so wide that hardly any value can break it; the baseline is {baseline}"
            ),
        ),
    };
    let help = match &limit.amount {
        Amount::Absolute(amount) if *amount >= Decimal::whole(1) && *amount < Decimal::whole(100) => {
            format!(
                "for per cent, write `{word}: {written}%`; otherwise, write a smaller limit in the metric's own units"
            )
        }
        _ => format!("write a smaller limit, such as `{word}: 5%`"),
    };
    wide.then(|| {
        Finding::new(CANNOT_BITE, why)
            .at(subject.path.clone(), "hardly any value would fail")
            .subject(subject.name)
            .help(help)
    })
}

/// Whether an amount in a metric's own units is too wide. A drop is too wide if it reaches the value's whole
/// magnitude. A rise has such a bound only if the metric is a share, between 0 and 1.
fn is_wide(word: LimitKind, amount: &Decimal, baseline: &Decimal, candidate: &Decimal) -> bool {
    let one = Decimal::whole(1);
    let both_shares = is_share(baseline) && is_share(candidate);
    match word {
        LimitKind::MaxDrop => *amount >= baseline.magnitude(),
        // Hardly any value rises by ten times itself.
        _ => both_shares && *amount >= one || *amount >= baseline.magnitude().times(&Decimal::whole(10)),
    }
}

/// Warns if a metric was a share and is per cent now, or vice versa, or changed by a factor of a thousand.
pub(super) fn unit_changed(subject: &Subject<'_>) -> Option<Finding> {
    let baseline = subject.baseline?;
    let (candidate, before) = (subject.candidate.magnitude(), baseline.magnitude());
    let (small, large) = if candidate < before { (&candidate, &before) } else { (&before, &candidate) };
    let one = Decimal::whole(1);
    if small.is_zero() || subject.candidate.is_negative() != baseline.is_negative() || *large <= one {
        return None;
    }
    let about = |factor: i64| {
        let middle = small.times(&Decimal::whole(factor));
        let two = Decimal::whole(2);
        large.times(&two) >= middle && *large <= middle.times(&two)
    };
    let factor = match (*small <= one && about(100), about(1000)) {
        (true, _) => 100,
        (_, true) => 1000,
        _ => return None,
    };
    let message = format!(
        "{} went from {baseline} to {}, about {factor} times: is it in the same unit?",
        subject.said, subject.candidate
    );
    Some(
        Finding::new(UNIT_CHANGED, message)
            .at(subject.path.clone(), format!("the baseline has {baseline}"))
            .subject(subject.name)
            .help("record both runs in the same unit; comparing different units is meaningless"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Path, Span};

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a number")
    }

    fn warning(word: LimitKind, written: &str, candidate: &str, baseline: &str) -> Option<Finding> {
        let amount = match written.strip_suffix('%') {
            Some(percent) => Amount::Percent(decimal(percent)),
            None => Amount::Absolute(decimal(written)),
        };
        let limit = Limit { word, amount, written: written.into(), span: Span::default() };
        let (candidate, baseline) = (decimal(candidate), decimal(baseline));
        let subject = Subject {
            name: "f1",
            said: "`f1`",
            path: Path::root(),
            candidate: &candidate,
            baseline: Some(&baseline),
            of: None,
            slice: None,
        };
        without_bite(&limit, &subject).or_else(|| unit_changed(&subject))
    }

    #[test]
    fn a_limit_that_everything_keeps_is_said() {
        let wide = warning(LimitKind::MaxDrop, "5", "0.9", "0.91").expect("a warning");
        assert!(wide.diagnostic.help.is_some_and(|help| help.contains("max_drop: 5%")));
        for (word, written) in [
            (LimitKind::MaxDrop, "500%"),
            (LimitKind::MaxDrop, "0.91"),
            (LimitKind::MaxRise, "500%"),
            (LimitKind::MaxRise, "1"),
            (LimitKind::MaxChange, "2"),
        ] {
            assert!(warning(word, written, "0.9", "0.91").is_some(), "{written}");
        }
        for (word, written) in [
            (LimitKind::MaxDrop, "0.9"),
            (LimitKind::MaxDrop, "5%"),
            (LimitKind::MaxRise, "0.5"),
            (LimitKind::MinDrop, "5"),
        ] {
            assert!(warning(word, written, "0.9", "0.91").is_none(), "{written}");
        }
        assert!(warning(LimitKind::MaxRise, "150", "101", "100").is_none(), "a latency may double");
    }

    #[test]
    fn a_change_of_unit_is_said() {
        for (candidate, baseline) in [("92.0", "0.91"), ("0.92", "91"), ("120", "0.11"), ("-91", "-0.9")] {
            assert!(warning(LimitKind::MaxDrop, "0.01", candidate, baseline).is_some(), "{candidate}");
        }
        for (candidate, baseline) in
            [("0.92", "0.91"), ("0.9", "0.009"), ("5", "1"), ("92", "-0.91"), ("3", "0")]
        {
            assert!(warning(LimitKind::MaxDrop, "0.001", candidate, baseline).is_none(), "{candidate}");
        }
    }
}
