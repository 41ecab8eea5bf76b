//! The format of a file, by its extension.

use super::limits;

/// The formats of run records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `.json`
    Json,
    /// `.jsonl`, `.ndjson`: one record per line.
    JsonLines,
    /// `.yaml`, `.yml`
    Yaml,
    /// `.csv`, `.tsv`: a table.
    Table,
}

impl FileKind {
    /// The kind for a file's extension, ignoring case.
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

    /// Whether a file in a folder of records is one, by its extension. Tables have many uses, so they must be named.
    pub fn is_record(path: &str) -> bool {
        Self::of(path).is_some_and(|kind| kind != Self::Table)
    }

    /// Maximum size in bytes of such a file.
    pub fn most(self) -> usize {
        match self {
            Self::Json => limits::JSON_BYTES,
            Self::JsonLines => limits::JSON_LINES_BYTES,
            Self::Yaml => limits::YAML_BYTES,
            Self::Table => limits::TABLE_BYTES,
        }
    }
}
