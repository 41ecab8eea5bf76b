//! Turns an event into a report: what is judged, whom gate trusts, and what is fetched first.

use crate::check::{Request, check, revisions_of_policy};
use crate::document::Diagnostic;
use crate::git::{Credentials, short};
use crate::github::{Context, Event};
use crate::promotion::history_of;
use crate::verdict::Report;

use super::history::Clone;
use super::{Inputs, Runner, failed, merge_queue};

/// The decision.
pub(super) struct Decided {
    pub(super) report: Report,
    /// The commit that was judged; `None` if there was none.
    pub(super) commit: Option<String>,
}

/// Judges what an event is about.
pub(super) fn decide(runner: &Runner<'_>, context: &Context, event: &Event, inputs: &Inputs) -> Decided {
    let credentials = (runner.variable)("GATE_TOKEN")
        .filter(|token| !token.is_empty())
        .map(|token| Credentials { server_url: context.server_url.clone(), token });
    let clone = Clone::open(&runner.folder, credentials.as_ref());
    let judging = Judging { runner, context, inputs, clone };
    judging.decide(event).unwrap_or_else(|problem| Decided {
        report: failed(runner, &[*problem]),
        commit: event.head().map(str::to_owned),
    })
}

struct Judging<'j> {
    runner: &'j Runner<'j>,
    context: &'j Context,
    inputs: &'j Inputs,
    clone: Result<Clone<'j>, Box<Diagnostic>>,
}

impl Judging<'_> {
    fn decide(&self, event: &Event) -> Result<Decided, Box<Diagnostic>> {
        let bases = match event {
            Event::PullRequest(pull) => vec![self.clone()?.pull_request(pull)?],
            Event::MergeGroup { base, head } => self.clone()?.merge_group(base, head)?,
            Event::Push { .. } | Event::EveryRecord => return Ok(self.working_tree(event)),
        };
        let head = event.head().map(str::to_owned);
        let in_queue = bases.len() > 1;
        let reports = bases.into_iter().map(|base| {
            let require_policy = self.inputs.require_base_policy;
            let trust = Some(crate::check::PullRequestBase { require_policy, ..base });
            self.check(&Request { trust, ..self.request() }, head.as_deref().unwrap_or("HEAD"))
        });
        let mut report = reports.reduce(merge_queue::both).unwrap_or_else(|| failed(self.runner, &[]));
        if in_queue {
            report
                .notes
                .insert(0, "merge queue: judged against the entry ahead, and against the branch".into());
        }
        Ok(Decided { report, commit: head })
    }

    /// Judges the clone's files by the policy in it: there is no base to trust.
    fn working_tree(&self, event: &Event) -> Decided {
        let clone = self.clone.as_ref().ok();
        let pushed = match (event, clone) {
            (Event::Push { branch, before, after }, Some(clone)) => {
                clone.before_push(branch, before.as_deref(), after.as_deref())
            }
            _ => None,
        };
        let note = match (event, &pushed) {
            (_, Some(pushed)) => Some(format!(
                "`git:{}` means what it was before this push ({})",
                pushed.branch,
                short(&pushed.before)
            )),
            (Event::Push { branch, .. }, None) if self.inputs.runs.is_empty() => {
                Some(format!("every record is judged: what `{branch}` was before this push is not known"))
            }
            _ => None,
        };
        let request = Request {
            base: pushed.as_ref().map(|pushed| pushed.before.clone()),
            all: pushed.is_none() && self.inputs.runs.is_empty(),
            pushed,
            ..self.request()
        };
        let mut report = self.check(&request, "HEAD");
        report.notes.extend(note);
        let commit = clone.and_then(|clone| clone.git.commit("HEAD").ok()).map(|commit| commit.id);
        Decided { report, commit }
    }

    /// Fetches the requested revisions, and checks.
    fn check(&self, request: &Request, head: &str) -> Report {
        let (folder, clock) = (&self.runner.folder, self.runner.clock);
        if let Ok(clone) = &self.clone {
            let mut names = revisions_of_policy(request, folder, clock);
            // A change is compared with the default branch if it has no other base.
            names.extend(self.context.default_branch.clone().filter(|_| request.trust.is_none()));
            names.sort();
            names.dedup();
            clone.named(&names, head);
        }
        let mut report = check(request, folder, clock);
        report.history = history_of(&report.candidates, request, folder);
        report
    }

    fn clone(&self) -> Result<&Clone<'_>, Box<Diagnostic>> {
        self.clone.as_ref().map_err(Box::clone)
    }

    fn request(&self) -> Request {
        Request {
            runs: self.inputs.runs.clone(),
            policy: self.inputs.policy.clone(),
            baseline: self.inputs.baseline.clone(),
            stage: self.inputs.stage.clone(),
            first: self.inputs.first,
            require_candidates: self.inputs.require_candidates,
            ..Request::default()
        }
    }
}
