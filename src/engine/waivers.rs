//! How the report lists the waivers.

use super::waive::WaiverUse;
use crate::policy::{Policy, Waiver};
use crate::verdict::{WaiverReport, WaiverState};

/// Every waiver of a policy and its state, including expired ones. `ignored` means that waivers were not
/// applied.
pub fn waiver_reports(policy: &Policy, ignored: bool, became: &WaiverUse) -> Vec<WaiverReport> {
    let state = |index: usize| match (became.used.contains(&index), became.reached.contains(&index)) {
        _ if ignored => WaiverState::Ignored,
        (true, _) => WaiverState::Used,
        (false, true) => WaiverState::Unused,
        (false, false) => WaiverState::Elsewhere,
    };
    let in_force = policy.waivers.iter().enumerate().map(|(index, waiver)| report(waiver, state(index)));
    let expired = policy.expired.iter().map(|waiver| report(waiver, WaiverState::Expired));
    in_force.chain(expired).collect()
}

fn report(waiver: &Waiver, state: WaiverState) -> WaiverReport {
    let down_to = |limit: &crate::rule::Limit| format!("{}: {}", limit.word.name(), limit.written);
    WaiverReport {
        rule: waiver.rule.clone(),
        model: waiver.model.as_ref().map(|model| model.written().to_owned()),
        narrowed_to: waiver.narrowing.words(),
        down_to: waiver.down_to.iter().map(down_to).collect(),
        reason: waiver.reason.clone(),
        approved_by: waiver.approved_by.clone(),
        expires: waiver.expires.to_string(),
        place: waiver.place.clone(),
        state,
    }
}
