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
            _ => None,
        }
    }

    /// Bytes that are read of such a file.
    pub fn most(self) -> usize {
        match self {
            Self::Json => limits::JSON_BYTES,
            Self::JsonLines => limits::JSON_LINES_BYTES,
            Self::Yaml => limits::YAML_BYTES,
        }
    }
}
