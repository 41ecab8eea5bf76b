//! `gate power`: what the cases of a past run, or of two, can show.

use std::path::Path;

use super::show::{no_predictions, open, show};
use super::{NOT_COMPUTED, ONE_RUN, Workspace};
use crate::cases::{CaseColumns, Cases, pair};
use crate::document::Diagnostic;
use crate::facts::Workspace as Files;
use crate::rule::{Facts, NoCases, OTHER_CASES};
use crate::run::Run;
use crate::scorer::{PowerTable, power_of_runs, power_of_share};

/// Which cases to use.
#[derive(Debug, Clone, Copy)]
pub struct PowerRequest<'r> {
    /// The baseline.
    pub run: &'r str,
    /// Another run on the same cases: it shows how much two runs differ.
    pub against: Option<&'r str>,
    /// The metrics; if empty, those of the record.
    pub metrics: &'r [String],
    /// The share of decisions that change, if there is no other run.
    pub changed: f64,
}

/// What the cases of a run can show; also returns the run's name.
pub fn power(
    asked: &PowerRequest<'_>,
    policy: Option<&str>,
    folder: &Path,
) -> Result<(String, PowerTable), Vec<Diagnostic>> {
    let (workspace, read) = open(policy, None, folder)?;
    let columns = read.map_or_else(CaseColumns::default, |policy| policy.cases);
    let one = |name: &str| -> Result<(Run, Cases), Vec<Diagnostic>> {
        let (mut runs, wrong) = show(&[name.to_owned()], policy, folder);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        if runs.len() != 1 {
            let message = format!("`{name}` names {} runs, but power needs one", runs.len());
            return Err(vec![Diagnostic::new(ONE_RUN, message).help("name one record")]);
        }
        let run = runs.remove(0);
        let cases = cases(&run, &workspace, &columns).map_err(|wrong| vec![*wrong])?;
        Ok((run, cases))
    };
    let (run, mut cases) = one(asked.run)?;
    let label = run.label().to_owned();
    let unusable = |error| match NoCases::of(&label, error) {
        NoCases::Unusable(wrong) => vec![*wrong],
        NoCases::NotRecorded => vec![no_predictions(&run)],
    };
    let names: Vec<String> = match asked.metrics {
        [] => run.metrics().map(|metric| metric.name.to_owned()).collect(),
        named => named.to_vec(),
    };
    let table = match asked.against {
        None => power_of_share(&cases, &names, asked.changed).map_err(unusable)?,
        Some(against) => {
            let (_, mut other) = one(against)?;
            let pairing = pair(&cases, &other)
                .map_err(|why| vec![Diagnostic::new(OTHER_CASES, why.to_string()).help(why.help())])?;
            cases.align(&mut other);
            let candidate = other.sample().map_err(unusable)?.take(&pairing.candidate);
            power_of_runs(&cases, &names, &candidate).map_err(unusable)?
        }
    };
    let missing = asked.metrics.iter().find(|name| !table.powers.iter().any(|power| power.metric == **name));
    if let Some(name) = missing {
        let help = match asked.against {
            None => {
                "without another run, only metrics of decisions can be computed: name one with `--against RUN`"
            }
            Some(_) => "name it as scikit-learn does, such as `f1`, `f1_macro`, `roc_auc` or `rmse`",
        };
        let message = format!("`{name}` can't be computed from the predictions of `{label}`");
        return Err(vec![Diagnostic::new(NOT_COMPUTED, message).help(help)]);
    }
    Ok((label, table))
}

fn cases(run: &Run, workspace: &Workspace, columns: &CaseColumns) -> Result<Cases, Box<Diagnostic>> {
    let facts = Files::new(workspace.root(), workspace);
    match facts.cases(run, columns) {
        Ok(cases) => Ok((*cases).clone()),
        Err(NoCases::Unusable(wrong)) => Err(wrong),
        Err(NoCases::NotRecorded) => Err(no_predictions(run).boxed()),
    }
}
