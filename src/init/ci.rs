//! The texts of the other files: a workflow, a hook, git attributes, and the next steps.

use super::Layout;
use super::look::Repository;
use super::runs::Summary;

/// A hook for `git push`.
pub(super) const HOOK: &str = "#!/bin/sh
# Judges the run records that changed, before they are pushed. `git push --no-verify` skips it.
exec gate check
";

/// Keeps promotions byte for byte: they are signed, and chained by digest.
pub(super) const ATTRIBUTES: &str =
    "# Promotions of gate are signed: git must neither merge them nor change their line ends.
ledger/** -merge -text
";

/// The workflow for GitHub.
pub(super) fn workflow(repository: &Repository, layout: Layout) -> String {
    let mut text = String::from(
        "# Judges the model that a pull request changes. Make the job \"Promotion gate\" a required check.
name: gate
on:
  pull_request:
  merge_group: # needed with a merge queue
permissions: {}
jobs:
  gate:
    name: Promotion gate
    runs-on: ubuntu-latest
    permissions:
      contents: read # to read the records and the base branch
      pull-requests: write # for the comment; without it everything else still works
    steps:
      - uses: actions/checkout@v5
",
    );
    if layout == Layout::Dvc {
        text += "        with:\n          fetch-depth: 0 # tags and the history, which DVC and GTO use\n";
    }
    text += "      - uses: gate-ci/gate@v1\n";
    match layout {
        Layout::Plain => {}
        Layout::Dvc => text += "        with:\n          run: dvc:.\n",
        Layout::Mlflow => {
            let model = repository.mlflow.as_ref().and_then(|store| store.models.first());
            let name = model.map_or("MODEL", |(name, _)| name);
            text += &format!("        with:\n          run: mlflow:models:/{name}/latest\n");
            text += "        env:\n          MLFLOW_TRACKING_URI: ${{ vars.MLFLOW_TRACKING_URI }}\n";
            text += "          MLFLOW_TRACKING_TOKEN: ${{ secrets.MLFLOW_TRACKING_TOKEN }}\n";
        }
    }
    text
}

/// The next steps for the user.
pub(super) fn next_steps(
    repository: &Repository,
    layout: Layout,
    summary: &Summary,
    workflow: bool,
) -> Vec<String> {
    let mut next = Vec::new();
    if layout == Layout::Plain && summary.runs == 0 {
        let metrics = repository.metrics.first().map_or("metrics.json", String::as_str);
        let model = repository.models.first().map_or("models/model.pkl", String::as_str);
        let script = repository.script.as_deref().unwrap_or("train.py");
        next.push(format!(
            "record a training: gate record --metrics {metrics} --artifact {model} -- python {script}"
        ));
        next.push("or in Python: with mlgate.record(\"runs/model.json\", model=\"NAME\") as run: …".into());
    }
    next.push(match layout {
        Layout::Plain => "gate check".into(),
        Layout::Dvc => "gate check dvc:.".into(),
        Layout::Mlflow => {
            let model = repository.mlflow.as_ref().and_then(|store| store.models.first());
            format!("gate check mlflow:models:/{}/latest", model.map_or("MODEL", |(name, _)| name))
        }
    });
    if workflow {
        next.push("commit the files, and make \"Promotion gate\" a required check of the branch".into());
    } else if layout == Layout::Mlflow {
        next.push("CI can't read a store on your machine: set MLFLOW_TRACKING_URI to a server, and run gate init again".into());
    } else {
        next.push("commit the files".into());
    }
    next
}
