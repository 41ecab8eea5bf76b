//! What a command wrote: its lines, its files, and whether its inputs are unchanged since it started.

use jiff::Timestamp;

use super::files::Stamp;
use super::mlflow::{Taken, fill};
use super::start::{Data, Start};
use super::surroundings::Code;
use super::{CHANGED, FILE_MISSING, NOT_WRITTEN, place, sources};
use crate::document::{Diagnostic, Map, Node, Path, hex};
use crate::recording::{
    AggregatesFact, FileFact, Lines, SAID_TWICE, TrainingFacts, Validation, differing_files, leave_out,
    leave_out_infinite, merge, scalar, seed_of,
};
use crate::secret::MASKED;
use crate::source::mask_values;

/// The facts of a run that succeeded, and everything that is wrong with them.
pub(super) fn facts(
    start: &Start<'_>,
    lines: &Lines,
    taken: Option<&Taken>,
    ended_at: Timestamp,
) -> (TrainingFacts, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let order = start.order;
    let text = |option: &Option<String>, field: &str, problems: &mut Vec<Diagnostic>| {
        let line = lines.field(field).and_then(Node::as_written).map(str::to_owned);
        one(option.clone(), line, field, problems)
    };
    let model = text(&order.model, "model", &mut problems);
    let data_version = text(&order.data_version, "data_version", &mut problems);
    let split = text(&order.split, "validation.split", &mut problems);
    let said_id = text(&order.run_id, "run_id", &mut problems);
    problems.extend(said_id.as_deref().and_then(|id| place::run_id(id).err()).map(|problem| *problem));
    let run_id = said_id.unwrap_or_else(|| run_id(start, model.as_deref()));
    let mut params = params(start, lines, &mut problems);
    let (mut metrics, mut left_out) = metrics(start, lines, &mut problems);
    if let Some(taken) = taken {
        fill(&mut params, &taken.params);
        let mut logged = taken.metrics.clone();
        left_out.extend(leave_out_infinite(&mut logged, &order.promised));
        fill(&mut metrics, &logged);
    }
    let seed_of_params = seed_of(&params);
    let mut tags = lines.tags.clone();
    let masked =
        [&mut params, &mut tags].into_iter().filter_map(|values| mask_values(values).then_some(())).count()
            > 0;
    let seed = order.seed.as_deref().map(scalar).or_else(|| lines.field("seed").cloned());
    if let (Some(option), Some(line)) = (&order.seed, lines.field("seed").and_then(Node::as_written)) {
        one(Some(option.clone()), Some(line.to_owned()), "seed", &mut problems);
    }
    let mut data: Vec<(String, FileFact)> = Vec::new();
    for file in &start.data {
        data.extend(keep(read(start, file), &mut problems).map(|fact| (file.role.clone(), fact)));
    }
    for (role, path) in &lines.data {
        let file = inside(start, path).and_then(|path| start.files.measure_data(&path, role));
        data.extend(keep(file, &mut problems).map(|fact| (role.clone(), fact)));
    }
    let validated = start.validation.as_ref().and_then(|file| keep(read(start, file), &mut problems));
    if let Some(fact) = &validated
        && data.iter().all(|(_, known)| known.path != fact.path)
    {
        data.push(("validation".into(), fact.clone()));
    }
    let stem = |fact: &FileFact| {
        let name = fact.path.rsplit('/').next().unwrap_or(&fact.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
    };
    let validation = Validation {
        split: split.or_else(|| validated.as_ref().map(stem)),
        file: validated,
        strategy: lines.field("validation.strategy").and_then(Node::as_written).map(str::to_owned),
        seed: lines.field("validation.seed").and_then(Node::as_written).map(str::to_owned),
    };
    let artifacts = artifacts(start, lines, &mut problems);
    let predictions = match (&start.predictions, &lines.predictions) {
        (Some((path, before)), _) => {
            keep(written(start, path, *before, "file of predictions"), &mut problems)
        }
        (None, Some(path)) => keep(named(start, path, "file of predictions"), &mut problems),
        (None, None) => None,
    };
    let aggregates = aggregates(start, lines, predictions.is_some(), &mut problems);
    let code = &start.code;
    let mut written_files = start.written.clone();
    let counted = aggregates.as_ref().map(|fact| &fact.file);
    written_files.extend(artifacts.iter().chain(&predictions).chain(counted).map(|fact| fact.path.clone()));
    let facts = TrainingFacts {
        run_id,
        interrupted: start.interrupted,
        model,
        name: lines.field("name").and_then(Node::as_written).map(str::to_owned),
        commit: code.commit.clone(),
        branch: code.branch.clone(),
        dirty: code.dirty(&written_files),
        command: start.command.clone(),
        folder: start.place.start(),
        source: start.source.clone(),
        data_version,
        data,
        lists: None,
        logged_model: taken.and_then(|taken| taken.model.clone()),
        tracked_as: taken.map(Taken::reference),
        validation,
        seed: seed.or(seed_of_params),
        params,
        metrics,
        slices: lines.field("slices").cloned(),
        tags,
        left_out,
        masked,
        predictions,
        aggregates,
        artifacts,
        environment: start.environment.clone(),
        created_at: start.created_at,
        ended_at,
        metrics_files: start.metrics.iter().map(|(path, _)| path.clone()).collect(),
    };
    (facts, problems)
}

/// The aggregates that training names in place of predictions.
fn aggregates(
    start: &Start<'_>,
    lines: &Lines,
    has_rows: bool,
    problems: &mut Vec<Diagnostic>,
) -> Option<AggregatesFact> {
    let path = lines.aggregates.as_ref()?;
    if has_rows {
        let message = format!("predictions are recorded as rows and as aggregates, `{path}`");
        let help = "record the file of predictions or the aggregates";
        problems.push(Diagnostic::new(SAID_TWICE, message).help(help));
        return None;
    }
    let field = |name: &str| lines.field(name).and_then(Node::as_written).map(str::to_owned);
    Some(AggregatesFact {
        file: keep(named(start, path, "file of aggregates"), problems)?,
        engine: field("aggregates.engine"),
        statements: field("aggregates.statements"),
    })
}

/// The files that were promised, and those that the training named, without duplicates.
fn artifacts(start: &Start<'_>, lines: &Lines, problems: &mut Vec<Diagnostic>) -> Vec<FileFact> {
    let mut artifacts: Vec<FileFact> = Vec::new();
    for (path, before) in &start.artifacts {
        let fact = folder(start, path).unwrap_or_else(|| written(start, path, *before, "artifact"));
        artifacts.extend(keep(fact, problems));
    }
    for path in &lines.artifacts {
        let below = inside(start, path).ok().and_then(|path| folder(start, &path));
        let fact = keep(below.unwrap_or_else(|| named(start, path, "artifact")), problems);
        artifacts.extend(fact.filter(|fact| artifacts.iter().all(|known| known.path != fact.path)));
    }
    artifacts
}

/// Notes on what was recorded and what was not, so that nobody assumes that everything was.
pub(super) fn notes(code: &Code, facts: &TrainingFacts, label: &str) -> Vec<String> {
    let counted =
        |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let summary = format!(
        "recorded {label}: {}, {}, {}",
        counted(facts.metrics.len(), "metric"),
        counted(facts.artifacts.len().max(facts.logged_model.iter().len()), "artifact"),
        counted(facts.data.len(), "data file")
    );
    let environment = &facts.environment;
    let absent: Vec<&str> = [
        ("commit", facts.commit.is_none()),
        ("model", facts.model.is_none()),
        ("params", facts.params.is_empty()),
        ("seed", facts.seed.is_none()),
        ("data", facts.data.is_empty()),
        ("data version", facts.data_version.is_none()),
        ("validation split", facts.validation.split.is_none()),
        ("lockfile", environment.lockfile.is_none()),
        ("packages", environment.packages.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, absent)| absent.then_some(name))
    .collect();
    let mut notes = vec![summary];
    if !absent.is_empty() {
        notes.push(format!("not recorded: {}; `gate record --help` says how to add each", absent.join(", ")));
    }
    if !facts.left_out.is_empty() {
        notes.push(format!(
            "left out of the metrics because they are not numbers: {}",
            facts.left_out.join(", ")
        ));
    }
    if facts.masked {
        notes.push(
            "parameters or tags contain secrets; only the beginning of a digest was recorded for each".into(),
        );
    }
    if facts.interrupted {
        notes.push(
            "the command was stopped while it ran: it is recorded as interrupted, which fails every check"
                .into(),
        );
    }
    notes.extend(code.silent.as_ref().map(|why| format!("the commit is not recorded: {why}")));
    if facts.dirty == Some(true) {
        notes.push("the code had uncommitted changes: commit first, then train".into());
    }
    if facts.command.iter().any(|word| word.contains(MASKED)) {
        notes.push("a part of the command looks like a secret; its value was not recorded".into());
    }
    notes
}

/// A value that both an option and a line may give; they must agree.
fn one(
    option: Option<String>,
    line: Option<String>,
    what: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    let mut both = Map::default();
    for value in [&option, &line].into_iter().flatten() {
        let mut map = Map::default();
        map.insert(what, crate::document::Span::default(), Node::text(value.as_str()));
        merge(&mut both, map, &Path::root(), problems);
    }
    option.or(line)
}

/// `churn-20260530T120000Z-3f2a9c1b`: the name of the output file, else the model, then the start time, and random
/// digits that distinguish it from other runs started in the same second.
fn run_id(start: &Start<'_>, model: Option<&str>) -> String {
    let stem = start.order.output.as_ref().and_then(|path| path.file_stem());
    let stem = stem.map(|stem| stem.to_string_lossy().into_owned());
    let name = stem.or_else(|| model.map(str::to_owned)).unwrap_or_else(|| "run".into());
    let name = name.replace(|c: char| matches!(c, '/' | '\\') || c.is_control(), "-");
    let mut random = [0; 4];
    // If this fails, two runs in the same second share an id, but the second record does not overwrite the first.
    let _ = getrandom::fill(&mut random);
    let time = start.created_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{}-{time}-{}", name.trim_start_matches('.'), hex(&random))
}

fn params(start: &Start<'_>, lines: &Lines, problems: &mut Vec<Diagnostic>) -> Map {
    let what = "file of parameters";
    let mut all = Map::default();
    for (path, before) in &start.params {
        let after = start.files.read(path, what);
        let Some(after) = keep(after, problems) else { continue };
        if before.as_ref().is_some_and(|before| *before != after) {
            problems.push(
                Diagnostic::new(CHANGED, format!("the {what} `{path}` changed while the command ran")).help(
                    "gate can't know which version the run used: don't change it while training runs; if \
                     training writes it, let it write lines such as `params.c=1.0` into the file that $GATE_RECORD_FILE names",
                ),
            );
            continue;
        }
        if let Some(map) = keep(sources::object(path, after, what), problems) {
            merge(&mut all, map, &Path::of(["params"]), problems);
        }
    }
    merge(&mut all, lines.params.clone(), &Path::of(["params"]), problems);
    all
}

/// The metrics, and the names of values in a file that are not numbers: a confusion matrix, a name, null.
fn metrics(start: &Start<'_>, lines: &Lines, problems: &mut Vec<Diagnostic>) -> (Map, Vec<String>) {
    let mut fresh = Vec::new();
    for (path, before) in &start.metrics {
        if keep(written(start, path, *before, "file of metrics"), problems).is_some() {
            fresh.push(path.clone());
        }
    }
    let mut all = sources::objects(&start.files, &fresh, "file of metrics", problems);
    let left_out = leave_out(&mut all, &start.order.promised);
    merge(&mut all, lines.metrics.clone(), &Path::of(["metrics"]), problems);
    (all, left_out)
}

/// A file that the command must have written: if it existed before and is unchanged, it belongs to another run.
fn written(
    start: &Start<'_>,
    path: &str,
    before: Option<Stamp>,
    what: &str,
) -> Result<FileFact, Box<Diagnostic>> {
    let after = start.files.stamp(path);
    if before.is_some() && before == after {
        return Err(older(path, what));
    }
    start.files.measure(path, what).and_then(not_empty).map_err(|problem| {
        if problem.code == FILE_MISSING {
            let help = format!(
                "the command succeeded but did not write `{path}`: check where training saves it, and name that path"
            );
            return problem.help(help).boxed();
        }
        problem
    })
}

/// A folder of model files, all of which must be from this run.
fn folder(start: &Start<'_>, path: &str) -> Option<Result<FileFact, Box<Diagnostic>>> {
    let path = path.trim_end_matches('/');
    start.files.is_folder(path).then(|| match start.files.measure_folder(path, start.tick)? {
        (fact, None) => not_empty(fact),
        (_, Some(file)) => Err(Diagnostic::new(
            NOT_WRITTEN,
            format!("the artifact `{path}` contains `{file}`, which the command did not write"),
        )
        .help("older files belong to another run: let training start with an empty folder")
        .boxed()),
    })
}

fn not_empty(fact: FileFact) -> Result<FileFact, Box<Diagnostic>> {
    if fact.bytes > 0 {
        return Ok(fact);
    }
    Err(Diagnostic::new(NOT_WRITTEN, format!("`{}` is empty", fact.path))
        .help("was the disk full, or the file never closed?")
        .boxed())
}

/// A data file that must be unchanged since the command started.
fn read(start: &Start<'_>, file: &Data) -> Result<FileFact, Box<Diagnostic>> {
    let Some((stamp, fact)) = &file.before else { return start.files.measure_data(&file.path, &file.role) };
    if start.files.data_stamp(&file.path) == *stamp {
        return Ok(fact.clone());
    }
    let after = start.files.measure_data(&file.path, &file.role)?;
    if after == *fact {
        return Ok(after);
    }
    let message = match (&fact.list, &after.list) {
        (Some(before), Some(after)) => {
            let files = differing_files(before, after).unwrap_or_default();
            format!("the data folder `{}` changed while the command ran: {files}", file.path)
        }
        _ => format!("the data file `{}` changed while the command ran", file.path),
    };
    Err(Diagnostic::new(CHANGED, message)
        .help("gate can't know what the run read: train again, and don't change the data while training runs")
        .boxed())
}

/// A file that gate learned of only after the command had finished: it must be from this run too.
fn named(start: &Start<'_>, path: &str, what: &str) -> Result<FileFact, Box<Diagnostic>> {
    let path = inside(start, path)?;
    let fact = start.files.measure(&path, what).and_then(not_empty)?;
    if start.files.changed_since(&path, start.tick) { Ok(fact) } else { Err(older(&path, what)) }
}

fn older(path: &str, what: &str) -> Box<Diagnostic> {
    Diagnostic::new(NOT_WRITTEN, format!("the command did not write the {what} `{path}`"))
        .help("the existing file is older, so it belongs to another run: check where training saves its own")
        .boxed()
}

fn inside(start: &Start<'_>, path: &str) -> Result<String, Box<Diagnostic>> {
    start.place.inside(std::path::Path::new(path))
}

fn keep<T>(result: Result<T, Box<Diagnostic>>, problems: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|problem| problems.push(*problem)).ok()
}
