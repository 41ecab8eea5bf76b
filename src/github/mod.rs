//! Reports to GitHub. Reporting never decides: whatever happens here, the verdict is unchanged.

mod api;
mod check_run;
mod comment;
mod context;
mod event;
mod outputs;
mod payload;
mod report;
mod scope;

pub use api::{Api, Failed};
pub use comment::Mark;
pub use context::Context;
pub use event::{Base, Event, PullRequest, no_payload};
pub use outputs::Outputs;
pub use payload::is_sha;
pub use report::{Comment, Posted, Posting, post};
pub use scope::Scope;

use crate::code::codes;

codes! {
    DENIED = "github/denied": "GitHub refused a call: the token lacks a permission, or is not valid.";
    FAILED = "github/failed": "A call to GitHub failed.";
    OTHER_EVENT = "github/other-event": "The workflow runs on an event that names nothing to judge.";
    BAD_PAYLOAD = "github/bad-payload": "The event's payload can't be read, or lacks a commit that a verdict needs.";
    ODD = "github/odd": "It is unclear which pull request or commit the report belongs to.";
}
