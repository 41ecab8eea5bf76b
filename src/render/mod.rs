//! A report in the formats that people and programs read: one file each, and none of them decides anything.

mod diagnostic;
mod human;
mod json;
mod reproduction;
mod show;
mod style;
mod text;

pub use human::{human, trouble};
pub use json::json;
pub use reproduction::{reproduction_human, reproduction_json};
pub use show::{show_human, show_json};
pub use style::Style;
pub use text::clean;
