//! A merge queue entry is judged twice: against the entry ahead of it, and against the branch. Both must pass.

use std::cmp::Reverse;

use crate::verdict::{ChangeReport, Exit, Report, Verdict};

/// Merges two reports: the one against the entry ahead, plus what fails only against the branch.
pub(super) fn both(mut ahead: Report, branch: Report) -> Report {
    let verdict =
        [ahead.verdict, branch.verdict].into_iter().min_by_key(|verdict| Reverse(severity(*verdict)));
    ahead.verdict = verdict.flatten();
    ahead.exit_code = Exit::of(ahead.verdict);
    for candidate in branch.candidates {
        let is_same = |other: &&crate::verdict::CandidateReport| other.run.source == candidate.run.source;
        let told =
            ahead.candidates.iter().find(is_same).is_some_and(|other| other.verdict != Some(Verdict::Pass));
        if candidate.verdict == Some(Verdict::Pass) || told {
            continue;
        }
        let summary = &mut ahead.summary;
        summary.candidates += 1;
        match candidate.verdict {
            Some(_) => summary.failed += 1,
            None => summary.no_verdict += 1,
        }
        summary.comparisons += candidate.rules.iter().map(|rule| rule.comparisons.len()).sum::<usize>();
        ahead.candidates.push(candidate);
    }
    if !ahead.change.as_ref().is_some_and(unsound) && branch.change.as_ref().is_some_and(unsound) {
        let count = |change: &Option<ChangeReport>| {
            change.iter().flat_map(|change| &change.rules).map(|rule| rule.comparisons.len()).sum::<usize>()
        };
        ahead.summary.comparisons -= count(&ahead.change);
        ahead.summary.comparisons += count(&branch.change);
        ahead.change = branch.change;
    }
    for trouble in branch.troubles {
        if !ahead.troubles.contains(&trouble) {
            ahead.troubles.push(trouble);
        }
    }
    ahead.proposed = ahead.proposed.or(branch.proposed);
    for note in branch.notes {
        if !ahead.notes.contains(&note) {
            ahead.notes.push(note);
        }
    }
    ahead
}

fn unsound(change: &ChangeReport) -> bool {
    change.blocks() || !change.troubles.is_empty()
}

/// No verdict is worse than fail, which is worse than pass.
fn severity(verdict: Option<Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Pass) => 0,
        Some(Verdict::Fail) => 1,
        None => 2,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Parts, conclude};
    use crate::verdict::{CandidateReport, RunSummary};

    fn report(verdict: Option<Verdict>, candidates: &[(&str, Verdict)]) -> Report {
        let mut report = conclude(Parts::default());
        for (source, verdict) in candidates {
            let run = RunSummary { source: (*source).into(), ..RunSummary::default() };
            report.candidates.push(CandidateReport {
                run,
                verdict: Some(*verdict),
                baselines: Vec::new(),
                rules: Arc::default(),
                troubles: Vec::new(),
                notes: Vec::new(),
                near: Vec::new(),
            });
            report.summary.candidates += 1;
            report.summary.failed += usize::from(*verdict == Verdict::Fail);
            report.summary.passed += usize::from(*verdict == Verdict::Pass);
        }
        report.verdict = verdict;
        report.exit_code = Exit::of(verdict);
        report
    }

    #[test]
    fn the_worse_verdict_counts_whichever_it_is_of() {
        let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
        for (ahead, branch, expected) in [
            (pass, pass, pass),
            (fail, pass, fail),
            (pass, fail, fail),
            (None, pass, None),
            (pass, None, None),
            (fail, None, None),
            (None, fail, None),
        ] {
            let merged = both(report(ahead, &[]), report(branch, &[]));
            assert_eq!((merged.verdict, merged.exit_code), (expected, Exit::of(expected)));
        }
    }

    #[test]
    fn what_fails_against_the_branch_alone_is_shown_and_counted_once() {
        let (pass, fail) = (Verdict::Pass, Verdict::Fail);
        let ahead = report(Some(fail), &[("b", pass), ("c", fail)]);
        let branch = report(Some(fail), &[("a", fail), ("b", fail), ("c", fail), ("d", pass)]);
        let merged = both(ahead, branch);
        let shown: Vec<_> =
            merged.candidates.iter().map(|one| (one.run.source.as_str(), one.verdict)).collect();
        assert_eq!(shown, [("b", Some(pass)), ("c", Some(fail)), ("a", Some(fail)), ("b", Some(fail))]);
        assert_eq!((merged.summary.candidates, merged.summary.failed, merged.summary.passed), (4, 3, 1));
    }
}
