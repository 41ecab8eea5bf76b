//! Promotions in service that did not pass on their own merits, until one that did replaces them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{AUDIT_OVERRIDE, AUDIT_SIGNATURE, AUDIT_TIME, AUDIT_WAIVER, Findings, Read};
use crate::document::Node;
use crate::ledger::{Entry, passed_by_themselves};
use crate::run::{Moment, parse_date};
use crate::verdict::{Report, WaiverState};

/// The promotions since the last run that passed on its own merits; all of them if none did. A rollback brings an
/// earlier run back without judging any.
fn unclean<'r, 'e>(entries: &[Entry], read: &'r [Read<'e>]) -> impl Iterator<Item = &'r Read<'e>> {
    let passed = passed_by_themselves(entries);
    let promoted =
        |entry: &Entry| entry.statement().is_ok_and(|it| it.own_text(&["action"]) == Some("promote"));
    let last = entries.iter().zip(&passed).rposition(|(entry, passed)| *passed && promoted(entry));
    let number = last.map_or(0, |at| entries[at].number);
    read.iter().filter(move |one| one.entry.number > number && !one.statement.retires())
}

/// An override is reported until a run that passes on its own merits, against the last one that did, has replaced it.
pub(super) fn overrides(entries: &[Entry], read: &[Read<'_>], it: &mut Findings) {
    for one in unclean(entries, read).filter(|one| one.overridden()) {
        let message = format!(
            "promotion {} did not pass the policy and was overridden: {}; no run that passes without an override or waiver has replaced it",
            one.entry.number,
            one.own(&["reason"])
        );
        it.error(AUDIT_OVERRIDE, message);
    }
}

/// A waiver is reported once it has ended or was removed from the policy.
pub(super) fn waivers(
    entries: &[Entry],
    read: &[Read<'_>],
    report: Option<&Report>,
    now: Timestamp,
    it: &mut Findings,
) {
    let today = TimeZone::UTC.to_datetime(now).date();
    let mut told = BTreeSet::new();
    for one in unclean(entries, read) {
        for waiver in one.statement.own_list(&["waivers"]) {
            let part = |key: &str| waiver.get(key).and_then(Node::as_written).unwrap_or("?");
            let (rule, expires, number) = (part("rule"), part("expires"), one.entry.number);
            if !told.insert((rule.to_owned(), expires.to_owned())) {
                continue;
            }
            let model = waiver.get("model").and_then(Node::as_written);
            let in_policy = report.is_none_or(|report| {
                let counts = |state| state != WaiverState::Expired && state != WaiverState::Ignored;
                report
                    .waivers
                    .iter()
                    .any(|known| known.rule == rule && known.model.as_deref() == model && counts(known.state))
            });
            match parse_date(expires) {
                Some(end) if today <= end && in_policy => {
                    it.holds.push(format!("the waiver of `{rule}` is in force until {end}"));
                }
                Some(end) if today <= end => it.error(
                    AUDIT_WAIVER,
                    format!(
                        "promotion {number} passed with a waiver of `{rule}` that is no longer in the policy"
                    ),
                ),
                _ => it.error(
                    AUDIT_WAIVER,
                    format!("promotion {number} passed with a waiver of `{rule}` that ended on {expires}"),
                ),
            }
        }
    }
}

/// Reports that the current promotion was built on one without a trusted signature, and dates that are out of order.
pub(super) fn remarks(read: &[Read<'_>], it: &mut Findings) {
    if let Some(current) = read.last() {
        for (_, says) in current.statement.weakened().into_iter().filter(|(what, _)| what == "untrusted") {
            it.warning(AUDIT_SIGNATURE, format!("promotion {}: {says}", current.entry.number));
        }
    }
    let time = |one: &Read<'_>| Some(Moment::parse(one.statement.predicate(&["timeVerified"])?).ok()?.at);
    for pair in read.windows(2) {
        if let (Some(before), Some(after)) = (time(&pair[0]), time(&pair[1]))
            && after < before
        {
            let (number, earlier) = (pair[1].entry.number, pair[0].entry.number);
            let message = format!(
                "promotion {number} is dated {after}, before promotion {earlier}, which it follows ({before})"
            );
            it.warning(AUDIT_TIME, message);
        }
    }
}
