//! Agreement beyond chance: Matthews' correlation and Cohen's kappa.

use super::{Confusion, Score};

/// Matthews' correlation coefficient for any number of classes (Gorodkin 2004); 0 where a side is constant.
pub(super) fn mcc(confusion: &Confusion) -> Score {
    let classes = confusion.classes();
    let total = confusion.total();
    let dot = |product: fn(&super::confusion::ClassSums) -> f64| {
        total * total - crate::stats::sum(classes.iter().map(product))
    };
    let covariance = confusion.hits() * total
        - crate::stats::sum(classes.iter().map(|class| class.truth * class.predicted));
    let truth = dot(|class| class.truth * class.truth);
    let predicted = dot(|class| class.predicted * class.predicted);
    if total <= 0.0 {
        return Score::undefined();
    }
    // For a constant side, the difference of squares is 0 up to rounding.
    if truth <= 1e-15 * total * total || predicted <= 1e-15 * total * total {
        return Score { value: 0.0, warned: true };
    }
    Score::defined(covariance / (truth.sqrt() * predicted.sqrt()))
}

/// Cohen's kappa; with `quadratic`, a mistake costs the square of its distance in the declared order.
pub(super) fn kappa(confusion: &Confusion, quadratic: bool) -> Score {
    let classes = confusion.classes();
    let total = confusion.total();
    let cost = |a: u32, b: u32| {
        let distance = f64::from(a.abs_diff(b));
        if quadratic { distance * distance } else { f64::from(u8::from(a != b)) }
    };
    let observed = crate::stats::sum(
        confusion.cells().map(|(truth, predicted, weight)| cost(truth, predicted) * weight),
    );
    let expected = crate::stats::sum(classes.iter().flat_map(|truth| {
        classes
            .iter()
            .map(move |predicted| cost(truth.class, predicted.class) * truth.truth * predicted.predicted)
    })) / total;
    if expected == 0.0 { Score::undefined() } else { Score::defined(1.0 - observed / expected) }
}
