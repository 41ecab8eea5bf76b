//! `of`: which number of a metric its limits apply to, if it has one for each seed or fold.

use super::Limit;
use crate::code::codes;
use crate::document::{Node, Path, Reader};
use crate::run::{AGGREGATIONS, Aggregation, Decimal, Metric, MetricFault};
use crate::verdict::{LimitKind, Method};

codes! {
    WHICH_WAY = "policy/which-way": "`of: best` or `of: worst` is used with limits that do not imply which direction is better.";
}

/// Which number to use, and which direction is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DirectedAggregation {
    pick: Aggregation,
    higher: bool,
}

impl DirectedAggregation {
    /// Reads the word beside `limits`, whose words say which way is better.
    pub(super) fn load(reader: &mut Reader, node: &Node, limits: &[Limit]) -> Option<Self> {
        let pick = reader.word(node, "`of`", &AGGREGATIONS)?;
        let mut ways = limits.iter().map(|limit| match limit.word {
            LimitKind::Min | LimitKind::MaxDrop | LimitKind::MinRise => Some(true),
            LimitKind::Max | LimitKind::MaxRise | LimitKind::MinDrop => Some(false),
            LimitKind::MaxChange | LimitKind::MaxGap | LimitKind::MinRatio | LimitKind::MaxGapRise => None,
        });
        let way = ways.next().flatten().filter(|first| ways.all(|way| way == Some(*first)));
        if way.is_none() && matches!(pick, Aggregation::Best | Aggregation::Worst) && !limits.is_empty() {
            let message = format!(
                "`of: {}` is ambiguous: the limits do not imply which direction is better",
                pick.name()
            );
            reader.problem(WHICH_WAY, node.span, message, "the highest, or the lowest?").help = Some(
                "`min`, `max_drop` and `min_rise` imply that higher is better, `max`, `max_rise` and \
                 `min_drop` that lower is; use limits of one direction, or `of: mean`"
                    .into(),
            );
            return None;
        }
        Some(Self { pick, higher: way.unwrap_or(true) })
    }

    /// The number of a metric.
    pub(super) fn number(self, metric: &Metric<'_>) -> Result<Decimal, MetricFault> {
        metric.pick(self.pick, self.higher)
    }

    /// What the number is called in a message.
    pub(super) fn said(self, name: &str) -> String {
        match self.pick {
            Aggregation::Last => format!("`{name}`"),
            pick => format!("the {} `{name}`", pick.name()),
        }
    }

    /// Where the number comes from.
    pub(super) fn path(self, metric: &Metric<'_>) -> Path {
        let path = Path::of(["metrics", metric.name]);
        match (self.pick, metric.count()) {
            (Aggregation::Last, _) => metric.path(),
            (_, Some(_)) => path.key("values"),
            (_, None) => path.key("best"),
        }
    }

    /// How the number was aggregated, and from how many, if it is not the recorded one.
    pub(super) fn method(self, metric: &Metric<'_>) -> Option<(Method, Option<u64>)> {
        let count = metric.count().and_then(|count| u64::try_from(count).ok());
        (self.pick != Aggregation::Last).then_some((Method::Picked(self.pick), count))
    }
}
