//! What GitHub is told of a report. Reporting never decides: whatever happens here, the verdict stands.

mod api;
mod check_run;
mod comment;
mod context;
mod outputs;
mod report;

pub use api::{Api, Failed};
pub use comment::Mark;
pub use context::{Base, Context, is_sha};
pub use outputs::Outputs;
pub use report::{Comment, Posted, Posting, post};

use crate::code::codes;

codes! {
    DENIED = "github/denied": "GitHub refused a call: the token lacks a permission, or is not valid.";
    FAILED = "github/failed": "A call to GitHub failed.";
    ODD = "github/odd": "What GitHub answered leaves open what to do.";
}
