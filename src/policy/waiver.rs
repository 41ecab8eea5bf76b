//! Agreed exceptions. Each is for one rule, can be narrowed, has bounds, and expires on a day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::layer::Layer;
use super::rules::date;
use super::{UNKNOWN_RULE, WAIVER_OTHER_LIMIT, WAIVER_WITHOUT_LIMIT, settings};
use crate::document::{Node, Span, did_you_mean, listed};
use crate::rule::{Limit, Loading, Pattern, Rule, Units, check_together};
use crate::verdict::{LIMIT_KINDS, LimitKind};

/// An exception to one rule.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// The models that it is for; `None` means all.
    pub model: Option<Pattern>,
    /// How it is narrowed.
    pub narrowing: Narrowing,
    /// The limits that replace the waived ones; empty if no limit is waived.
    pub down_to: Vec<Limit>,
    /// Why.
    pub reason: String,
    /// Who agreed, according to the policy.
    pub approved_by: String,
    /// The last day on which it applies, until the end of that day in UTC.
    pub expires: Date,
    /// Where it is written, as `file:line`.
    pub place: String,
}

/// How a waiver is narrowed beyond its rule and model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// A metric.
    pub metric: Option<Pattern>,
    /// A field's path.
    pub path: Option<Pattern>,
    /// A slice, such as `region=EU`.
    pub slice: Option<Pattern>,
    /// A stage.
    pub stage: Option<String>,
    /// A run, by its id or its file.
    pub run: Option<String>,
}

impl Narrowing {
    /// In words, for the report.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.metric.iter().map(|metric| format!("metric {}", metric.written())));
        words.extend(self.path.iter().map(|path| format!("path {}", path.written())));
        words.extend(self.slice.iter().map(|slice| format!("slice {}", slice.written())));
        words.extend(self.stage.iter().map(|stage| format!("stage {stage}")));
        words.extend(self.run.iter().map(|run| format!("run {run}")));
        words
    }
}

/// The waivers of a layer and of what it extends: those that are in force, and those that have ended.
pub(super) fn read(
    loading: &mut Loading<'_>,
    layer: &Layer,
    rules: &[Rule],
    known: &[String],
    stages: &[String],
    now: Timestamp,
) -> (Vec<Waiver>, Vec<Waiver>) {
    let mut waivers = Vec::new();
    collect(loading, layer, &[], &Known { rules, ids: known, stages }, &mut waivers);
    waivers.into_iter().partition(|waiver| in_force(waiver.expires, now))
}

/// A waiver applies until its last day ends in UTC.
fn in_force(expires: Date, now: Timestamp) -> bool {
    let today = TimeZone::UTC.to_datetime(now).date();
    today <= expires
}

/// What a waiver may name.
struct Known<'k> {
    rules: &'k [Rule],
    ids: &'k [String],
    stages: &'k [String],
}

/// Collects the waivers of a layer and of what it extends. `outer` are the layers through which it was
/// reached: a waiver names a rule as its own file does, and each `as:` on the way prefixes the rule's id.
fn collect(
    loading: &mut Loading<'_>,
    layer: &Layer,
    outer: &[&Layer],
    known: &Known<'_>,
    into: &mut Vec<Waiver>,
) {
    let mut through = vec![layer];
    through.extend(outer);
    for extended in &layer.extends {
        collect(loading, extended, &through, known, into);
    }
    let Some(node) = layer.map.get("waivers") else { return };
    let Some(items) = loading.reader.list(node, "`waivers`") else { return };
    let full_id = |id: &str| through.iter().fold(id.to_owned(), |id, layer| layer.id_here(&id));
    for item in items {
        into.extend(one(loading, item, &full_id, known));
    }
}

