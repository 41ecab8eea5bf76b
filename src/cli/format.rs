//! The formats of a report.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use serde_json::Value;

use crate::action;
use crate::github::Context;
use crate::render::markdown::{Page, SUMMARY};
use crate::render::{self, Style};
use crate::verdict::Report;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person.
    Human,
    /// The whole report as JSON.
    Json,
    /// For a page or a comment.
    Markdown,
    /// As commands of GitHub Actions: annotations at the lines of files.
    Github,
    /// As SARIF 2.1.0, for code scanning and editors.
    Sarif,
    /// As JUnit XML, for the test reports of GitLab and Jenkins.
    Junit,
    /// As issues for GitLab's Code Quality.
    Gitlab,
    /// As one page for a browser, with charts.
    Html,
    /// As an in-toto statement with a test result, to be signed.
    TestResult,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl Format {
    /// Whether the format shows, for many passing candidates, only that they passed, and by which rules.
    pub(super) fn is_brief(self) -> bool {
        self != Self::Json
    }

    /// Writes a report. Formats whose readers look up files in the repository get paths from its top.
    pub(super) fn write(
        self,
        report: &Report,
        folder: &Path,
        style: Style,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Self::Human => render::human(report, style, to),
            Self::Json => render::json(report, to),
            Self::Markdown => {
                let page = Page { most: SUMMARY, ..Page::default() };
                render::markdown::markdown(report, &page, to)
            }
            Self::Github => render::github(report, &action::below(&variable, folder), to),
            Self::Sarif => render::sarif(report, &below_top(folder), to),
            Self::Junit => render::junit(report, to),
            Self::Gitlab => render::gitlab(report, &below_top(folder), to),
            Self::Html => render::html(report, to),
            Self::TestResult => render::test_result(report, job().as_deref(), to),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The page of the job that judges.
fn job() -> Option<String> {
    variable("CI_JOB_URL").or_else(|| Context::new(variable, &Value::Null).run_url())
}

/// The folder's path from the top of the repository: the runner's checkout, else git's top folder.
fn below_top(folder: &Path) -> String {
    let of_runner = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].iter().find_map(|name| variable(name));
    let of_git = || folder.ancestors().find(|top| top.join(".git").exists()).map(Path::to_owned);
    let top = of_runner.map(Into::into).or_else(of_git);
    top.and_then(|top| action::path_below(&top, folder)).unwrap_or_default()
}
