//! The cases of a run: its predictions file, read from where the run is, with its digest checked while reading.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cap_std::fs::Dir;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::files;
use super::row_files::{is_parquet, open_rows, read_whole};
use crate::aggregates::{Aggregates, read_aggregates};
use crate::cases::{CaseColumns, Cases, Table, read_parquet, recorded_cases};
use crate::document::{Diagnostic, Node, hex};
use crate::rule::{FileFault, NoCases};
use crate::run::{Digest, Run};

/// Tables that were read, since several rules need the same one.
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

/// The cases that the run's own tool recorded.
fn kept_by_tool(run: &Run, columns: &CaseColumns) -> Result<Arc<Cases>, NoCases> {
    let of_run = |error| NoCases::of(run.label(), error);
    let table = recorded_cases(run, columns.unscored_are_wrong).map_err(of_run)?;
    let table = table.ok_or(NoCases::NotRecorded)?;
    Cases::of_values(table, columns).map(Arc::new).map_err(of_run)
}

/// The aggregates that a record names; else, where it names no predictions, those of the policy.
pub(super) fn read_aggregates_of(
    run: &Run,
    columns: &CaseColumns,
    folder: &Dir,
    committed: Committed<'_>,
) -> Result<Arc<Aggregates>, NoCases> {
    let recorded = run.record().get("predictions");
    let text = |key: &str| recorded?.get(key).and_then(Node::as_written);
    let (path, commit) = match (text("aggregates"), &columns.aggregates) {
        // Rows are better evidence, and the digest is theirs.
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
    let in_commit = match commit {
        Some(commit) => committed(commit, path).map_err(|why| {
            NoCases::unreadable(format!("`{path}`: {}", why.message), why.help.unwrap_or_default())
        })?,
        None => None,
    };
    let (bytes, size): (Box<dyn Read + Send>, u64) = match (in_commit, commit, digest) {
        (Some(bytes), ..) => {
            let size = bytes.len() as u64;
            (Box::new(Cursor::new(bytes)), size)
        }
        // Predictions are often too large for git. A file in the working tree is the same one if its digest matches.
        (None, Some(commit), None) => {
            let message =
                format!("`{path}` is not in the commit {commit}, and the record has no digest of it");
            return Err(NoCases::unreadable(message, "commit the file, or record its digest"));
        }
        (None, ..) => {
            let (file, size) = files::open(folder, path).map_err(|fault| unreadable(path, &fault))?;
            (Box::new(file), size)
        }
    };
    let failed = |error: io::Error| {
        NoCases::unreadable(format!("`{path}` can't be read: {error}"), "look at its rights")
    };
    let (hashed, table) = if is_parquet(path) {
        let whole = Bytes::from(read_whole(bytes, size).map_err(failed)?);
        let hash = || Hashed::new(&whole[..], digest).read_to_end().map_err(failed);
        rayon::join(hash, || read_parquet(whole.clone()))
    } else {
        let mut hashed = Hashed::new(bytes, digest);
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

fn unreadable(path: &str, fault: &FileFault) -> NoCases {
    let message = match fault {
        FileFault::Missing => format!("`{path}` is not there"),
        FileFault::Outside => format!("`{path}` is outside the workspace"),
        FileFault::NotAFile(what) => format!("`{path}` is {what}"),
        FileFault::Algorithm(why) | FileFault::Unreadable(why) => {
            format!("`{path}` can't be read: {why}")
        }
    };
    NoCases::unreadable(message, "fetch the file to where the record names it, relative to the workspace")
}

/// Hashes bytes as they are read.
struct Hashed<R> {
    bytes: R,
    found: Hashes,
}

/// The digest as far as bytes were read.
struct Hashes {
    sha256: Option<Sha256>,
    md5: Option<Md5>,
}

impl<R: Read> Hashed<R> {
    fn new(bytes: R, digest: Option<&Digest>) -> Self {
        let by = |name: &str| digest.is_some_and(|digest| &*digest.algorithm == name);
        let found = Hashes { sha256: by("sha256").then(Sha256::new), md5: by("md5").then(Md5::new) };
        Self { bytes, found }
    }

    /// With the bytes that nothing asked for.
    fn read_to_end(mut self) -> io::Result<Hashes> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.found)
    }
}

impl Hashes {
    /// The found and the recorded digest if they differ; an error if the algorithm is not supported.
    fn differs(self, recorded: Option<&Digest>) -> Result<Option<(String, String)>, String> {
        let Some(recorded) = recorded else { return Ok(None) };
        let found = match (self.sha256, self.md5) {
            (Some(hasher), _) => hex(&hasher.finalize()),
            (_, Some(hasher)) => hex(&hasher.finalize()),
            _ => return Err(format!("`{}`", recorded.algorithm)),
        };
        let found = Digest::new(&recorded.algorithm, found);
        Ok((found != *recorded).then(|| (found.to_string(), recorded.to_string())))
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        if let Some(hasher) = &mut self.found.sha256 {
            hasher.update(&into[..read]);
        }
        if let Some(hasher) = &mut self.found.md5 {
            hasher.update(&into[..read]);
        }
        Ok(read)
    }
}
