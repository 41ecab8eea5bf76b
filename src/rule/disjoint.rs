//! A model scores well on data that it has seen. `disjoint` requires that splits share no row, no group, and
//! no time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{NoCases, RuleInput, RuleResult};
use crate::cases::{Column, ID_COLUMNS, Table, short};
use crate::code::codes;
use crate::document::{Map, Node, Path, Reader, listed};
use crate::rule::loading::EMPTY_BODY;
use crate::run::{DataFile, Moment};
use crate::verdict::{Comparison, Finding, Outcome};

codes! {
    NO_SUCH_DATA = "data/no-such-split": "A rule names a split, but the record has no data file with that name or role.";
    UNREADABLE_ROWS = "data/unreadable": "The rows of a data file can't be read.";
    NO_COLUMN = "data/no-column": "A data file lacks a column for rows, groups or times.";
    SHARED_ROWS = "data/shared-rows": "Two splits that must not overlap share rows.";
    SHARED_GROUPS = "data/shared-groups": "A group, such as a customer, has rows in two splits that must not overlap.";
    LATER_TRAINING = "data/later-training": "Training rows are later than the first row that the model is judged on.";
}

/// Keys of `data` that are about splits.
pub(super) const KEYS: [&str; 4] = ["disjoint", "by", "groups", "time"];

/// What two splits must not share.
#[derive(Debug)]
pub(super) struct Disjoint {
    /// Names or roles of data files; for `time`, the first is the training split.
    splits: Vec<String>,
    /// Columns that identify a row; if empty, an id column does, or else all columns.
    by: Vec<String>,
    groups: Option<String>,
    time: Option<String>,
}

/// The rows of one split, from one file or several.
struct Split<'s> {
    name: &'s str,
    tables: Vec<(String, Arc<Table>)>,
}

impl Disjoint {
    /// Reads the keys of `data` about splits; `None` if there are none, or they are wrong.
    pub(super) fn load(reader: &mut Reader, map: &Map) -> Option<Self> {
        let Some(node) = map.get("disjoint") else {
            if let Some((_, entry)) = map.entries().find(|(key, _)| KEYS.contains(key)) {
                reader.problem(EMPTY_BODY, entry.key, "no splits are named", "about nothing").help =
                    Some("add `disjoint: [train, validation]`".into());
            }
            return None;
        };
        let texts = |reader: &mut Reader, node: &Node, what: &str| -> Vec<String> {
            reader.texts(node, what).into_iter().map(|(text, _)| text.to_owned()).collect()
        };
        let splits = texts(reader, node, "`disjoint`");
        if splits.len() < 2 {
            reader.problem(EMPTY_BODY, node.span, "`disjoint` needs at least two splits", "too few").help =
                Some("write `disjoint: [train, validation]`".into());
            return None;
        }
        let by = map.get("by").map_or_else(Vec::new, |node| texts(reader, node, "`by`"));
        let mut text = |key: &str| {
            let node = map.get(key)?;
            reader.text(node, &format!("`{key}`")).map(str::to_owned)
        };
        Some(Self { splits, by, groups: text("groups"), time: text("time") })
    }

    /// Compares every two splits.
    pub(super) fn judge(&self, judgement: &mut RuleResult, case: &RuleInput<'_>) {
        let files = case.candidate.data();
        let found: Result<Vec<Split<'_>>, Box<Finding>> =
            self.splits.iter().map(|name| read(case, &files, name)).collect();
        let splits = match found {
            Ok(splits) => splits,
            Err(raised) => {
                return judgement.fail(Comparison::exact("data", "disjoint", Outcome::Fail), *raised);
            }
        };
        for (place, first) in splits.iter().enumerate() {
            for second in &splits[place + 1..] {
                self.judge_two(judgement, first, second);
            }
        }
    }

    fn judge_two(&self, judgement: &mut RuleResult, first: &Split<'_>, second: &Split<'_>) {
        let pair = format!("{}, {}", first.name, second.name);
        let mut hold = |word: &'static str, answer: Result<String, Box<Finding>>| match answer {
            Ok(text) => {
                judgement.compare(Comparison::exact(pair.as_str(), word, Outcome::Pass).candidate(text));
            }
            Err(raised) => {
                judgement.fail(
                    Comparison::exact(pair.as_str(), word, Outcome::Fail),
                    raised.subject(pair.as_str()),
                );
            }
        };
        hold("share no row", self.rows(first, second));
        if let Some(column) = &self.groups {
            hold("share no group", groups(first, second, column));
        }
        if let Some(column) = &self.time {
            hold("earlier", times(first, second, column));
        }
    }

    /// Whether two splits share no row.
    fn rows(&self, first: &Split<'_>, second: &Split<'_>) -> Result<String, Box<Finding>> {
        let by = if self.by.is_empty() { told_by(first, second)? } else { self.by.clone() };
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let shared = shared(first, second, &by)?;
        if shared.count == 0 {
            return Ok(format!("{} and {} rows, by {}", shared.first, shared.second, by_words(&by)));
        }
        let message = format!(
            "{} of {} rows of {} are also in {}: {}",
            shared.count,
            shared.second,
            second.name,
            first.name,
            shared.examples.join("; ")
        );
        let help = format!(
            "split the data again: a model that was trained on these rows looks better than it is; rows are identified by {}",
            by_words(&by)
        );
        Err(Box::new(Finding::new(SHARED_ROWS, message).at(Path::of(["data"]), "these files").help(help)))
    }
}

