//! Derives limits for a metric from its current values.

use crate::run::Decimal;

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    Higher,
    Lower,
}

/// Parts of metric names that mean higher is better.
const HIGHER: [&str; 26] = [
    "f1",
    "accuracy",
    "acc",
    "precision",
    "recall",
    "auc",
    "roc",
    "r2",
    "ap",
    "map",
    "ndcg",
    "mrr",
    "bleu",
    "rouge",
    "rougel",
    "meteor",
    "iou",
    "dice",
    "mcc",
    "kappa",
    "score",
    "hit",
    "top1",
    "top5",
    "sensitivity",
    "specificity",
];
/// Parts of metric names that mean lower is better.
const LOWER: [&str; 27] = [
    "loss",
    "logloss",
    "rmse",
    "mae",
    "mse",
    "mape",
    "smape",
    "error",
    "err",
    "latency",
    "ece",
    "brier",
    "perplexity",
    "ppl",
    "wer",
    "cer",
    "fid",
    "ms",
    "seconds",
    "cost",
    "bytes",
    "toxicity",
    "deviance",
    "hinge",
    "fpr",
    "fnr",
    "eer",
];
/// Parts of metric names that say nothing about the model.
const NO_QUALITY: [&str; 8] = ["train", "runtime", "epoch", "step", "steps", "samples", "lr", "flos"];

/// Whether higher or lower is better, by the metric's name; `None` if the name does not say, or does not measure
/// quality.
pub(super) fn better(name: &str) -> Option<Better> {
    let lower = name.to_lowercase();
    let parts: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let any = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    match () {
        () if any(&NO_QUALITY) => None,
        () if any(&LOWER) => Some(Better::Lower),
        () if any(&HIGHER) => Some(Better::Higher),
        () => None,
    }
}

/// The limits as written in a policy, such as `min: 0.8, max_drop: 0.01`; `None` if the values allow none. `shown` is
/// the margin that the predictions can show with `confidence`; the allowed change is at least that.
pub(super) fn limits(
    values: &[Decimal],
    better: Better,
    rows: Option<u64>,
    shown: Option<f64>,
) -> Option<String> {
    let numbers: Vec<f64> = values.iter().filter_map(|value| value.written().parse().ok()).collect();
    let low = numbers.iter().copied().reduce(f64::min)?;
    let high = numbers.iter().copied().reduce(f64::max)?;
    let is_share = low >= 0.0 && high <= 1.0;
    let worst = if better == Better::Higher { low } else { high };
    let shown = shown.filter(|_| is_share && better == Better::Higher);
    let change = match shown {
        Some(margin) => up(allowed_change(low, high, None).max(high - low + margin)),
        None if is_share => allowed_change(low, high, rows),
        None => 0.0,
    };
    // Leave room below the worst existing run, so that only clearly broken runs are stopped.
    let room = (worst.abs() * 0.05).max(change);
    // A share of a value below or near zero means little.
    let relative = is_share || low > 0.0;
    let share_of =
        |base: f64, least: f64| format!("{}%", plain(((high - low) / base * 100.0).max(least).ceil()));
    let (bound, words, number) = match better {
        Better::Higher => (floor(worst - room), ("min", "max_drop"), share_of(high, 1.0)),
        Better::Lower => (ceil(worst + room), ("max", "max_rise"), share_of(low, 5.0)),
    };
    if !bound.is_finite() {
        return None;
    }
    let number = if is_share { plain(change) } else { number };
    let bound = format!("{}: {}", words.0, plain(bound));
    let confidence = if shown.is_some() { ", confidence: 95%" } else { "" };
    Some(if relative { format!("{bound}, {}: {number}{confidence}", words.1) } else { bound })
}

/// The allowed change of a share: 1 % of it, the change by chance alone with that many examples, or the range
/// of the existing runs, whichever is largest.
///
/// Two runs on `n` examples differ by chance with a standard deviation of at most `sqrt(2 p (1 - p) / n)`.
fn allowed_change(low: f64, high: f64, rows: Option<u64>) -> f64 {
    let share = f64::midpoint(low, high);
    let noise = rows.filter(|rows| *rows > 0).map_or(0.0, |rows| {
        #[expect(clippy::cast_precision_loss, reason = "a number of examples")]
        let rows = rows as f64;
        (2.0 * share * (1.0 - share) / rows).sqrt()
    });
    let change = (share * 0.01).max(noise).clamp(0.001, 0.05).max(high - low);
    up(change)
}

