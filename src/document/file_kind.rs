//! How a file is written, by the ending of its name.

use super::limits;

/// The formats that run records come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `.json`
    Json,
    /// `.jsonl`, `.ndjson`: a record on each line.
    JsonLines,
    /// `.yaml`, `.yml`
    Yaml,
    /// `.csv`, `.tsv`: a table.
    Table,
}

impl FileKind {
    /// The kind that a file's ending names, in capitals or not.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "yaml" | "yml" => Some(Self::Yaml),
            "csv" | "tsv" => Some(Self::Table),
            _ => None,
        }
    }

    /// Whether a file in a folder of records is one, by its ending. Tables lie there for many reasons, so they are named.
    pub fn is_record(path: &str) -> bool {
        Self::of(path).is_some_and(|kind| kind != Self::Table)
    }

    /// Bytes that are read of such a file.
    pub fn most(self) -> usize {
        match self {
            Self::Json => limits::JSON_BYTES,
            Self::JsonLines => limits::JSON_LINES_BYTES,
            Self::Yaml => limits::YAML_BYTES,
            Self::Table => limits::TABLE_BYTES,
        }
    }
}
