//! Reads the payload of an event.

use serde_json::Value;

/// The text at a JSON Pointer; `None` if missing or empty.
pub(super) fn text_at<'e>(event: &'e Value, pointer: &str) -> Option<&'e str> {
    event.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether a text is the full id of a commit, and can't be taken for anything else.
pub fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The number of a pull request.
pub(super) fn number(payload: &Value) -> Option<u64> {
    let number = payload.pointer("/number").or_else(|| payload.pointer("/pull_request/number"));
    number.and_then(Value::as_u64).filter(|number| *number > 0)
}