/// Rounds up to three decimals.
fn up(change: f64) -> f64 {
    (change * 1000.0 - 1e-6).ceil() / 1000.0
}

/// Rounds down to two significant digits.
fn floor(number: f64) -> f64 {
    rounded(number, f64::floor)
}

fn ceil(number: f64) -> f64 {
    rounded(number, f64::ceil)
}

fn rounded(number: f64, round: fn(f64) -> f64) -> f64 {
    if number == 0.0 {
        return 0.0;
    }
    let scale = 10f64.powf(1.0 - number.abs().log10().floor());
    round(number * scale) / scale
}

/// Writes a number for a policy: digits and a point, no exponent.
fn plain(number: f64) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Better, better, limits};
    use crate::run::Decimal;

    fn decimals(values: &[&str]) -> Vec<Decimal> {
        values.iter().map(|value| Decimal::parse(value).expect("a number")).collect()
    }

    #[test]
    fn the_name_tells_which_way_is_better() {
        for name in ["f1", "roc_auc", "val/accuracy", "eval_rougeL", "r2"] {
            assert_eq!(better(name), Some(Better::Higher), "{name}");
        }
        for name in ["val_loss", "rmse", "latency_p95_ms", "ece", "error_rate"] {
            assert_eq!(better(name), Some(Better::Lower), "{name}");
        }
        for name in ["train_f1", "rows", "eval_runtime", "customers", "epoch"] {
            assert_eq!(better(name), None, "{name}");
        }
    }

    #[test]
    fn every_run_that_is_there_is_within_the_limits() {
        for (values, way) in [
            (vec!["0.842", "0.851"], Better::Higher),
            (vec!["0", "0"], Better::Higher),
            (vec!["1", "1.0"], Better::Higher),
            (vec!["0.031"], Better::Lower),
            (vec!["118.2", "97"], Better::Lower),
            (vec!["-3.5", "-2"], Better::Higher),
        ] {
            let text = limits(&decimals(&values), way, Some(200), None).expect("limits");
            let bound: f64 = text.split([' ', ',']).nth(1).and_then(|text| text.parse().ok()).expect(&text);
            for value in values {
                let value: f64 = value.parse().expect("a number");
                assert!(
                    if way == Better::Higher { bound <= value } else { bound >= value },
                    "{text}: {value}"
                );
            }
        }
    }

    #[test]
    fn runs_that_differ_more_than_usual_are_within_the_limits_of_each_other() {
        let of = |values: &[&str], way| limits(&decimals(values), way, None, None).expect("limits");
        assert_eq!(of(&["0.82", "0.81"], Better::Higher), "min: 0.76, max_drop: 0.01");
        assert_eq!(of(&["100", "120"], Better::Lower), "max: 130, max_rise: 20%");
        assert_eq!(of(&["-2"], Better::Higher), "min: -2.1");
    }

    #[test]
    fn few_examples_allow_a_larger_change() {
        let of = |rows| limits(&decimals(&["0.8"]), Better::Higher, rows, None).expect("limits");
        assert_eq!(of(Some(1_000_000)), "min: 0.76, max_drop: 0.008");
        assert_eq!(of(Some(500)), "min: 0.76, max_drop: 0.026");
    }

    #[test]
    fn what_predictions_can_show_is_the_least_that_is_allowed() {
        let of =
            |values: &[&str], way| limits(&decimals(values), way, Some(500), Some(0.0214)).expect("limits");
        assert_eq!(of(&["0.8"], Better::Higher), "min: 0.76, max_drop: 0.022, confidence: 95%");
        assert_eq!(of(&["0.8", "0.81"], Better::Higher), "min: 0.76, max_drop: 0.032, confidence: 95%");
        assert_eq!(of(&["0.3"], Better::Lower), "max: 0.33, max_rise: 0.029");
    }
}
