//! An Inspect log is a ZIP archive; newer versions compress its members with zstd, older ones with deflate.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{BROKEN, Log};
use crate::document::{Diagnostic, Document, Format, Node};

/// Maximum size in bytes of a member that is read; samples, which may be larger, are not.
const MAX_BYTES: u64 = 64 << 20;

/// Reads the parts of a log that gate uses.
pub fn open(label: &str, bytes: Vec<u8>) -> Result<Log, Box<Diagnostic>> {
    let broken = |what: &str| {
        Diagnostic::new(BROKEN, format!("`{label}` {what}"))
            .help("`inspect log dump` shows whether Inspect reads it; it converts logs to JSON too")
            .boxed()
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| broken(&format!("is not a ZIP archive: {error}")))?;
    let names: Vec<String> = archive.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
    let mut member = |name: &str| -> Result<Option<Node>, Box<Diagnostic>> {
        let file = match archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(broken(&format!("can't be read at `{name}`: {error}"))),
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&format!("is damaged at `{name}`: {error}")))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(broken(&format!("has more than {MAX_BYTES} bytes at `{name}`")));
        }
        let document = Document::new(format!("{label}:{name}"), bytes, Format::Json)?;
        Arc::new(document).parse_long().map(Some)
    };
    let header = member("header.json")?;
    let start = match member("_journal/start.json")? {
        Some(start) => Some(start),
        // Older versions write it at the top level.
        None => member("start.json")?,
    };
    if header.is_none() && start.is_none() {
        let folder = names.iter().find_map(|name| name.split_once('/')).map_or("", |(folder, _)| folder);
        return Err(broken(&format!(
            "has neither `header.json` nor `start.json`, but `{folder}/`: this layout is not known"
        )));
    }
    Ok(Log { header, start, reductions: member("reductions.json")?, summaries: member("summaries.json")? })
}