fn one(
    loading: &mut Loading<'_>,
    item: &Node,
    full_id: &dyn Fn(&str) -> String,
    known: &Known<'_>,
) -> Option<Waiver> {
    let Known { rules, ids: known, stages } = *known;
    let map = loading.reader.map(item, "a waiver")?;
    loading.reader.only(
        map,
        "a waiver",
        &["rule", "model", "for", "down_to", "reason", "approved_by", "expires"],
    );
    let mut required = |key: &str| {
        let node = loading.reader.required(map, key, "a waiver", item.span)?;
        Some((loading.reader.text(node, &format!("`{key}`"))?.to_owned(), node.span))
    };
    let rule = required("rule");
    let reason = required("reason");
    let approved_by = required("approved_by");
    let expires = loading
        .reader
        .required(map, "expires", "a waiver", item.span)
        .and_then(|node| date(loading.reader, node, "`expires`"));
    let model = map.get("model").and_then(|node| loading.reader.text(node, "`model`")).map(Pattern::new);
    let narrowing = map.get("for").map_or_else(Narrowing::default, |node| narrowing(loading, node, stages));
    let down_to = map.get("down_to").map(|node| (down_to(loading, node), node.span));
    let (rule, span) = rule?;
    let rule = full_id(&rule);
    if !known.contains(&rule) {
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let help = did_you_mean(&rule, &names, "the rules are");
        loading
            .reader
            .problem(UNKNOWN_RULE, span, format!("there is no rule `{rule}` to waive"), "unknown rule")
            .help = Some(help);
        return None;
    }
    let limits = match rules.iter().find(|known| known.id == rule) {
        Some(rule) => bounded(loading, rule, down_to, span)?,
        // The rule itself was invalid, which is already reported.
        None => Vec::new(),
    };
    Some(Waiver {
        rule,
        model,
        narrowing,
        down_to: limits,
        reason: reason?.0,
        approved_by: approved_by?.0,
        expires: expires?,
        place: loading.reader.documents.place(item.span),
    })
}

fn narrowing(loading: &mut Loading<'_>, node: &Node, stages: &[String]) -> Narrowing {
    let mut narrowing = Narrowing::default();
    let Some(map) = loading.reader.map(node, "`for`") else { return narrowing };
    loading.reader.only(map, "`for`", &["metric", "path", "slice", "stage", "run"]);
    let mut text = |key: &str| {
        map.get(key)
            .and_then(|node| Some((loading.reader.text(node, &format!("`{key}`"))?.to_owned(), node.span)))
    };
    narrowing.metric = text("metric").map(|(text, _)| Pattern::new(&text));
    narrowing.path = text("path").map(|(text, _)| Pattern::new(&text));
    narrowing.slice = text("slice").map(|(text, _)| Pattern::new(&text));
    narrowing.run = text("run").map(|(text, _)| text);
    if let Some((stage, span)) = text("stage") {
        if !stages.contains(&stage) {
            settings::unknown_stage(loading.reader, &stage, span, stages);
        }
        narrowing.stage = Some(stage);
    }
    narrowing
}

fn down_to(loading: &mut Loading<'_>, node: &Node) -> Vec<Limit> {
    let Some(map) = loading.reader.map(node, "`down_to`") else { return Vec::new() };
    let words: Vec<&str> = LIMIT_KINDS.iter().map(|word| word.name()).collect();
    loading.reader.only(map, "`down_to`", &words);
    let limits: Vec<Limit> = map
        .iter()
        .filter_map(|(key, node)| {
            let word = LimitKind::named(key)?;
            let units = if word.is_relative() { Units::Plain } else { Units::Sizes };
            Limit::read(loading.reader, word, node, units)
        })
        .collect();
    check_together(loading.reader, &limits, "down_to");
    limits
}

/// The limits of a waiver, which must be limits that its rule has.
fn bounded(
    loading: &mut Loading<'_>,
    rule: &Rule,
    given: Option<(Vec<Limit>, Span)>,
    span: Span,
) -> Option<Vec<Limit>> {
    let words = rule.requirement.words();
    let names = || {
        let mut names: Vec<&str> = words.iter().map(|word| word.name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let Some((limits, given_span)) = given else {
        if rule.requirement.limits_only() {
            let message = format!("a waiver for `{}` must say which limit replaces the waived one", rule.id);
            loading.reader.problem(WAIVER_WITHOUT_LIMIT, span, message, "no `down_to`").help = Some(format!(
                "add `down_to: {{ {}: … }}`; anything beyond that limit is not waived",
                names().first().unwrap_or(&"max_drop")
            ));
            return None;
        }
        return Some(Vec::new());
    };
    for limit in &limits {
        if !words.contains(&limit.word) {
            let message =
                format!("the rule `{}` has no `{}` that this could replace", rule.id, limit.word.name());
            let help = if words.is_empty() {
                "it has no limits; remove `down_to`".into()
            } else {
                format!("its limits are {}", listed(&names()))
            };
            loading.reader.problem(WAIVER_OTHER_LIMIT, limit.span, message, "not a limit of the rule").help =
                Some(help);
            return None;
        }
    }
    if limits.is_empty() {
        loading.reader.problem(WAIVER_WITHOUT_LIMIT, given_span, "`down_to` has no limit", "empty");
        return None;
    }
    Some(limits)
}