fn read<'s>(case: &RuleInput<'_>, files: &[DataFile<'_>], name: &'s str) -> Result<Split<'s>, Box<Finding>> {
    let role = |file: &DataFile<'_>| {
        let index = files.iter().position(|other| other.at == file.at)?;
        let items = case.candidate.record().get("data")?.as_list()?;
        items.get(index)?.get("role")?.as_written().map(str::to_owned)
    };
    let wanted: Vec<&DataFile<'_>> =
        files.iter().filter(|file| file.name == Some(name) || role(file).as_deref() == Some(name)).collect();
    if wanted.is_empty() {
        let known: Vec<&str> = files.iter().filter_map(|file| file.name).collect();
        let help = match known[..] {
            [] => "record the data files: `gate record --data train=data/train.csv`".to_owned(),
            _ => format!("the record has {}", listed(&known)),
        };
        return Err(Box::new(
            Finding::new(NO_SUCH_DATA, format!("there is no data file named `{name}`"))
                .at(Path::of(["data"]), "not one of these")
                .subject(name)
                .help(help),
        ));
    }
    let mut tables = Vec::new();
    for file in wanted {
        let unreadable = |message: String, help: String| {
            Box::new(
                Finding::new(UNREADABLE_ROWS, message)
                    .at(file.at.clone(), "this file")
                    .subject(name)
                    .help(help),
            )
        };
        let Some(path) = file.path else {
            return Err(unreadable(format!("the data `{name}` has no path"), "record its path".into()));
        };
        match case.facts.rows(path, file.digest.as_ref()) {
            Ok(table) => tables.push((path.to_owned(), table)),
            Err(NoCases::NotRecorded) => {
                return Err(unreadable(format!("`{path}` can't be read"), "record its path".into()));
            }
            Err(NoCases::Unusable(why)) => {
                return Err(unreadable(why.message, why.help.unwrap_or_default()));
            }
        }
    }
    Ok(Split { name, tables })
}

/// The columns that identify rows if the policy does not name them: an id that both have, else every column.
fn told_by(first: &Split<'_>, second: &Split<'_>) -> Result<Vec<String>, Box<Finding>> {
    let all =
        |name: &str| first.tables.iter().chain(&second.tables).all(|(_, table)| table.column(name).is_some());
    let columns: Vec<&str> =
        first.tables.iter().flat_map(|(_, table)| &table.columns).map(|(name, _)| &**name).collect();
    if let Some(id) =
        columns.iter().find(|name| ID_COLUMNS.contains(&name.to_lowercase().as_str()) && all(name))
    {
        return Ok(vec![(*id).to_owned()]);
    }
    match columns.iter().find(|name| !all(name)) {
        Some(other) => Err(no_column(
            other,
            &format!("{} or {}", first.name, second.name),
            "name the columns that identify a row with `by:`",
        )),
        None => Ok(columns.into_iter().map(str::to_owned).collect()),
    }
}

fn by_words(by: &[&str]) -> String {
    if by.len() > 3 { format!("{} columns", by.len()) } else { listed(by) }
}

/// Rows of the second split that are also in the first.
struct Shared {
    count: usize,
    first: usize,
    second: usize,
    examples: Vec<String>,
}

fn shared(first: &Split<'_>, second: &Split<'_>, by: &[&str]) -> Result<Shared, Box<Finding>> {
    let mut known: HashSet<Vec<Option<&str>>> = HashSet::new();
    let mut counted = Shared { count: 0, first: 0, second: 0, examples: Vec::new() };
    for (file, table) in &first.tables {
        counted.first += table.rows();
        let columns = columns(table, file, by)?;
        known.extend((0..table.rows()).map(|row| columns.iter().map(|column| column.text(row)).collect()));
    }
    for (file, table) in &second.tables {
        counted.second += table.rows();
        let columns = columns(table, file, by)?;
        for row in 0..table.rows() {
            let key: Vec<Option<&str>> = columns.iter().map(|column| column.text(row)).collect();
            if known.contains(&key) {
                counted.count += 1;
                if counted.examples.len() < 3 {
                    let cells: Vec<&str> = key.iter().map(|cell| cell.unwrap_or("nothing")).collect();
                    counted.examples.push(short(&cells.join(", ")));
                }
            }
        }
    }
    Ok(counted)
}

