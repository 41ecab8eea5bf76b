//! Writes a promotion: first all files that it names, then its statement. Creating the statement's name is the commit
//! point.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{CANT_WRITE, StageHistory};
use crate::atomic;
use crate::document::{Diagnostic, sha256};
use crate::signing::BESIDE;

/// A promotion to be written.
#[derive(Debug)]
pub struct Draft<'d> {
    /// The model and the stage.
    pub line: &'d StageHistory,
    /// Its number: one more than that of the newest promotion.
    pub number: u64,
    /// The statement's bytes.
    pub statement: &'d [u8],
    /// The envelope around them.
    pub envelope: Option<&'d str>,
    /// The run record, by the name of [`content_name`].
    pub record: (&'d str, &'d [u8]),
    /// The signature file of the record.
    pub signature: Option<&'d [u8]>,
    /// The report, by the name of [`numbered_name`].
    pub report: (&'d str, &'d [u8]),
    /// The policy and its files, and the file lists of large folders; each name contains the file's digest.
    pub named: &'d [(String, Vec<u8>)],
    /// The identity of the ledger, repeated in the statement.
    pub id: &'d str,
}

/// The outcome of an append.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The statement is safely on disk, at this path.
    Written(PathBuf),
    /// Another promotion took the number.
    Taken,
}

/// The name of a file that many promotions may refer to: `records/<sha256>.json`.
pub fn content_name(folder: &str, bytes: &[u8]) -> String {
    format!("{folder}/{}.json", sha256(bytes))
}

/// The name of a file that belongs to one promotion: `reports/000012-<the beginning of its digest>.json`.
pub fn numbered_name(folder: &str, number: u64, bytes: &[u8]) -> String {
    format!("{folder}/{}-{}.json", super::read::number_name(number), &sha256(bytes)[..8])
}

/// Appends a promotion to the ledger in `root`, if its number is free. The statement is created under its name by a
/// link, which fails if the name exists: of several concurrent writers exactly one succeeds. A crash at any point
/// leaves a ledger with either the whole promotion or none of it.
pub fn append(root: &Path, draft: &Draft<'_>) -> Result<Appended, Box<Diagnostic>> {
    let folder = root.join(draft.line.folder());
    let statement = folder.join(format!("{}.json", super::read::number_name(draft.number)));
    // Write nothing if the number is already taken.
    if statement.symlink_metadata().is_ok() {
        return Ok(Appended::Taken);
    }
    for below in
        ["records", "reports"].into_iter().chain(draft.named.iter().filter_map(|(name, _)| folder_of(name)))
    {
        make(&folder.join(below)).map_err(|error| cant_write(&folder, &error))?;
    }
    let id = root.join(super::ID);
    let text = format!("{}\n", draft.id);
    // Another first promotion chose a different identity at the same time.
    let new_id = create(&id, text.as_bytes()).map_err(|error| cant_write(&id, &error))?;
    if !new_id && fs::read_to_string(&id).is_ok_and(|there| there.trim() != draft.id) {
        return Ok(Appended::Taken);
    }
    let digest = sha256(draft.statement);
    let envelope =
        folder.join(format!("{}-{}.intoto.json", super::read::number_name(draft.number), &digest[..8]));
    let mut beside = vec![(folder.join(draft.record.0), draft.record.1)];
    beside.push((folder.join(draft.report.0), draft.report.1));
    beside.push((id.clone(), text.as_bytes()));
    beside.extend(draft.named.iter().map(|(name, bytes)| (folder.join(name), &**bytes)));
    // Any existing signature of the same record is as good.
    beside.extend(draft.signature.map(|bytes| (folder.join(format!("{}{BESIDE}", draft.record.0)), bytes)));
    // Last, so that no signature exists without the files it covers.
    beside.extend(draft.envelope.map(|text| (envelope.clone(), text.as_bytes())));
    let mut made = Vec::new();
    let written = write_beside(&beside, &mut made)
        .and_then(|()| create(&statement, draft.statement).map_err(|error| cant_write(&statement, &error)));
    match written {
        Ok(true) => {
            // A writer that failed at the same time may have removed a file that both name.
            for (path, bytes) in beside.iter().filter(|(path, _)| path.symlink_metadata().is_err()) {
                let _is_new = create(path, bytes).map_err(|error| cant_write(path, &error))?;
            }
            sweep(&folder, draft, &digest[..8]);
            Ok(Appended::Written(statement))
        }
        Ok(false) => {
            // A byte-for-byte identical winner still needs the files.
            if fs::read(&statement).is_ok_and(|winner| winner != draft.statement) {
                take_away(&folder, &made, draft.number);
            }
            Ok(Appended::Taken)
        }
        Err(problem) => {
            if statement.symlink_metadata().is_err() {
                take_away(&folder, &made, draft.number);
                if new_id && fs::remove_dir(folder.parent().unwrap_or(root)).is_ok() {
                    let _ = fs::remove_file(&id);
                    let _ = fs::remove_dir(root);
                }
            }
            Err(problem)
        }
    }
}

