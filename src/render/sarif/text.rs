//! Text and paths as SARIF writes them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Escapes brackets, which would begin a link (SARIF 2.1.0, 3.11.6).
pub(super) fn message(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path as a relative reference.
pub(super) fn uri(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_makes_no_link() {
        assert_eq!(message("see [here](https://evil.example)"), "see \\[here\\](https://evil.example)");
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("runs/a b#1.json"), "runs/a%20b%231.json");
    }
}
