//! A gate's only comment on a pull request: found again by its mark and author, and edited in place.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::api::{Api, Failed};
use super::{Context, ODD, Scope};
use crate::document::{Diagnostic, hex};

/// Maximum number of pages, of a hundred comments each, that are searched.
const PAGES: usize = 30;

/// The hidden first line of a comment, which identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Distinguishes this gate from others in the repository.
    pub key: String,
    /// The commit that it reports on.
    pub sha: String,
    /// The run that wrote it, and its attempt.
    pub run: (u64, u64),
}

/// The outcome for the comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It exists, at this URL.
    At(String),
    /// A newer run wrote it, so it is unchanged.
    Newer(String),
    /// There was nothing to say.
    Nothing,
}

impl Mark {
    /// The mark of a run.
    pub fn new(context: &Context, scope: &Scope) -> Self {
        let name = format!("{}\n{}\n{}", context.workflow, context.job, scope.identity());
        let digest = hex(&Sha256::digest(name.as_bytes()));
        Self {
            key: digest[..16].to_owned(),
            sha: context.head_sha.clone().unwrap_or_default(),
            run: (context.run_number, context.run_attempt),
        }
    }

    /// Formats the line.
    pub fn line(&self) -> String {
        let (run, attempt) = self.run;
        format!("<!-- gate:comment v1 key={} sha={} run={run}.{attempt} -->\n", self.key, self.sha)
    }

    /// Parses the first line of a comment.
    pub fn parse(body: &str) -> Option<Self> {
        let line = body.lines().next()?.strip_prefix("<!-- gate:comment v1 ")?.strip_suffix(" -->")?;
        let part = |name: &str| line.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let (run, attempt) = part("run")?.split_once('.')?;
        Some(Self {
            key: part("key")?.to_owned(),
            sha: part("sha")?.to_owned(),
            run: (run.parse().ok()?, attempt.parse().ok()?),
        })
    }
}

/// One of our comments.
struct Ours {
    id: u64,
    url: String,
    body: String,
    mark: Mark,
}

/// Updates the comment. If `worth_saying` is false, an existing comment is still edited, so that a red one turns green,
/// but no new one is created.
pub(super) async fn upsert(
    api: &Api,
    number: u64,
    mark: &Mark,
    body: &str,
    worth_saying: bool,
) -> Result<Written, Failed> {
    let author = Author::of(api).await;
    let mut ours = find(api, number, mark, &author).await?;
    if let Some(first) = ours.first() {
        if first.mark.run > mark.run {
            return Ok(Written::Newer(first.url.clone()));
        }
        let same = first.body.replace("\r\n", "\n").trim_end() == body.trim_end();
        let path = format!("/repos/{}/issues/comments/{}", api.repository(), first.id);
        let url = first.url.clone();
        if !same {
            edit(api, &path, body).await?;
        }
        for double in ours.drain(1..) {
            api.delete(&format!("/repos/{}/issues/comments/{}", api.repository(), double.id)).await?;
        }
        return Ok(Written::At(url));
    }
    if !worth_saying {
        return Ok(Written::Nothing);
    }
    create(api, number, mark, body, &author).await
}

async fn edit(api: &Api, path: &str, body: &str) -> Result<(), Failed> {
    match api.patch(path, &json!({ "body": body })).await {
        // Sending the same text a second time does no harm.
        Err(Failed::Unclear(_)) => api.patch(path, &json!({ "body": body })).await.map(|_| ()),
        other => other.map(|_| ()),
    }
}

