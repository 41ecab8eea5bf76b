//! Finds the new lines in a file of records: a log that grows by one line has one candidate, not all of its records.

use std::collections::HashMap;
use std::sync::Arc;

/// The versions of a file of many records at the bases from which it differs.
pub(super) type Before = Vec<Arc<[u8]>>;

/// The file with every line blanked that all bases also have, in any order; the others keep their line
/// numbers. `None` if no line is new.
pub(super) fn only_new(bytes: &[u8], before: &[Arc<[u8]>]) -> Option<Vec<u8>> {
    let mut known: Vec<HashMap<&[u8], usize>> = before.iter().map(|text| counted(text)).collect();
    let mut new = Vec::new();
    let mut any = false;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            new.push(b'\n');
        }
        let line = line.trim_ascii();
        let mut is_old = true;
        for base in &mut known {
            match base.get_mut(line) {
                // A line that occurs twice now and occurred once before is new once.
                Some(count) if *count > 0 => *count -= 1,
                _ => is_old = false,
            }
        }
        if !is_old {
            any |= !line.is_empty();
            new.extend_from_slice(line);
        }
    }
    any.then_some(new)
}

fn counted(text: &[u8]) -> HashMap<&[u8], usize> {
    let mut known = HashMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        *known.entry(line.trim_ascii()).or_default() += 1;
    }
    known
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::only_new;

    #[test]
    fn lines_that_were_there_are_blank() {
        assert_eq!(only_new(b"a\nb\nc\n", &[Arc::from(&b"a\nb\n"[..])]).as_deref(), Some(&b"\n\nc\n"[..]));
        assert_eq!(
            only_new(b"a\nB\nc\n", &[Arc::from(&b"a\nb\nc\n"[..])]).as_deref(),
            Some(&b"\nB\n\n"[..]),
            "an edited line"
        );
        assert_eq!(
            only_new(b"a\na\n", &[Arc::from(&b"a\n"[..])]).as_deref(),
            Some(&b"\na\n"[..]),
            "a line that was repeated"
        );
        assert_eq!(only_new(b"new", &[Arc::from(&b""[..])]).as_deref(), Some(&b"new"[..]));
    }

    #[test]
    fn a_file_without_new_lines_has_no_candidate() {
        assert_eq!(
            only_new(b"b\r\na\r\n", &[Arc::from(&b"a\nb\n"[..])]),
            None,
            "another order, other line ends"
        );
        assert_eq!(only_new(b"a\n\n\n", &[Arc::from(&b"a\nb\n"[..])]), None, "a line that is gone");
    }
}
