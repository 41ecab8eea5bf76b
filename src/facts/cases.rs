//! The cases of a run: its predictions file, read from the run's location. The digest is checked during
//! reading.

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cap_std::fs::Dir;

use super::digested::Digested;
use super::files;
use super::row_files::{is_parquet, open_rows, read_whole};
use super::tally::{Predictions, tally};
use crate::aggregates::{Aggregates, read_aggregates};
use crate::cases::{CaseColumns, Cases, DecisionTally, Table, read_parquet, recorded_cases};
use crate::document::{Diagnostic, Node};
use crate::rule::{FileFault, NoCases};
use crate::run::{Digest, Run};

/// Tables that were already read: several rules may need the same one.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<HashMap<String, Arc<Cases>>>);

/// Reads a file of a commit.
type Committed<'c> = &'c dyn Fn(&str, &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>>;

impl Kept {
    /// The cases of a run.
    pub(super) fn cases(
        &self,
        run: &Run,
        columns: &CaseColumns,
        folder: &Dir,
        committed: Committed<'_>,
    ) -> Result<Arc<Cases>, NoCases> {
        let Some(node) = run.record().get("predictions") else { return kept_by_tool(run, columns) };
        let text = |key: &str| node.get(key).and_then(Node::as_written);
        let path = text("path").ok_or(NoCases::NotRecorded)?;
        let digest = text("digest").map(Digest::parse);
        let commit = run.origin.commit();
        let key = format!("{path}\0{}\0{}", text("digest").unwrap_or_default(), commit.unwrap_or_default());
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let table = read_rows(path, digest.as_ref(), commit, folder, committed)?;
        let cases = Arc::new(Cases::new(table, columns).map_err(|error| NoCases::of(path, error))?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&cases));
        Ok(cases)
    }
}

/// The counted decisions of a run, and cases with each pair of a label and a prediction that occurs. `None`
/// if a table of all cases is needed, to compute something else or to report what is wrong.
pub(super) fn tally_of(
    run: &Run,
    columns: &CaseColumns,
    folder: &Dir,
    committed: Committed<'_>,
) -> Option<(DecisionTally, Cases)> {
    let recorded = run.record().get("predictions")?;
    let text = |key: &str| recorded.get(key).and_then(Node::as_written);
    let (path, digest) = (text("path")?, text("digest").map(Digest::parse));
    let (mut file, size) =
        open_recorded(path, digest.as_ref(), run.origin.commit(), folder, committed).ok()?;
    tally(&mut file, Predictions { path, digest: digest.as_ref(), size }, columns)
}

/// The cases that the run's own tool recorded.
fn kept_by_tool(run: &Run, columns: &CaseColumns) -> Result<Arc<Cases>, NoCases> {
    let of_run = |error| NoCases::of(run.label(), error);
    let table = recorded_cases(run, columns.unscored_are_wrong).map_err(of_run)?;
    let table = table.ok_or(NoCases::NotRecorded)?;
    Cases::of_values(table, columns).map(Arc::new).map_err(of_run)
}

/// The aggregates that a record names. If it names neither aggregates nor predictions, those of the policy.
pub(super) fn read_aggregates_of(
    run: &Run,
    columns: &CaseColumns,
    folder: &Dir,
    committed: Committed<'_>,
) -> Result<Arc<Aggregates>, NoCases> {
    let recorded = run.record().get("predictions");
    let text = |key: &str| recorded?.get(key).and_then(Node::as_written);
    let (path, commit) = match (text("aggregates"), &columns.aggregates) {
        // Rows are better evidence, and the digest is that of the rows.
        (Some(path), _) if text("path").is_none() => (path, run.origin.commit()),
        (None, Some(path)) if recorded.is_none() => (path.as_str(), None),
        _ => return Err(NoCases::NotRecorded),
    };
    let digest = text("digest").map(Digest::parse);
    let rows = read_rows(path, digest.as_ref(), commit, folder, committed)?;
    let aggregates = read_aggregates(&rows).and_then(|table| Aggregates::of(&table, columns));
    aggregates.map(Arc::new).map_err(|error| NoCases::of_aggregates(path, error))
}

/// The rows of a file, at a commit or in the working tree.
pub(super) fn read_rows(
    path: &str,
    digest: Option<&Digest>,
    commit: Option<&str>,
    folder: &Dir,
    committed: Committed<'_>,
) -> Result<Table, NoCases> {
    let (bytes, size) = open_recorded(path, digest, commit, folder, committed)?;
    let failed = |error: io::Error| {
        NoCases::unreadable(format!("`{path}` can't be read: {error}"), "look at its rights")
    };
    let (hashed, table) = if is_parquet(path) {
        let whole = Bytes::from(read_whole(bytes, size).map_err(failed)?);
        let hash = || Digested::new(&whole[..], digest).read_to_end().map_err(failed);
        rayon::join(hash, || read_parquet(whole.clone()))
    } else {
        let mut hashed = Digested::new(bytes, digest);
        let table = open_rows(path, Box::new(&mut hashed), size).and_then(|mut rows| rows.all_rows());
        (hashed.read_to_end().map_err(failed), table)
    };
    if let Some((found, recorded)) = hashed?.differs(digest).map_err(|algorithm| {
        NoCases::unreadable(format!("a digest with {algorithm} can't be checked"), "record a sha256")
    })? {
        return Err(NoCases::changed(
            format!("`{path}` is not the recorded file: its digest is {found}, but {recorded} was recorded"),
            "judge the file that the run wrote, or record the run again",
        ));
    }
    table.map_err(|error| NoCases::of(path, error))
}

/// A reader for a file that a record names.
trait Source: Read + Seek + Send {}

impl<S: Read + Seek + Send> Source for S {}

/// Opens a file, at a commit or in the working tree, and returns its size.
fn open_recorded(
    path: &str,
    digest: Option<&Digest>,
    commit: Option<&str>,
    folder: &Dir,
    committed: Committed<'_>,
) -> Result<(Box<dyn Source>, u64), NoCases> {
    let in_commit = match commit {
        Some(commit) => committed(commit, path).map_err(|why| {
            NoCases::unreadable(format!("`{path}`: {}", why.message), why.help.unwrap_or_default())
        })?,
        None => None,
    };
    match (in_commit, commit, digest) {
        (Some(bytes), ..) => {
            let size = bytes.len() as u64;
            Ok((Box::new(Cursor::new(bytes)), size))
        }
        // Predictions are often too large for git. If the digest matches, the file in the working tree is the
        // same file.
        (None, Some(commit), None) => {
            let message =
                format!("`{path}` is not in the commit {commit}, and the record has no digest of it");
            Err(NoCases::unreadable(message, "commit the file, or record its digest"))
        }
        (None, ..) => {
            let (file, size) = files::open(folder, path).map_err(|fault| unreadable(path, &fault))?;
            Ok((Box::new(file), size))
        }
    }
}

fn unreadable(path: &str, fault: &FileFault) -> NoCases {
    let message = match fault {
        FileFault::Missing => format!("`{path}` was not found"),
        FileFault::Outside => format!("`{path}` is outside the workspace"),
        FileFault::NotAFile(what) => format!("`{path}` is {what}"),
        FileFault::Algorithm(why) | FileFault::Unreadable(why) => {
            format!("`{path}` can't be read: {why}")
        }
    };
    NoCases::unreadable(message, "fetch the file to where the record names it, relative to the workspace")
}
