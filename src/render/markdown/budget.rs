//! A text of sections, kept within the size that its destination accepts.

use std::cmp::Reverse;

/// One part of a text, and how soon it is left out.
#[derive(Debug)]
pub(super) struct Section {
    /// The higher, the sooner it is left out; 0 means never.
    pub(super) expendable: u8,
    /// How the note names it when it is left out.
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

    /// The size, including the line break after it.
    fn bytes(&self) -> usize {
        self.text.len() + 1
    }
}

/// Joins the sections into at most `most` bytes. A note after the first section says what was left out: at
/// the end, nobody would look for it.
pub(super) fn compose(mut sections: Vec<Section>, most: usize, where_else: &str) -> String {
    /// Room for that note.
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

/// Cuts a text to at most `most` bytes, at the end of a line.
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
