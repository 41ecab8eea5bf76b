//! Sums that do not accumulate rounding errors.

/// Neumaier's compensated sum, in the order given: the error of rounding does not grow with the number of terms.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        if next.is_finite() {
            lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        }
        total = next;
    }
    total + lost
}
