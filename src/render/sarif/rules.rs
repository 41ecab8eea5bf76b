//! The rules of a report as SARIF describes them, each once.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::text::message;
use crate::code;
use crate::render::markdown;
use crate::render::text::clean;
use crate::verdict::{Report, RuleReport};

/// Each rule of a report by its id, in the order in which they first appear.
pub(super) struct Rules<'r>(IndexMap<&'r str, &'r RuleReport>);

impl<'r> Rules<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let of_change = report.change.iter().flat_map(|change| change.rules.iter());
        let of_candidates = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
        let mut rules: IndexMap<&str, &RuleReport> = IndexMap::new();
        for rule in of_change.chain(of_candidates) {
            let known = rules.entry(&rule.id).or_insert(rule);
            // Only a rule that failed has the policy's message, and only one that was kept whole has its
            // place.
            let says_more =
                |rule: &RuleReport| (rule.message.is_some() || rule.docs.is_some(), !rule.place.is_empty());
            if says_more(rule) > says_more(known) {
                *known = rule;
            }
        }
        Self(rules)
    }

    pub(super) fn index(&self, id: &str) -> Option<usize> {
        self.0.get_index_of(id)
    }

    pub(super) fn described(&self) -> Vec<Value> {
        self.0.values().map(|rule| described(rule)).collect()
    }
}

fn described(rule: &RuleReport) -> Value {
    let page = code::rule_page(rule.kind.name());
    let what = format!("A rule of the kind `{}` fails.", rule.kind);
    let why = rule.message.as_deref().map(clean);
    let paragraph = |text: &str| format!("{text}\n\n");
    let markdown = why.as_deref().map(|why| paragraph(&markdown::text(why))).unwrap_or_default();
    let text = why.as_deref().map(paragraph).unwrap_or_default();
    let mut properties = json!({ "kind": rule.kind, "tags": ["model-gate"] });
    if !rule.place.is_empty() {
        properties["writtenAt"] = rule.place.as_str().into();
    }
    json!({
        "id": rule.id,
        "shortDescription": { "text": message(&format!("{}: {what}", clean(&rule.id))) },
        "fullDescription": { "text": message(why.as_deref().unwrap_or(&what)) },
        "help": {
            "text": message(&format!("{text}What this kind of rule asks for, with examples: {page}")),
            "markdown": format!("{markdown}What this kind of rule asks for, with examples: [{}]({page})", rule.kind),
        },
        "helpUri": rule.docs.as_deref().filter(|docs| is_address(docs)).unwrap_or(&page),
        "defaultConfiguration": { "level": super::level(rule.level) },
        "properties": properties,
    })
}

/// Whether a link is an address: it may also be a path in the repository.
fn is_address(docs: &str) -> bool {
    url::Url::parse(docs).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}
