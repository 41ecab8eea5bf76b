//! The inputs of the action, read only from the environment.

use crate::document::{Diagnostic, did_you_mean};
use crate::github::Comment;

use super::BAD_INPUT;

/// The inputs, checked.
#[expect(clippy::struct_excessive_bools, reason = "each is an input of the action")]
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The policy; `None` means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// The runs; empty means those that changed.
    pub runs: Vec<String>,
    /// What to compare with.
    pub baseline: Option<String>,
    /// The stage.
    pub stage: Option<String>,
    /// A report from another job, which is only posted.
    pub from: Option<String>,
    /// A missing baseline is accepted: this is the first model.
    pub first: bool,
    /// A base without a policy gives no verdict.
    pub require_base_policy: bool,
    /// Nothing to judge gives no verdict.
    pub require_candidates: bool,
    /// Whether to annotate lines of files.
    pub annotations: bool,
    /// Whether to add the report to the job summary.
    pub summary: bool,
    /// When to comment.
    pub comment: Comment,
    /// Distinguishes several gates in one job.
    pub comment_key: String,
    /// The name of a check run.
    pub check_run: Option<String>,
    /// A report that can't be posted gives no verdict.
    pub strict_reporting: bool,
}

const COMMENT: [(&str, Comment); 4] = [
    ("auto", Comment::Auto),
    ("always", Comment::Always),
    ("on-failure", Comment::OnFailure),
    ("never", Comment::Never),
];

impl Inputs {
    /// Reads `GATE_INPUT_…`; reports all errors at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let text = |name: &str| {
            variable(&format!("GATE_INPUT_{}", name.to_uppercase().replace('-', "_")))
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let mut one_line = |name: &str| {
            let value = text(name)?;
            if value.contains(['\n', '\r']) || value.starts_with('-') {
                problems.push(wrong(name, &value, "one line that does not begin with `-`"));
                return None;
            }
            Some(value)
        };
        let (policy, baseline, stage, from) =
            (one_line("policy"), one_line("baseline"), one_line("stage"), one_line("from"));
        let (comment_key, check_run) = (one_line("comment-key").unwrap_or_default(), one_line("check-run"));
        let mut truth = |name: &str, default: bool| match text(name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                problems.push(wrong(name, other, "`true` or `false`"));
                default
            }
        };
        let (annotations, summary) = (truth("annotations", true), truth("summary", true));
        let first = truth("first", false);
        let require_base_policy = truth("require-base-policy", false);
        let require_candidates = truth("require-candidates", false);
        let strict_reporting = truth("strict-reporting", false);
        let runs: Vec<String> = text("run")
            .unwrap_or_default()
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        for run in runs.iter().filter(|run| run.starts_with('-')) {
            problems.push(wrong("run", run, "runs, one per line, none of which begins with `-`"));
        }
        let asked = text("comment").unwrap_or_else(|| "auto".into());
        let comment = COMMENT.iter().find(|(word, _)| *word == asked).map(|(_, comment)| *comment);
        if comment.is_none() {
            let words: Vec<&str> = COMMENT.iter().map(|(word, _)| *word).collect();
            let problem = Diagnostic::new(BAD_INPUT, format!("the input `comment` can't be `{asked}`"));
            problems.push(problem.help(did_you_mean(&asked, &words, "one of")));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            policy,
            runs,
            baseline,
            stage,
            from,
            first,
            require_base_policy,
            require_candidates,
            annotations,
            summary,
            comment: comment.unwrap_or(Comment::Auto),
            comment_key,
            check_run,
            strict_reporting,
        })
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> Diagnostic {
    Diagnostic::new(BAD_INPUT, format!("the input `{name}` is `{value}`"))
        .help(format!("it must be {expected}"))
}
