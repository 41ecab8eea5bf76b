//! A report in the formats that people and programs read: one file each, and none of them decides anything.

mod annotations;
mod diagnostic;
mod human;
mod json;
pub mod markdown;
mod neutral;
mod reproduction;
mod show;
mod style;
mod text;

pub use annotations::{
    Annotation, Loudness, annotations, github, in_repository, workflow_commands, workflow_message,
};
pub use human::{human, text_of_last_line, trouble};
pub use json::json;
pub use neutral::{Neutral, neutral, neutral_json};
pub use reproduction::{reproduction_human, reproduction_json};
pub use show::{show_human, show_json};
pub use style::Style;
pub use text::clean;
