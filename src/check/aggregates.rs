//! What a policy needs counted, for cases that are stored elsewhere.

use std::path::Path;

use super::show::open;
use super::{COLUMNS_ALIKE, NOT_AGGREGATED};
use crate::aggregates::{AggregateTable, Aggregates, CaseNeeds, Impossible, Plan, Task};
use crate::cases::CaseColumns;
use crate::document::Diagnostic;
use crate::facts::{CountedFiles, PARTITION_ROWS, TellProgress, count_files};
use crate::rule::NoCases;
use crate::sql::{Dialect, Source, Statement, columns, columns_alike, statements};
use crate::verdict::Level;

/// The statements for an engine, and the columns that each returns.
#[derive(Debug)]
pub struct Statements {
    /// What is counted.
    pub plan: Plan,
    /// The columns of each statement's rows.
    pub columns: Vec<String>,
    /// The statements, in the order in which they must run.
    pub statements: Vec<Statement>,
}

/// The statements that count the cases of a policy.
pub fn case_statements(
    source: &Source,
    dialect: Dialect,
    task: Option<Task>,
    policy: Option<&str>,
    folder: &Path,
) -> Result<Statements, Vec<Diagnostic>> {
    let has_baseline = !matches!(source, Source::Candidate(_));
    let (plan, _) = plan(task, has_baseline, policy, folder)?;
    if let Some([first, second]) = columns_alike(&plan, dialect) {
        let message = format!(
            "`{first}` and `{second}` differ only in case, and {} can't tell such columns apart",
            dialect.name()
        );
        return Err(vec![Diagnostic::new(COLUMNS_ALIKE, message).help("rename one of them")]);
    }
    let statements = statements(&plan, source, dialect);
    Ok(Statements { columns: columns(&plan), plan, statements })
}

/// Counts the cases of files. Also returns why they can't be evidence, if a guard counted anything; then
/// there are no cells.
pub fn count_cases(
    files: CountedFiles<'_>,
    task: Option<Task>,
    policy: Option<&str>,
    tell: TellProgress<'_>,
) -> Result<(AggregateTable, Plan, Option<Diagnostic>), Vec<Diagnostic>> {
    let (plan, columns) = plan(task, files.baseline.is_some(), policy, files.folder)?;
    let table = count_files(&plan, &columns, files, PARTITION_ROWS, tell).map_err(unusable)?;
    let wrong = Aggregates::of(&table, &columns).err().map(|error| {
        let mut wrong = unusable(NoCases::of_aggregates(files.candidate, error));
        wrong.remove(0)
    });
    Ok((table, plan, wrong))
}

fn unusable(why: NoCases) -> Vec<Diagnostic> {
    match why {
        NoCases::Unusable(wrong) => vec![*wrong],
        NoCases::NotRecorded => {
            vec![Diagnostic::new(NOT_AGGREGATED, "there are no cases").help("name a file")]
        }
    }
}

/// What the policy needs counted, and its columns.
pub(super) fn plan(
    task: Option<Task>,
    has_baseline: bool,
    policy: Option<&str>,
    folder: &Path,
) -> Result<(Plan, CaseColumns), Vec<Diagnostic>> {
    let (_, policy) = open(policy, None, folder)?;
    let mut needs = CaseNeeds::default();
    let mut columns = CaseColumns::default();
    if let Some(policy) = policy {
        for rule in policy.rules.iter().filter(|rule| rule.level != Level::Off) {
            rule.requirement.case_needs(&mut needs);
        }
        columns = policy.cases;
    }
    let plan = Plan::of(&needs, &columns, task, has_baseline).map_err(|why| vec![impossible(why)])?;
    Ok((plan, columns))
}

fn impossible(why: Impossible) -> Diagnostic {
    Diagnostic::new(NOT_AGGREGATED, why.message).help(why.help)
}
