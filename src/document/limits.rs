//! What a document may cost. Each limit is named after what it bounds, and every message that refuses something
//! gives the number.

/// Bytes of one JSON record, or of one line of JSON Lines.
pub const JSON_BYTES: usize = 8 << 20;
/// Bytes of one YAML document: its reader does more work for each byte.
pub const YAML_BYTES: usize = 1 << 20;
/// Bytes of one file of JSON Lines.
pub const JSON_LINES_BYTES: usize = 512 << 20;
/// Records that are judged of one file of JSON Lines: each takes some kilobytes of memory.
pub const JSON_LINES_RECORDS: usize = 50_000;
/// Bytes of a table of metrics.
pub const TABLE_BYTES: usize = 64 << 20;
/// Lists and objects within each other.
pub const DEPTH: usize = 128;
/// Bytes of one string or key.
pub const STRING_BYTES: usize = 64 << 10;
/// Nodes of a YAML document after its aliases are followed.
pub const YAML_NODES: usize = 250_000;
/// Aliases in a YAML document.
pub const YAML_ALIASES: usize = 1_000;
/// Levels of a YAML document; what its reader allows.
pub const YAML_DEPTH: usize = 64;
