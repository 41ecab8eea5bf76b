//! A text of sections that must not be longer than the place that it goes to takes.

use std::cmp::Reverse;

/// One part of a text, and how soon it is left out.
#[derive(Debug)]
pub(super) struct Section {
    /// The higher, the sooner it is left out; 0 is never.
    pub(super) expendable: u8,
    /// What is said of it when it is left out.
    pub(super) what: String,
    /// The part itself.
    pub(super) text: String,
}

impl Section {
    pub(super) fn kept(text: String) -> Self {
        Self { expendable: 0, what: String::new(), text }
    }

    pub(super) fn expendable(expendable: u8, what: impl Into<String>, text: String) -> Self {
        Self { expendable, what: what.into(), text }
    }

    /// With the line break behind it.
    fn bytes(&self) -> usize {
        self.text.len() + 1
    }
}

/// The sections in at most so many bytes. What had to go is said behind the first section, not at the end, where
/// nobody would look for it.
pub(super) fn compose(mut sections: Vec<Section>, most: usize, where_else: &str) -> String {
    /// Room for the line that says what was left out.
    const NOTE: usize = 600;
    let mut total = sections.iter().map(Section::bytes).sum::<usize>();
    if total <= most {
        return join(&sections, None);
    }
    let mut first_to_go: Vec<usize> = (0..sections.len()).filter(|&at| sections[at].expendable > 0).collect();
    first_to_go.sort_unstable_by_key(|&at| Reverse((sections[at].expendable, at)));
    let mut left_out: Vec<String> = Vec::new();
    for at in first_to_go {
        if total + NOTE <= most {
            break;
        }
        total -= sections[at].bytes();
        left_out.push(std::mem::take(&mut sections[at].what));
        sections[at].text.clear();
    }
    sections.retain(|section| !section.text.is_empty());
    let named = left_out.iter().rev().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = left_out.len().saturating_sub(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let note = format!("> [!NOTE]\n> Cut to fit: {named}{more} left out. {where_else}\n");
    let text = join(&sections, Some(&note));
    cut(text, most)
}

fn join(sections: &[Section], note: Option<&str>) -> String {
    let mut text = String::new();
    for (at, section) in sections.iter().enumerate() {
        text.push_str(&section.text);
        text.push('\n');
        if at == 0
            && let Some(note) = note
        {
            text.push_str(note);
            text.push('\n');
        }
    }
    text
}

/// At most so many bytes, ending with a whole line.
fn cut(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(end, |newline| newline + 1);
    text[..end].to_owned()
}
