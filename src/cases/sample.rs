//! What a metric is computed from: some of a run's cases, as plain numbers.

/// Cases in the order of their table, restricted to a slice.
///
/// Classes are numbers below `labels.len()`; `labels` is the declared order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The number of cases.
    pub n: usize,
    /// The labels, in declared order.
    pub labels: Vec<Box<str>>,
    /// The positive class, if there are two.
    pub positive: Option<u32>,
    /// The true class of each case. Empty if cases have no classes.
    pub truth: Vec<u32>,
    /// The predicted class of each case. Empty if there are no predictions.
    pub predicted: Vec<u32>,
    /// The score of the positive class.
    pub scores: Vec<f64>,
    /// The score of each class that has scores, case by case, in the order of `labels`.
    pub probabilities: Vec<f64>,
    /// The true value of each case, where it is a number.
    pub target: Vec<f64>,
    /// The predicted value of each case, where it is a number.
    pub estimate: Vec<f64>,
    /// The weight of each case. Empty if all cases weigh the same.
    pub weights: Vec<f64>,
}

impl Sample {
    /// The weight of a case.
    pub fn weight(&self, case: usize) -> f64 {
        self.weights.get(case).copied().unwrap_or(1.0)
    }

    /// How many classes have scores in `probabilities`. The extra class for unscored cases has none.
    pub fn scored_classes(&self) -> usize {
        self.probabilities.len().checked_div(self.n).unwrap_or(0)
    }

    /// The score of a class that has scores.
    pub fn probability(&self, case: usize, class: usize) -> f64 {
        self.probabilities[case * self.scored_classes() + class]
    }

    /// The total weight of all cases.
    pub fn total_weight(&self) -> f64 {
        crate::stats::sum((0..self.n).map(|case| self.weight(case)))
    }

    /// The weighted mean of `value` over all cases; NaN if the total weight is 0.
    pub fn mean(&self, value: impl Fn(usize) -> f64) -> f64 {
        crate::stats::sum((0..self.n).map(|case| self.weight(case) * value(case))) / self.total_weight()
    }

    /// The cases at these positions, in that order; a position may repeat.
    #[must_use]
    pub fn take(&self, cases: &[u32]) -> Self {
        fn pick<T: Copy>(values: &[T], cases: &[u32]) -> Vec<T> {
            if values.is_empty() {
                Vec::new()
            } else {
                cases.iter().map(|&case| values[case as usize]).collect()
            }
        }
        let classes = self.scored_classes();
        let probabilities = if self.probabilities.is_empty() {
            Vec::new()
        } else {
            cases
                .iter()
                .flat_map(|&case| &self.probabilities[case as usize * classes..(case as usize + 1) * classes])
                .copied()
                .collect()
        };
        Self {
            n: cases.len(),
            labels: self.labels.clone(),
            positive: self.positive,
            truth: pick(&self.truth, cases),
            predicted: pick(&self.predicted, cases),
            scores: pick(&self.scores, cases),
            probabilities,
            target: pick(&self.target, cases),
            estimate: pick(&self.estimate, cases),
            weights: pick(&self.weights, cases),
        }
    }
}
