//! Writing a promotion: everything that it names first, then its statement, whose name is the commit point.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{CANT_WRITE, StageHistory};
use crate::atomic;
use crate::document::{Diagnostic, sha256};
use crate::signing::BESIDE;

/// A promotion that is to be written.
#[derive(Debug)]
pub struct Draft<'d> {
    /// The line.
    pub line: &'d StageHistory,
    /// Its number: one more than that of the newest promotion.
    pub number: u64,
    /// The statement's bytes.
    pub statement: &'d [u8],
    /// The envelope around them.
    pub envelope: Option<&'d str>,
    /// The run record, by the name of [`content_name`].
    pub record: (&'d str, &'d [u8]),
    /// What lies beside the record as its signature.
    pub signature: Option<&'d [u8]>,
    /// The report, by the name of [`numbered_name`].
    pub report: (&'d str, &'d [u8]),
    /// The policy with its files, and the lists of files of large folders, each by a name that holds its digest.
    pub named: &'d [(String, Vec<u8>)],
    /// The identity of the ledger, which the statement repeats.
    pub id: &'d str,
}

/// What became of it.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is written, and on the disk; the path of the statement.
    Written(PathBuf),
    /// Another promotion took the number.
    Taken,
}

/// What a file is called that many promotions may name: `records/<sha256>.json`.
pub fn content_name(folder: &str, bytes: &[u8]) -> String {
    format!("{folder}/{}.json", sha256(bytes))
}

/// What a file is called that belongs to one promotion: `reports/000012-<the beginning of its digest>.json`.
pub fn numbered_name(folder: &str, number: u64, bytes: &[u8]) -> String {
    format!("{folder}/{}-{}.json", super::read::number_name(number), &sha256(bytes)[..8])
}

/// Appends a promotion to the ledger in `root`, if its number is free. The name of the statement is given by a link,
/// which fails where there is one: of several at once exactly one is written. A crash at any point leaves a ledger
/// that holds the promotion whole, or not at all.
pub fn append(root: &Path, draft: &Draft<'_>) -> Result<Appended, Box<Diagnostic>> {
    let folder = root.join(draft.line.folder());
    let statement = folder.join(format!("{}.json", super::read::number_name(draft.number)));
    // Nothing is written for a number that is gone.
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
    // Another first promotion chose another identity at the same time.
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
    // Another signature of the same record is as good.
    beside.extend(draft.signature.map(|bytes| (folder.join(format!("{}{BESIDE}", draft.record.0)), bytes)));
    // Last, so that a signature is never there without what it is of.
    beside.extend(draft.envelope.map(|text| (envelope.clone(), text.as_bytes())));
    let mut made = Vec::new();
    let written = write_beside(&beside, &mut made)
        .and_then(|()| create(&statement, draft.statement).map_err(|error| cant_write(&statement, &error)));
    match written {
        Ok(true) => {
            // One that failed at the same moment may have taken away a file that both name.
            for (path, bytes) in beside.iter().filter(|(path, _)| path.symlink_metadata().is_err()) {
                let _is_new = create(path, bytes).map_err(|error| cant_write(path, &error))?;
            }
            sweep(&folder, draft, &digest[..8]);
            Ok(Appended::Written(statement))
        }
        Ok(false) => {
            // Another that is the same byte for byte needs it still.
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

/// Writes what the statement names, and remembers what is new.
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

/// Takes away what a promotion made that was not written: a signed envelope alone would verify. What bears no number may
/// be named by another promotion, and stays where a statement names it.
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

/// Folders of files that are named by their digests, so that many promotions may name one.
const SHARED: [&str; 3] = ["records", "policies", "manifests"];

fn folder_of(name: &str) -> Option<&str> {
    name.split_once('/').map(|(folder, _)| folder)
}

/// The text of every statement of a line.
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

/// What has the name already is the same; a part that an older crash could have left is none.
fn same(path: &Path, bytes: &[u8]) -> Result<(), Box<Diagnostic>> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let message = format!("`{}` exists, but its contents do not match its name", path.display());
    Err(Diagnostic::new(super::BROKEN, message)
        .help("restore the ledger from git; `gate audit` lists what is wrong")
        .boxed())
}

/// Makes a folder and those above it, each on the disk before what is in it.
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

/// Takes away what crashes and losers left: files for a number that another promotion has, and files by their digests that
/// no promotion names. Nothing depends on it.
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
    // A statement names its record by its file.
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

/// The files in a folder, with whether nobody can still be about to need them.
fn names(folder: &Path) -> impl Iterator<Item = (String, PathBuf, bool)> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_file()).map(|entry| {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let abandoned =
            modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age.as_secs() > ABANDONED));
        (entry.file_name().to_string_lossy().into_owned(), entry.path(), abandoned)
    })
}

/// Seconds after which nobody is still writing a file of the ledger.
const ABANDONED: u64 = 3_600;

/// Where tests end the program as a power cut would: at the point whose number is in the environment. Not in a release.
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
