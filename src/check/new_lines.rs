//! Which lines of a file of records are new: a log that grows by a line has one candidate, and not all that it ever held.

use std::collections::HashMap;

/// The file with the lines blanked that were there before, wherever they were; the others keep their line numbers.
/// `None` where no line is new.
pub(super) fn only_new(bytes: &[u8], before: &[u8]) -> Option<Vec<u8>> {
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    for line in before.split(|byte| *byte == b'\n') {
        *known.entry(line.trim_ascii()).or_default() += 1;
    }
    let mut new = Vec::new();
    let mut any = false;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            new.push(b'\n');
        }
        let line = line.trim_ascii();
        match known.get_mut(line) {
            // A line that is there twice now and was there once is new once.
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                any |= !line.is_empty();
                new.extend_from_slice(line);
            }
        }
    }
    any.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::only_new;

    #[test]
    fn lines_that_were_there_are_blank() {
        assert_eq!(only_new(b"a\nb\nc\n", b"a\nb\n").as_deref(), Some(&b"\n\nc\n"[..]));
        assert_eq!(only_new(b"a\nB\nc\n", b"a\nb\nc\n").as_deref(), Some(&b"\nB\n\n"[..]), "an edited line");
        assert_eq!(only_new(b"a\na\n", b"a\n").as_deref(), Some(&b"\na\n"[..]), "a line that was repeated");
        assert_eq!(only_new(b"new", b"").as_deref(), Some(&b"new"[..]));
    }

    #[test]
    fn a_file_without_new_lines_has_no_candidate() {
        assert_eq!(only_new(b"b\r\na\r\n", b"a\nb\n"), None, "another order, other line ends");
        assert_eq!(only_new(b"a\n\n\n", b"a\nb\n"), None, "a line that is gone");
    }
}
