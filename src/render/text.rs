//! Text that others wrote, made safe to print.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// Makes visible what a terminal would obey or a reader would not see: control characters, escape sequences,
/// characters that change the direction of text, and characters without a width.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => clean.push(' '),
            '\n' => clean.push_str("\\n"),
            '\r' => clean.push_str("\\r"),
            _ if is_hidden(c) => {
                let _ = write!(clean, "\\u{{{:x}}}", u32::from(c));
            }
            _ => clean.push(c),
        }
    }
    clean
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

/// Columns that text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Cuts a text to a number of columns, with a mark where it is cut.
pub(super) fn cut(text: &str, columns: usize, mark: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(mark));
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + next > room {
            break;
        }
        kept.push(c);
        used += next;
    }
    kept.push_str(mark);
    kept
}

/// Pads a text with spaces to a number of columns.
pub(super) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Wraps a text into lines of at most `columns`, and indents the later ones.
pub(super) fn wrap(text: &str, columns: usize, indent: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.trim().is_empty() && width(line) + 1 + width(word) > columns {
            lines.push(format!("{indent}{word}"));
            continue;
        }
        if !line.is_empty() && line != indent {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// The first twelve digits of a commit id; other text is unchanged.
pub(super) fn shortened_commit(id: &str) -> String {
    let is_id = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { id[..12].to_owned() } else { id.to_owned() }
}

/// A digest with its algorithm and its first twelve digits; other text is unchanged.
pub(super) fn shortened_digest(text: &str, mark: &str) -> String {
    match text.split_once(':') {
        Some((algorithm, digits))
            if digits.len() >= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            format!("{algorithm}:{}{mark}", &digits[..12])
        }
        _ => text.to_owned(),
    }
}

/// `1 rule`, `2 rules`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
