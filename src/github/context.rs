//! What a workflow run is about: a pure function of its environment and its event.

use serde_json::Value;

use super::payload::{is_sha, number, text_at};

/// The facts about a workflow run that a report needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// `OWNER/NAME`.
    pub repository: String,
    /// The base URL of the API, without a trailing slash.
    pub api_url: String,
    /// The base URL of the pages, without a trailing slash.
    pub server_url: String,
    /// The name of the event.
    pub event: String,
    /// The commit that the event is about: never a pull request's temporary merge commit, which soon disappears. Links
    /// point to it.
    pub head_sha: Option<String>,
    /// The default branch of the repository, if the event names it.
    pub default_branch: Option<String>,
    /// The pull request.
    pub pull_request: Option<u64>,
    /// The branch of the head, as `OWNER:BRANCH`, if the event does not name the pull request.
    pub head_label: Option<String>,
    /// Why the token can't write, if that is known before trying.
    pub read_only: Option<&'static str>,
    /// The run, its number, and its attempt.
    pub run_id: String,
    /// See [`Self::run_id`].
    pub run_number: u64,
    /// See [`Self::run_id`].
    pub run_attempt: u64,
    /// The workflow and the job, which distinguish the gates of a repository.
    pub workflow: String,
    /// See [`Self::workflow`].
    pub job: String,
}

impl Context {
    /// Reads the environment through `variable`, and the event's payload.
    pub fn new(variable: impl Fn(&str) -> Option<String>, event: &Value) -> Self {
        let text = |name: &str| variable(name).filter(|text| !text.is_empty()).unwrap_or_default();
        let url = |name: &str, default: &str| {
            let url = text(name);
            let url = if url.is_empty() { default.to_owned() } else { url };
            url.trim_end_matches('/').to_owned()
        };
        let mut context = Self {
            repository: text("GITHUB_REPOSITORY"),
            api_url: url("GITHUB_API_URL", "https://api.github.com"),
            server_url: url("GITHUB_SERVER_URL", "https://github.com"),
            event: text("GITHUB_EVENT_NAME"),
            run_id: text("GITHUB_RUN_ID"),
            run_number: text("GITHUB_RUN_NUMBER").parse().unwrap_or(0),
            run_attempt: text("GITHUB_RUN_ATTEMPT").parse().unwrap_or(1),
            workflow: text("GITHUB_WORKFLOW"),
            job: text("GITHUB_JOB"),
            default_branch: text_at(event, "/repository/default_branch").map(str::to_owned),
            ..Self::default()
        };
        let sha = variable("GITHUB_SHA").filter(|sha| is_sha(sha));
        if event.get("pull_request").is_some() {
            context.of_pull_request(event);
        } else if event.get("merge_group").is_some() {
            // It may contain several pull requests, so there is none to comment on.
            context.head_sha = sha_at(event, "/merge_group/head_sha").or(sha);
        } else if event.get("workflow_run").is_some() {
            context.of_workflow_run(event);
        } else {
            context.head_sha = sha;
        }
        context
    }

    fn of_pull_request(&mut self, event: &Value) {
        self.head_sha = sha_at(event, "/pull_request/head/sha");
        self.pull_request = number(event);
        if self.event == "pull_request_target" {
            return;
        }
        // This is null if the fork was deleted.
        let head = text_at(event, "/pull_request/head/repo/full_name");
        let same = head.is_some_and(|name| name.eq_ignore_ascii_case(&self.repository));
        let by_dependabot = text_at(event, "/sender/login") == Some("dependabot[bot]");
        self.read_only = if !same {
            Some("the pull request comes from a fork, so the token can only read")
        } else if by_dependabot {
            Some("the pull request comes from Dependabot, so the token can only read")
        } else {
            None
        };
    }

    fn of_workflow_run(&mut self, event: &Value) {
        self.head_sha = sha_at(event, "/workflow_run/head_sha");
        // Empty for forks: the number is then looked up by branch.
        self.pull_request =
            event.pointer("/workflow_run/pull_requests/0/number").and_then(Value::as_u64).filter(|n| *n > 0);
        let owner = text_at(event, "/workflow_run/head_repository/owner/login");
        let branch = text_at(event, "/workflow_run/head_branch");
        self.head_label = owner.zip(branch).map(|(owner, branch)| format!("{owner}:{branch}"));
    }

    /// The URL of this run.
    pub fn run_url(&self) -> Option<String> {
        let known = !self.run_id.is_empty() && !self.repository.is_empty();
        known.then(|| format!("{}/{}/actions/runs/{}", self.server_url, self.repository, self.run_id))
    }

    /// The base URL of the files at the reported commit, ending in `/`.
    pub fn files_url(&self) -> Option<String> {
        let sha = self.head_sha.as_ref()?;
        (!self.repository.is_empty()).then(|| format!("{}/{}/blob/{sha}/", self.server_url, self.repository))
    }
}

fn sha_at(event: &Value, pointer: &str) -> Option<String> {
    text_at(event, pointer).filter(|sha| is_sha(sha)).map(str::to_owned)
}
