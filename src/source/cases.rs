//! Metrics over the cases of an evaluation. A case with an error counts as wrong, and is also counted separately.

use indexmap::IndexMap;

use crate::document::{Map, Node, Path, Span, Value, sha256};
use crate::run::CaseResult;
use crate::source::Tracked;

/// A number with the fewest digits that parse back to it; NaN if it is not finite.
pub(super) fn number(value: f64) -> Value {
    if value.is_finite() {
        Value::Number(format!("{value:?}").into())
    } else {
        Value::NotFinite("NaN".into())
    }
}

/// A metric measured over `n` cases.
pub(super) fn over(value: f64, n: usize, higher: Option<bool>) -> Node {
    let mut map = Map::default();
    map.insert("value", Span::default(), Node::made(number(value)));
    map.insert("n", Span::default(), Node::made(Value::Number(n.to_string().into())));
    if let Some(higher) = higher {
        map.insert("higher_is_better", Span::default(), Node::made(Value::Bool(higher)));
    }
    Node::made(Value::Map(map))
}

/// Averages the repeats of each case.
pub(super) fn by_case(values: &[(String, f64)]) -> IndexMap<&str, f64> {
    let mut sums: IndexMap<&str, (f64, usize)> = IndexMap::new();
    for (id, value) in values {
        let (sum, count) = sums.entry(id).or_default();
        *sum += value;
        *count += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "cases are counted in thousands")]
    sums.into_iter().map(|(id, (sum, count))| (id, sum / count as f64)).collect()
}

/// The mean over cases; `None` if there are none.
pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    #[expect(clippy::cast_precision_loss, reason = "cases are counted in thousands")]
    let mean = values.sum::<f64>() / count as f64;
    (count > 0).then_some(mean)
}

/// Records which cases a run was measured on: their number, and a digest over their ids that ignores order.
pub(super) fn measured_on(ids: &mut Vec<&str>, from: &str, run: &mut Tracked) {
    ids.sort_unstable();
    ids.dedup();
    let at = Path::of(["validation"]);
    run.put(&at.key("rows"), Value::Number(ids.len().to_string().into()), from);
    run.text(&at.key("digest"), Some(&digest_of(ids)), from);
}

/// A digest over ids that ignores their order.
pub(super) fn digest_of(ids: &[&str]) -> String {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    format!("sha256:{}", sha256(ids.join("\n").as_bytes()))
}

/// Records how many cases ended in an error, and notes that they count as wrong.
pub(super) fn errors(number: usize, of: usize, metrics: &mut Map, run: &mut Tracked) {
    let count = Node::made(Value::Number(number.to_string().into()));
    metrics.insert("errors", Span::default(), super::tracked::directed(count, Some(false)));
    if number > 0 {
        run.notes.push(format!(
            "{number} of {of} results are errors, such as a rate limit or a timeout, and count as wrong. To \
             refuse such an evaluation, add `errors: {{ max: 0 }}` to the policy"
        ));
    }
}

/// A score as a decimal, exactly as written.
pub(super) fn decimal(node: Option<&Node>) -> Option<crate::run::Decimal> {
    match &node?.value {
        Value::Number(written) => crate::run::Decimal::parse(written).ok(),
        _ => None,
    }
}

/// An empty result for one metric of a case.
pub(super) fn case(id: &str, metric: &str) -> CaseResult {
    CaseResult {
        id: id.to_owned(),
        metric: metric.to_owned(),
        score: None,
        right: None,
        error: false,
        fields: Vec::new(),
    }
}
