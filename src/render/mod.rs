//! A report in the formats that people and programs read: one file each, and none of them decides anything.

mod annotations;
mod audit;
mod cases;
mod claims;
mod diagnostic;
mod diff;
mod evidence;
mod explanation;
mod gitlab;
mod history;
mod html;
mod human;
mod json;
mod junit;
pub mod markdown;
mod ml_bom;
mod model_card;
mod neutral;
mod power;
mod promotion;
mod ranking;
mod reproduction;
mod sarif;
mod scale;
mod show;
mod style;
mod suite;
mod test_result;
mod text;
mod verification;

pub use annotations::{
    Annotation, Loudness, annotations, github, in_repository, workflow_commands, workflow_message,
};
pub use audit::audit_human;
pub use cases::{cases_human, cases_json};
pub use diff::{diff_human, diff_markdown};
pub use explanation::explanation_human;
pub use gitlab::gitlab;
pub use history::{history_human, history_markdown};
pub use html::{audit_html, history_html, html, ranking_html};
pub use human::{human, text_of_last_line, trouble};
pub use json::{JsonStream, json, json_of};
pub use junit::junit;
pub use ml_bom::ml_bom;
pub use model_card::model_card;
pub use neutral::{Neutral, neutral, neutral_json};
pub use power::{PowerQuestion, power_human, power_json};
pub use promotion::{promotion_human, promotion_json};
pub use ranking::{ranking_human, ranking_markdown};
pub use reproduction::reproduction_human;
pub use sarif::sarif;
pub use show::{show_human, show_json};
pub use style::{Detail, Style};
pub use test_result::test_result;
pub use text::clean;
pub use verification::verification_human;
