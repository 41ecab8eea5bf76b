//! `gate power`

use std::path::Path;

use clap::Args;

use super::Terminal;
use super::answering::Format;
use crate::check::{self, PowerRequest};
use crate::render::{self, PowerQuestion};
use crate::scorer::power_of_count;
use crate::stats::Confidence;
use crate::verdict::Exit;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The baseline: a run that records its predictions
    #[arg(value_name = "RUN", required_unless_present = "cases", conflicts_with = "cases")]
    run: Option<String>,
    /// Another run on the same cases; a candidate is assumed to differ as much as these two
    #[arg(long, value_name = "RUN", requires = "run", conflicts_with = "changed")]
    against: Option<String>,
    /// How many cases there are, if no run has predictions yet
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cases: Option<u32>,
    /// The share of decisions that a candidate changes, such as 5%
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    changed: Share,
    /// How many cases a margin needs, instead of which margin these cases show
    #[arg(long, value_name = "DROP", value_parser = margin)]
    margin: Option<f64>,
    /// Only this metric; may be given several times [default: those of the record]
    #[arg(long = "metric", value_name = "NAME", requires = "run")]
    metrics: Vec<String>,
    /// One-sided, as in the policy
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    confidence: Share,
    /// The policy whose `cases:` says which columns are what [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// A share between 0 and 1, with its original text.
#[derive(Debug, Clone)]
struct Share(f64, String);

fn share(text: &str) -> Result<Share, String> {
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| "write 5% or 0.05".to_owned());
    let value = match text.strip_suffix('%') {
        Some(percent) => number(percent)? / 100.0,
        None => number(text)?,
    };
    if value > 0.0 && value < 1.0 {
        Ok(Share(value, text.to_owned()))
    } else {
        Err("write a share above 0 and below 1".into())
    }
}

fn confidence(text: &str) -> Result<Share, String> {
    let share = share(text)?;
    Confidence::new(share.0).map(|_| share).ok_or_else(|| "write a share above 50% and below 100%".to_owned())
}

fn margin(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "write a number, such as 0.01".to_owned())?;
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err("a margin is above 0".to_owned()) }
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let (name, table) = match (&arguments.run, arguments.cases) {
        (Some(run), _) => {
            let asked = PowerRequest {
                run,
                against: arguments.against.as_deref(),
                metrics: &arguments.metrics,
                changed: arguments.changed.0,
            };
            match check::power(&asked, arguments.policy.as_deref(), folder) {
                Ok(found) => found,
                Err(wrong) => {
                    for one in &wrong {
                        terminal.trouble(one);
                    }
                    return Exit::NoVerdict;
                }
            }
        }
        (None, count) => (String::new(), power_of_count(count.unwrap_or(1) as usize, arguments.changed.0)),
    };
    let Some(confidence) = Confidence::new(arguments.confidence.0) else { return Exit::NoVerdict };
    let asked =
        PowerQuestion { name: &name, confidence, percent: &arguments.confidence.1, margin: arguments.margin };
    arguments.format.print(terminal, &[], &|_, to| render::power_human(&table, &asked, to), &|to| {
        render::power_json(&table, &asked, to)
    })
}
