//! Turns the tree of one rule into a valid [`Rule`].

use jiff::civil::Date;

use super::merge::{RawRule, is_kind};
use super::{BAD_DATE, BAD_MESSAGE, NO_KIND, TWO_KINDS, UNKNOWN_MODEL, settings};
use crate::document::{Map, Node, Reader, Span, Value, did_you_mean, listed};
use crate::expression::Scope;
use crate::rule::kind::{self, RESERVED};
use crate::rule::{KINDS, Kind, Loading, Pattern, Rule};
use crate::run::parse_date;
use crate::verdict::{Level, RuleKind};

/// The keys that every rule may have.
pub(super) const COMMON: [&str; 8] =
    ["level", "stages", "models", "when", "from", "baseline", "message", "docs"];

pub(super) const LEVELS: [(&str, Level); 4] =
    [("error", Level::Error), ("warning", Level::Warning), ("shadow", Level::Shadow), ("off", Level::Off)];

/// What a rule may name.
pub(super) struct Declared<'d> {
    pub(super) stages: &'d [String],
    pub(super) models: Option<&'d [Pattern]>,
}

/// Reads one rule.
pub(super) fn read(
    loading: &mut Loading<'_>,
    id: &str,
    raw: &RawRule,
    declared: &Declared<'_>,
) -> Option<Rule> {
    let what = format!("the rule `{id}`");
    known_keys(loading, &raw.body, &what);
    let kind = the_kind(loading, id, raw);
    let get = |key: &str| raw.body.get(key);
    let level = get("level").map_or(Some(Level::Error), |node| loading.reader.word(node, "`level`", &LEVELS));
    let from = get("from").and_then(|node| date(loading.reader, node, "`from`"));
    let stages = get("stages").map_or_else(Vec::new, |node| stages(loading.reader, node, declared.stages));
    let models = get("models").map_or_else(Vec::new, |node| models(loading.reader, node, declared.models));
    let when = get("when").and_then(|node| loading.expression(node, "`when`", Scope::When));
    let baseline = get("baseline").and_then(|node| settings::reference(loading.reader, node, "`baseline`"));
    let message = get("message").and_then(|node| plain_text(loading.reader, node));
    let docs = get("docs").and_then(|node| loading.reader.text(node, "`docs`")).map(str::to_owned);
    let (kind, body) = kind?;
    loading.rule = raw.body.clone();
    let requirement = (kind.load)(loading, body)?;
    let place = loading.reader.documents.place(raw.id_span);
    Some(Rule {
        id: id.to_owned(),
        level: level?,
        from,
        stages,
        models,
        when,
        baseline,
        message,
        docs,
        kind: RuleKind::named(kind.name),
        requirement,
        place,
    })
}

fn known_keys(loading: &mut Loading<'_>, body: &Map, what: &str) {
    let mut known: Vec<&str> = COMMON.to_vec();
    known.extend(KINDS.iter().map(|kind| kind.name));
    let with_metrics: Vec<&str> = known.iter().chain(kind::BESIDE_METRICS).copied().collect();
    for (key, entry) in body.entries() {
        if kind::BESIDE_METRICS.contains(&key) {
            if body.get("metrics").is_none() {
                loading.reader.unknown_key(key, entry, &format!("{what}, which has no `metrics`"), &known);
            }
        } else if !COMMON.contains(&key) && !is_kind(key) {
            loading.reader.unknown_key(key, entry, what, &with_metrics);
        }
    }
}

/// The kind of a rule, with its body. A rule must have exactly one.
fn the_kind<'r>(loading: &mut Loading<'_>, id: &str, raw: &'r RawRule) -> Option<(&'static Kind, &'r Node)> {
    let kinds: Vec<&str> = raw.body.keys().filter(|key| is_kind(key)).collect();
    match kinds.as_slice() {
        [] => {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            let unknown =
                raw.body.keys().any(|key| !COMMON.contains(&key) && !kind::BESIDE_METRICS.contains(&key));
            // A misspelt kind was already reported as an unknown key.
            if !unknown {
                loading
                    .reader
                    .problem(NO_KIND, raw.id_span, format!("the rule `{id}` requires nothing"), "no kind")
                    .help = Some(format!("a rule has one of {}", listed(&names)));
            }
            None
        }
        [name] if RESERVED.contains(name) => {
            let span = raw.body.entry(name).map_or(raw.span, |entry| entry.key);
            loading.not_there_yet(span, name);
            None
        }
        [name] => Some((kind::named(name)?, raw.body.get(name)?)),
        [first, second, ..] => {
            let span = raw.body.entry(second).map_or(raw.span, |entry| entry.key);
            let message = format!("the rule `{id}` has two kinds, `{first}` and `{second}`");
            let also = raw.body.entry(first).map(|entry| entry.key);
            let document = loading.reader.documents.of(span).cloned();
            let problem = loading.reader.problem(TWO_KINDS, span, message, "a second kind");
            problem.help = Some("split it into two rules; each is judged and reported separately".into());
            if let (Some(document), Some(also)) = (document, also) {
                *problem = problem.clone().also(&document, also, "the first");
            }
            None
        }
    }
}

/// Reads a date, and reports text that is not one.
pub(super) fn date(reader: &mut Reader, node: &Node, what: &str) -> Option<Date> {
    let text = reader.text(node, what)?;
    let date = parse_date(text);
    if date.is_none() {
        reader
            .problem(BAD_DATE, node.span, format!("{what} is \"{text}\", which is not a date"), "not a date")
            .help = Some("write it as 2026-07-01".into());
    }
    date
}

fn stages(reader: &mut Reader, node: &Node, declared: &[String]) -> Vec<Pattern> {
    let texts: Vec<(String, Span)> =
        reader.texts(node, "`stages`").into_iter().map(|(text, span)| (text.to_owned(), span)).collect();
    for (text, span) in &texts {
        let pattern = Pattern::new(text);
        if !declared.iter().any(|stage| pattern.matches(stage)) {
            settings::unknown_stage(reader, text, *span, declared);
        }
    }
    texts.iter().map(|(text, _)| Pattern::new(text)).collect()
}

fn models(reader: &mut Reader, node: &Node, declared: Option<&[Pattern]>) -> Vec<Pattern> {
    let texts: Vec<(String, Span)> =
        reader.texts(node, "`models`").into_iter().map(|(text, span)| (text.to_owned(), span)).collect();
    for (text, span) in &texts {
        let Some(declared) = declared else { continue };
        let pattern = Pattern::new(text);
        let known = declared.iter().any(|model| model.matches(text) || pattern.matches(model.written()));
        if !known {
            let names: Vec<&str> = declared.iter().map(Pattern::written).collect();
            let help = did_you_mean(text, &names, "the models are");
            reader
                .problem(UNKNOWN_MODEL, *span, format!("there is no model `{text}`"), "unknown model")
                .help = Some(help);
        }
    }
    texts.iter().map(|(text, _)| Pattern::new(text)).collect()
}

/// The report shows a message verbatim, so a template would appear as its source.
fn plain_text(reader: &mut Reader, node: &Node) -> Option<String> {
    if !matches!(node.value, Value::String(_)) {
        reader.wrong_sort(node, "`message`", "text");
        return None;
    }
    let text = reader.text(node, "`message`")?;
    if ["{{", "${", "{candidate", "{baseline", "+ candidate"].iter().any(|sign| text.contains(sign)) {
        reader
            .problem(
                BAD_MESSAGE,
                node.span,
                "`message` is plain text; variables are not replaced",
                "looks like a template",
            )
            .help = Some("the report shows the numbers next to it".into());
        return None;
    }
    Some(text.to_owned())
}
