//! A message with its source line underlined, and what to do; rendered by `miette`.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    Severity, SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::Style;
use super::text::clean;
use crate::document::{self, Location};
use crate::verdict::{Level, Outcome};

/// A message to show.
pub(super) struct Shown<'s> {
    pub(super) message: String,
    pub(super) severity: Severity,
    pub(super) help: Option<&'s str>,
    pub(super) place: Option<&'s Location>,
    pub(super) also: Option<&'s Location>,
}

/// Renders the message as text that ends with a newline.
pub(super) fn render(shown: &Shown<'_>, style: Style) -> String {
    let mut characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    // The same marks as in the table above the message.
    characters.error = style.mark(Outcome::Fail, Level::Error).into();
    characters.warning = style.mark(Outcome::Fail, Level::Warning).into();
    let styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(style.width.max(40))
        .with_links(false)
        .without_cause_chain()
        .without_syntax_highlighting()
        .with_context_lines(0);
    let message = Message::new(shown);
    let mut text = String::new();
    if handler.render_report(&mut text, &message).is_err() {
        text.clone_from(&message.message);
        text.push('\n');
    }
    let mut trimmed: String = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    trimmed.push('\n');
    trimmed
}

#[derive(Debug)]
struct Message {
    message: String,
    severity: Severity,
    help: Option<String>,
    excerpt: Option<SourceLines>,
}

impl Message {
    fn new(shown: &Shown<'_>) -> Self {
        let places: Vec<document::Excerpt> =
            shown.place.into_iter().chain(shown.also).filter_map(Location::excerpt).collect();
        Self {
            message: clean(&shown.message),
            severity: shown.severity,
            help: shown.help.map(clean),
            excerpt: (!places.is_empty()).then(|| SourceLines::new(&places)),
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Message {}

impl Diagnostic for Message {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.excerpt.as_ref()?.labels.iter().cloned();
        Some(Box::new(labels))
    }
}

/// The lines that are shown, in order, with their line numbers in the file.
#[derive(Debug)]
struct SourceLines {
    text: String,
    lines: Vec<Line>,
    labels: Vec<LabeledSpan>,
}

#[derive(Debug)]
struct Line {
    file: String,
    number: usize,
    column: usize,
    start: usize,
    end: usize,
}

impl SourceLines {
    fn new(places: &[document::Excerpt]) -> Self {
        let mut places: Vec<(usize, &document::Excerpt)> = places.iter().enumerate().collect();
        places.sort_by(|(_, one), (_, other)| (&one.file, one.line).cmp(&(&other.file, other.line)));
        let mut excerpt = Self { text: String::new(), lines: Vec::new(), labels: Vec::new() };
        for (order, place) in places {
            excerpt.add(place, order == 0);
        }
        excerpt
    }

    fn add(&mut self, place: &document::Excerpt, primary: bool) {
        let characters: Vec<char> = place.excerpt.chars().collect();
        let from = (place.column.saturating_sub(place.excerpt_column)).min(characters.len());
        let to = (place.end_column.saturating_sub(place.excerpt_column)).clamp(from, characters.len());
        let part = |range: &[char]| clean(&range.iter().collect::<String>());
        let (before, marked, after) =
            (part(&characters[..from]), part(&characters[from..to]), part(&characters[to..]));
        let same = self.lines.iter().position(|line| line.number == place.line && line.file == place.file);
        let start = match same {
            Some(line) => self.lines[line].start,
            None => {
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                let start = self.text.len();
                let lead = if place.excerpt_column > 1 { "…" } else { "" };
                self.text.push_str(lead);
                self.text.push_str(&before);
                self.text.push_str(&marked);
                self.text.push_str(&after);
                self.lines.push(Line {
                    file: clean(&place.file),
                    number: place.line,
                    column: place.column,
                    start,
                    end: self.text.len(),
                });
                start
            }
        };
        let lead = if place.excerpt_column > 1 { "…".len() } else { 0 };
        let label = (!place.label.is_empty()).then(|| clean(&place.label));
        let at = start + lead + before.len();
        let length = marked.len().max(1);
        self.labels.push(if primary {
            LabeledSpan::new_primary_with_span(label, (at, length))
        } else {
            LabeledSpan::new_with_span(label, (at, length))
        });
    }
}

impl SourceCode for SourceLines {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let holds = |line: &&Line, offset: usize| line.start <= offset && offset <= line.end;
        let first =
            self.lines.iter().position(|line| holds(&line, span.offset())).ok_or(MietteError::OutOfBounds)?;
        let end = span.offset() + span.len().saturating_sub(1);
        let last = self.lines.iter().position(|line| holds(&line, end)).unwrap_or(first);
        let (line, until) = (&self.lines[first], &self.lines[last]);
        let data = &self.text.as_bytes()[line.start..until.end];
        Ok(Box::new(MietteSpanContents::new_named(
            line.file.clone(),
            data,
            (line.start, until.end - line.start).into(),
            line.number - 1,
            line.column - 1,
            last - first + 1,
        )))
    }
}