fn columns<'t>(table: &'t Table, file: &str, names: &[&str]) -> Result<Vec<&'t Column>, Box<Finding>> {
    names
        .iter()
        .map(|name| {
            table.column(name).ok_or_else(|| {
                let has: Vec<&str> = table.columns.iter().map(|(name, _)| &**name).collect();
                no_column(name, &format!("`{file}`"), &format!("its columns are {}", listed(&has)))
            })
        })
        .collect()
}

fn no_column(name: &str, file: &str, help: &str) -> Box<Finding> {
    Box::new(
        Finding::new(NO_COLUMN, format!("there is no column `{name}` in {file}"))
            .at(Path::of(["data"]), "these files")
            .subject(name)
            .help(help),
    )
}

fn groups(first: &Split<'_>, second: &Split<'_>, column: &str) -> Result<String, Box<Finding>> {
    let of = |split: &Split<'_>| -> Result<HashMap<String, usize>, Box<Finding>> {
        let mut rows: HashMap<String, usize> = HashMap::new();
        for (file, table) in &split.tables {
            let column = columns(table, file, &[column])?[0];
            for row in 0..table.rows() {
                *rows.entry(column.text(row).unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        Ok(rows)
    };
    let (ours, theirs) = (of(first)?, of(second)?);
    let mut both: Vec<(&String, usize)> = theirs
        .iter()
        .filter(|(group, _)| ours.contains_key(*group))
        .map(|(group, rows)| (group, *rows))
        .collect();
    both.sort_unstable();
    if both.is_empty() {
        return Ok(format!("{} and {} groups by {column}", ours.len(), theirs.len()));
    }
    let rows: usize = both.iter().map(|(_, rows)| rows).sum();
    let some: Vec<String> = both.iter().take(3).map(|(group, _)| short(group)).collect();
    let message = format!(
        "{} of {} groups by `{column}` are in both {} and {}, with {rows} rows of {}: {}",
        both.len(),
        theirs.len(),
        first.name,
        second.name,
        second.name,
        some.join(", ")
    );
    Err(Box::new(
        Finding::new(SHARED_GROUPS, message)
            .at(Path::of(["data"]), "these files")
            .help("put all rows of a group on one side, for example with `GroupKFold`"),
    ))
}

/// Whether no row of the first split is later than the first row of the second.
fn times(first: &Split<'_>, second: &Split<'_>, column: &str) -> Result<String, Box<Finding>> {
    let (ours, theirs) = (split_times(first, column)?, split_times(second, column)?);
    let Some((from, text)) = theirs.iter().min() else {
        return Ok(format!("{} has no times", second.name));
    };
    let mut later: Vec<&(Timestamp, &str)> = ours.iter().filter(|(at, _)| at > from).collect();
    later.sort_unstable_by(|a, b| b.cmp(a));
    if later.is_empty() {
        return Ok(format!("none later than {text}"));
    }
    let some: Vec<&str> = later.iter().take(3).map(|(_, text)| *text).collect();
    let message = format!(
        "{} of {} times of {} are later than {text}, the first of {}: {}",
        later.len(),
        ours.len(),
        first.name,
        second.name,
        some.join(", ")
    );
    Err(Box::new(
        Finding::new(LATER_TRAINING, message)
            .at(Path::of(["data"]), "these files")
            .help("train on what was known before the first row that the model is judged on"),
    ))
}

/// The different times of a split.
fn split_times<'s>(split: &'s Split<'_>, column: &str) -> Result<Vec<(Timestamp, &'s str)>, Box<Finding>> {
    let mut times = Vec::new();
    for (file, table) in &split.tables {
        for text in columns(table, file, &[column])?[0].texts() {
            let date = || Moment::parse(&format!("{text}T00:00:00Z"));
            let moment = Moment::parse(text).or_else(|_| date()).map_err(|_| {
                let message = format!("`{}` in the column `{column}` of `{file}` is not a time", short(text));
                Box::new(
                    Finding::new(UNREADABLE_ROWS, message)
                        .at(Path::of(["data"]), "these files")
                        .help("write times such as 2026-05-30 or 2026-05-30T12:00:00Z"),
                )
            })?;
            times.push((moment.at, text));
        }
    }
    Ok(times)
}
