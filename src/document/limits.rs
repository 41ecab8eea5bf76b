//! Limits on the cost of a document. Each is named after what it bounds, and every message about exceeding one gives
//! the number.

/// Bytes in one JSON record, or in one line of JSON Lines.
pub const JSON_BYTES: usize = 8 << 20;
/// Bytes in one YAML document, whose parser does more work per byte.
pub const YAML_BYTES: usize = 1 << 20;
/// Bytes in one JSON Lines file.
pub const JSON_LINES_BYTES: usize = 512 << 20;
/// Records judged in one JSON Lines file: each takes some kilobytes of memory.
pub const JSON_LINES_RECORDS: usize = 50_000;
/// Bytes in a table of metrics.
pub const TABLE_BYTES: usize = 64 << 20;
/// Nesting depth of lists and objects.
pub const DEPTH: usize = 128;
/// Bytes in one string or key.
pub const STRING_BYTES: usize = 64 << 10;
/// Nodes in a YAML document after expanding its aliases.
pub const YAML_NODES: usize = 250_000;
/// Aliases in a YAML document.
pub const YAML_ALIASES: usize = 1_000;
/// Nesting depth of a YAML document, as its parser allows.
pub const YAML_DEPTH: usize = 64;
