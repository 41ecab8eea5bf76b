//! What a workflow asked for: the inputs of the action, from the environment and nowhere else.

use crate::document::{Diagnostic, did_you_mean};
use crate::github::Comment;

use super::BAD_INPUT;

/// The inputs, checked.
#[expect(clippy::struct_excessive_bools, reason = "each is an input of the action")]
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The policy; none means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// The runs; none means those that changed.
    pub runs: Vec<String>,
    /// What to compare with.
    pub baseline: Option<String>,
    /// The stage.
    pub stage: Option<String>,
    /// A report of another job, which is only posted.
    pub from: Option<String>,
    /// A missing baseline is accepted: this is the first model.
    pub first: bool,
    /// A base without a policy is no verdict.
    pub require_base_policy: bool,
    /// Nothing to judge is no verdict.
    pub require_candidates: bool,
    /// Annotations at the lines of files.
    pub annotations: bool,
    /// A report in the summary of the job.
    pub summary: bool,
    /// When a comment is made.
    pub comment: Comment,
    /// Tells several gates of one job apart.
    pub comment_key: String,
    /// The name of a check run.
    pub check_run: Option<String>,
    /// What could not be posted is no verdict.
    pub strict_reporting: bool,
}

const COMMENT: [(&str, Comment); 4] = [
    ("auto", Comment::Auto),
    ("always", Comment::Always),
    ("on-failure", Comment::OnFailure),
    ("never", Comment::Never),
];

impl Inputs {
    /// Reads `GATE_INPUT_…`; everything that is wrong at once.
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
