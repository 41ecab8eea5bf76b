//! Text that others wrote, escaped for Markdown: no markup, link, image, mention or reference.

use std::fmt::Write as _;

use super::super::text::clean;

/// A character without width that keeps GitHub from making a link or a notification.
const BREAK: char = '\u{200B}';

/// Text in a paragraph or a cell of a table, on one line.
pub fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    // Line ends become spaces before control characters are shown, so that a message of several lines reads on.
    let one_line = text.replace(['\n', '\r'], " ");
    let cleaned = clean(&one_line);
    let mut rest = cleaned.chars().peekable();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        match c {
            '&' | '<' | '>' | '|' | '[' | ']' | '(' | ')' | '\\' | '*' | '_' | '~' | '`' | '!' | '{'
            | '}' | '$' | '^' | '=' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            // GitHub sees through an entity in a mention, a reference or an address, but not through a break.
            '@' | '#' => {
                safe.push(c);
                safe.push(BREAK);
            }
            ':' => {
                safe.push_str("&#58;");
                if rest.peek() == Some(&'/') {
                    safe.push(BREAK);
                }
            }
            '.' if last.eq_ignore_ascii_case(&'w') => {
                safe.push(c);
                safe.push(BREAK);
            }
            // `GH-12`, and a list or a heading underline at the beginning.
            '-' | '+' => {
                safe.push(c);
                if rest.peek().is_some_and(char::is_ascii_digit) && last.is_ascii_alphabetic()
                    || last == ' ' && rest.peek() == Some(&' ')
                {
                    safe.push(BREAK);
                }
            }
            _ => safe.push(c),
        }
        last = c;
    }
    safe.trim().to_owned()
}

/// Text in a code span, shown literally, including any markup.
pub fn code(text: &str) -> String {
    let one_line = clean(&text.replace(['\n', '\r'], " ")).replace("://", &format!(":{BREAK}//"));
    // A mention in a code span does not notify on the page, and does in a reply by mail.
    let mut broken = String::with_capacity(one_line.len() + 8);
    for c in one_line.chars() {
        // A bar ends the cell of a table, even within code.
        broken.push(if c == '|' { '¦' } else { c });
        if matches!(c, '@' | '#') {
            broken.push(BREAK);
        }
    }
    let longest = broken.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad =
        if broken.starts_with('`') || broken.ends_with('`') || broken.trim().is_empty() { " " } else { "" };
    format!("{fence}{pad}{broken}{pad}{fence}")
}

/// Lines in a block of code.
pub fn block(language: &str, text: &str) -> String {
    let lines: Vec<String> =
        text.lines().map(|line| clean(line).replace('@', &format!("@{BREAK}"))).collect();
    let body = lines.join("\n");
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{body}\n{fence}\n")
}