async fn create(api: &Api, number: u64, mark: &Mark, body: &str, author: &Author) -> Result<Written, Failed> {
    let path = format!("/repos/{}/issues/{number}/comments", api.repository());
    let made = api.post(&path, &json!({ "body": body })).await;
    // Search again in any case: two runs may both have found none, and an unclear response may have created one.
    let there = find(api, number, mark, author).await?;
    match (there.split_first(), made) {
        (Some((first, doubles)), _) => {
            for double in doubles.iter().filter(|double| double.mark.run <= mark.run) {
                api.delete(&format!("/repos/{}/issues/comments/{}", api.repository(), double.id)).await?;
            }
            if first.mark.run < mark.run {
                edit(api, &format!("/repos/{}/issues/comments/{}", api.repository(), first.id), body).await?;
            }
            Ok(Written::At(first.url.clone()))
        }
        (None, Ok(answer)) => Ok(Written::At(url_of(&answer))),
        (None, Err(Failed::Unclear(_))) => {
            let answer = api.post(&path, &json!({ "body": body })).await?;
            Ok(Written::At(url_of(&answer)))
        }
        (None, Err(failed)) => Err(failed),
    }
}

fn url_of(comment: &Value) -> String {
    comment["html_url"].as_str().unwrap_or_default().to_owned()
}

/// The author of our comments.
struct Author {
    login: Option<String>,
}

impl Author {
    /// The owner of the token. A token with write permission can change anyone's comment, so the mark alone, which
    /// anyone can copy, is not enough.
    async fn of(api: &Api) -> Self {
        Self { login: api.viewer().await }
    }

    fn wrote(&self, comment: &Value) -> bool {
        let login = comment.pointer("/user/login").and_then(Value::as_str).unwrap_or_default();
        match &self.login {
            Some(ours) => bare(login).eq_ignore_ascii_case(bare(ours)),
            // If unknown, it must at least be a bot, as a workflow's token is.
            None => comment.pointer("/user/type").and_then(Value::as_str) == Some("Bot"),
        }
    }
}

fn bare(login: &str) -> &str {
    login.trim_end_matches("[bot]")
}

/// Our comments, the oldest first.
async fn find(api: &Api, number: u64, mark: &Mark, author: &Author) -> Result<Vec<Ours>, Failed> {
    let path = format!("/repos/{}/issues/{number}/comments", api.repository());
    let comments = api.list(&path, PAGES).await?;
    let mut ours: Vec<Ours> = comments
        .iter()
        .filter(|comment| author.wrote(comment))
        .filter_map(|comment| {
            let body = comment["body"].as_str()?.to_owned();
            let found = Mark::parse(&body).filter(|found| found.key == mark.key)?;
            Some(Ours { id: comment["id"].as_u64()?, url: url_of(comment), body, mark: found })
        })
        .collect();
    ours.sort_by_key(|one| one.id);
    Ok(ours)
}

/// Looks up the open pull request of a head, since the event of a fork does not name it, and an artifact that does
/// can't be trusted.
pub(super) async fn pull_request(api: &Api, context: &Context) -> Result<Option<u64>, Failed> {
    let Some(sha) = &context.head_sha else { return Ok(None) };
    let of_head = |pulls: &[Value]| -> Vec<u64> {
        pulls
            .iter()
            .filter(|pull| pull.pointer("/head/sha").and_then(Value::as_str) == Some(sha))
            .filter_map(|pull| pull["number"].as_u64())
            .collect()
    };
    let path = match (&context.pull_request, &context.head_label) {
        (Some(number), _) => {
            let pull = api.get(&format!("/repos/{}/pulls/{number}", api.repository())).await?;
            return Ok(of_head(&[pull]).first().copied());
        }
        (None, Some(label)) => {
            format!(
                "/repos/{}/pulls?state=open&head={}",
                api.repository(),
                utf8_percent_encode(label, NON_ALPHANUMERIC)
            )
        }
        (None, None) => return Ok(None),
    };
    match of_head(&api.list(&path, 1).await?).as_slice() {
        [] => Ok(None),
        [number] => Ok(Some(*number)),
        several => Err(Failed::No(
            Diagnostic::new(
                ODD,
                format!("{} pull requests have the head {sha}, so no comment was posted", several.len()),
            )
            .boxed(),
        )),
    }
}