/// Writes the files that the statement names, and remembers which of them are new.
fn write_beside(beside: &[(PathBuf, &[u8])], made: &mut Vec<PathBuf>) -> Result<(), Box<Diagnostic>> {
    for (path, bytes) in beside {
        if create(path, bytes).map_err(|error| cant_write(path, &error))? {
            made.push(path.clone());
        } else if path.extension().is_none_or(|end| end != &BESIDE[1..]) {
            same(path, bytes)?;
        }
    }
    Ok(())
}

fn cant_write(path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let message = format!("`{}` can't be written: {error}", path.display());
    let help = "the ledger is a folder that can be written to, on a file system that has hard links or can \
                rename without replacing";
    Diagnostic::new(CANT_WRITE, message).help(help).boxed()
}

/// Removes the files of a promotion that was not written: a signed envelope alone would still verify. A file without a
/// number in its name may belong to another promotion, so it stays if any statement names it.
fn take_away(folder: &Path, made: &[PathBuf], number: u64) {
    let own = format!("{}-", super::read::number_name(number));
    let texts = statements(folder);
    for path in made {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let named = name.strip_suffix(BESIDE).unwrap_or(&name);
        if name.starts_with(&own) || !texts.iter().any(|text| text.contains(named)) {
            let _ = fs::remove_file(path);
        }
    }
    for below in SHARED.into_iter().chain(["reports"]) {
        let _ = fs::remove_dir(folder.join(below));
    }
    let _ = fs::remove_dir(folder);
}

/// Folders of files named by their digests, which many promotions may share.
const SHARED: [&str; 3] = ["records", "policies", "manifests"];

fn folder_of(name: &str) -> Option<&str> {
    name.split_once('/').map(|(folder, _)| folder)
}

/// The text of every statement in a folder.
fn statements(folder: &Path) -> Vec<String> {
    names(folder)
        .filter(|(name, _, _)| super::read::parse(name).is_some_and(|(_, envelope)| envelope.is_none()))
        .map(|(_, path, _)| fs::read_to_string(path).unwrap_or_default())
        .collect()
}

fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    crash_point();
    let created = atomic::create(path, 0o644, |to| {
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        to.write_all(first)?;
        to.flush()?;
        crash_point();
        to.write_all(rest)?;
        to.flush()?;
        crash_point();
        Ok(())
    })?;
    crash_point();
    Ok(created)
}

/// Checks that an existing file has the same contents, rather than part of them after an earlier crash.
fn same(path: &Path, bytes: &[u8]) -> Result<(), Box<Diagnostic>> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let message = format!("`{}` exists, but its contents do not match its name", path.display());
    Err(Diagnostic::new(super::BROKEN, message)
        .help("restore the ledger from git; `gate audit` lists what is wrong")
        .boxed())
}

/// Creates a folder and its parents, and syncs each to disk before its contents.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        make(above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => result?,
    }
    crash_point();
    folder.parent().map_or(Ok(()), atomic::sync_folder)
}

/// Removes leftovers of crashes and lost races: files for a number that another promotion has, and files named by
/// digests that no promotion names. Nothing depends on this.
fn sweep(folder: &Path, draft: &Draft<'_>, digest: &str) {
    let number = super::read::number_name(draft.number);
    let keep = [
        format!("{number}-{digest}.intoto.json"),
        draft.report.0.rsplit('/').next().unwrap_or_default().to_owned(),
    ];
    for place in [folder.to_owned(), folder.join("reports")] {
        for (name, path, abandoned) in names(&place) {
            let loses = name.starts_with(&format!("{number}-")) && !keep.contains(&name);
            if loses || (abandoned && name.starts_with(atomic::NEIGHBOUR)) {
                let _ = fs::remove_file(path);
            }
        }
    }
    let shared = SHARED.into_iter().flat_map(|below| names(&folder.join(below)));
    let old: Vec<_> = shared.filter(|(_, _, abandoned)| *abandoned).collect();
    if old.is_empty() {
        return;
    }
    // A statement names its record by its file name.
    let statements = statements(folder);
    for (name, path, _) in old {
        let record = name.strip_suffix(BESIDE).unwrap_or(&name);
        let named =
            !record.starts_with(atomic::NEIGHBOUR) && statements.iter().any(|text| text.contains(record));
        if !named {
            let _ = fs::remove_file(path);
        }
    }
}

/// The files in a folder, each with whether it is too old for anyone to still be writing it.
fn names(folder: &Path) -> impl Iterator<Item = (String, PathBuf, bool)> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_file()).map(|entry| {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let abandoned =
            modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age.as_secs() > ABANDONED));
        (entry.file_name().to_string_lossy().into_owned(), entry.path(), abandoned)
    })
}

/// Seconds after which no one can still be writing a file of the ledger.
const ABANDONED: u64 = 3_600;

/// Lets tests abort the program like a power cut, at the point whose number is in the environment. Not in release
/// builds.
#[cfg(debug_assertions)]
fn crash_point() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    let wanted = std::env::var("GATE_TEST_CRASH_AT").ok().and_then(|text| text.parse().ok());
    if wanted == Some(number) {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
fn crash_point() {}
