//! Quantiles and tails of the distributions that limits need, on top of `statrs`.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal, StudentsT};

/// The standard normal quantile of `p`.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// P(Z ≥ z) of the standard normal distribution.
pub fn normal_tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// P(Z ≤ z) of the standard normal distribution.
pub(super) fn normal_below(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The quantile of `p` of Student's t with `df` degrees of freedom. Infinite if there are none.
pub fn student_quantile(p: f64, df: f64) -> f64 {
    let Ok(t) = StudentsT::new(0.0, 1.0, df) else { return f64::INFINITY };
    if p < 0.5 {
        return -student_quantile(1.0 - p, df);
    }
    // The library's inverse is a few digits short; its tail function is not, so Newton's steps refine it.
    let mut quantile = t.inverse_cdf(p);
    let ln_density = |x: f64| {
        statrs::function::gamma::ln_gamma(f64::midpoint(df, 1.0))
            - statrs::function::gamma::ln_gamma(df / 2.0)
            - 0.5 * (df * std::f64::consts::PI).ln()
            - f64::midpoint(df, 1.0) * (x * x / df).ln_1p()
    };
    for _ in 0..4 {
        let step = (t.sf(quantile) - (1.0 - p)) / ln_density(quantile).exp();
        if !step.is_finite() || step.abs() <= 1e-15 * quantile.abs() {
            break;
        }
        quantile += step;
    }
    quantile
}

/// P(X ≤ k) for X ~ Bin(n, p).
pub fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    Binomial::new(p, n).map_or(f64::NAN, |binomial| binomial.cdf(k))
}

/// P(X ≥ k) for X ~ Bin(n, p).
pub fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    match k.checked_sub(1) {
        None => 1.0,
        Some(below) => Binomial::new(p, n).map_or(f64::NAN, |binomial| binomial.sf(below)),
    }
}

/// P(X = k) for X ~ Bin(n, ½).
pub(super) fn fair_coin(k: u64, n: u64) -> f64 {
    use statrs::distribution::Discrete;
    Binomial::new(0.5, n).map_or(f64::NAN, |binomial| binomial.pmf(k))
}
