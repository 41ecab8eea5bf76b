//! Posts to GitHub: the comment and the check run, if they are wanted and possible.

use std::time::Duration;

use super::api::{Api, Failed};
use super::check_run::{self, CheckRun};
use super::comment::{self, Mark, Written};
use super::{Context, Scope};
use crate::document::Diagnostic;
use crate::render::markdown::{COMMENT, Page, page_of};
use crate::render::{annotations, text_of_last_line};
use crate::verdict::{Report, Verdict};

/// When to comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comment {
    /// If there is a pull request and the token can write.
    Auto,
    /// Like `Auto`, but reporting has failed if it is impossible.
    Always,
    /// Only if the verdict is not pass; an existing comment is still updated to pass.
    OnFailure,
    /// Never.
    Never,
}

/// What to post.
#[derive(Debug, Clone)]
pub struct Posting {
    /// When to comment.
    pub comment: Comment,
    /// Distinguishes this gate from others in the workflow.
    pub scope: Scope,
    /// The name of the check run; `None` means no check run.
    pub check_run: Option<String>,
    /// The commit that was judged, the only one that a check run may be for; `None` if there was none.
    pub judged: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// The report's folder from the top of the repository: empty, or ending in `/`.
    pub below: String,
    /// The pull request's author could change the job that made the report, so it is only a claim.
    pub claimed: bool,
    /// The pause between calls that change something; by default what GitHub recommends.
    pub pause: Option<Duration>,
}

/// What was posted.
#[derive(Debug, Default)]
pub struct Posted {
    /// The URL of the comment.
    pub comment_url: Option<String>,
    /// The URL of the check run.
    pub check_url: Option<String>,
    /// What was requested, but failed.
    pub degraded: Vec<Diagnostic>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// Posts a report. Failures here are not errors of the check: they are listed in [`Posted::degraded`].
pub fn post(report: &Report, context: &Context, posting: &Posting) -> Posted {
    let mut posted = Posted::default();
    if posting.claimed && posting.check_run.is_some() {
        posted.degraded.push(
            Diagnostic::new(
                super::DENIED,
                "gate makes no check run from a report that another job wrote, since it could be forged",
            )
            .help("let the checking job write it, or require that job"),
        );
        return posted;
    }
    let wants_comment =
        posting.comment != Comment::Never && (context.pull_request.is_some() || context.head_label.is_some());
    if !wants_comment && posting.check_run.is_none() {
        return posted;
    }
    if let Some(why) = context.read_only {
        let must = posting.comment == Comment::Always || posting.check_run.is_some();
        let message = format!("{why}; the report is in the summary of the job");
        if must {
            posted.degraded.push(Diagnostic::new(super::DENIED, message));
        } else {
            posted.notes.push(message);
        }
        return posted;
    }
    let Some(token) = posting.token.clone().filter(|token| !token.is_empty()) else {
        posted.degraded.push(Diagnostic::new(super::DENIED, "there is no token to post the report with"));
        return posted;
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            posted.degraded.push(Diagnostic::new(super::FAILED, format!("nothing could be sent: {error}")));
            return posted;
        }
    };
    runtime.block_on(async {
        let api = match Api::new(&context.api_url, &token, &context.repository, posting.pause) {
            Ok(api) => api,
            Err(problem) => {
                posted.degraded.push(*problem);
                return;
            }
        };
        if wants_comment {
            comment(report, context, posting, &api, &mut posted).await;
        }
        if let Some(name) = &posting.check_run {
            run(report, context, posting, &api, name, &mut posted).await;
        }
    });
    posted
}

async fn comment(report: &Report, context: &Context, posting: &Posting, api: &Api, posted: &mut Posted) {
    let number = match (context.pull_request, &context.head_label) {
        // The pull request's own event names it; otherwise it is looked up by the head.
        (Some(number), None) => Ok(Some(number)),
        _ => comment::pull_request(api, context).await,
    };
    let number = match number {
        Ok(Some(number)) => number,
        Ok(None) => {
            posted.notes.push("no open pull request has this head, so no comment was posted".into());
            return;
        }
        Err(failed) => return posted.degraded.push(*failed.problem()),
    };
    let mark = Mark::new(context, &posting.scope);
    let page = Page {
        most: COMMENT,
        head: mark.line(),
        claimed: posting.claimed,
        files: context.files_url(),
        below: posting.below.clone(),
        run: context.run_url(),
        scope: posting.scope.title(),
        charts: false,
    };
    let judged = !report.candidates.is_empty() || report.verdict != Some(Verdict::Pass);
    let worth_saying = match posting.comment {
        Comment::OnFailure => report.verdict != Some(Verdict::Pass),
        _ => judged,
    };
    match comment::upsert(api, number, &mark, &page_of(report, &page), worth_saying).await {
        Ok(Written::At(url)) => posted.comment_url = Some(url),
        Ok(Written::Newer(url)) => {
            posted.notes.push("a newer run has written the comment, so it was left unchanged".into());
            posted.comment_url = Some(url);
        }
        Ok(Written::Nothing) => {}
        Err(failed) => posted.degraded.push(*failed.problem()),
    }
}

async fn run(
    report: &Report,
    context: &Context,
    posting: &Posting,
    api: &Api,
    name: &str,
    posted: &mut Posted,
) {
    let Some(sha) = &posting.judged else {
        let message = "no check run is posted, since no commit was judged";
        return posted.degraded.push(Diagnostic::new(super::ODD, message));
    };
    let page = Page {
        most: COMMENT,
        files: context.files_url(),
        below: posting.below.clone(),
        run: context.run_url(),
        scope: posting.scope.title(),
        ..Page::default()
    };
    let all = annotations(report, &posting.below);
    let check = CheckRun {
        name,
        key: &Mark::new(context, &posting.scope).key,
        verdict: report.verdict,
        title: text_of_last_line(report),
        summary: page_of(report, &page),
        annotations: &all,
    };
    match check_run::write(api, context, sha, &check).await {
        Ok(url) => posted.check_url = Some(url),
        Err(failed) => posted.degraded.push(*failed.problem()),
    }
}

impl From<Failed> for Box<Diagnostic> {
    fn from(failed: Failed) -> Self {
        failed.problem()
    }
}
