//! Constants in a Python parameters file: `NAME = value` at the top level or in a class, and `self.NAME = value` in its
//! `__init__`. Values are what `ast.literal_eval` accepts; nothing is executed.

use crate::document::{Map, Node, Span, Value};

/// The kind of a block.
#[derive(Clone)]
enum Block {
    /// The body of a class, with its path.
    Class(Vec<String>),
    /// The `__init__` of a class.
    Init(Vec<String>),
    /// A function, a condition, a loop: its assignments are not constants.
    Other,
}

/// The constants whose values are literals; everything else is skipped.
pub(super) fn constants(text: &str) -> Map {
    let mut found = Map::default();
    let mut blocks: Vec<(usize, Block)> = Vec::new();
    for (indent, line) in statements(text) {
        blocks.retain(|(at, _)| *at < indent);
        let block = blocks.last().map(|(_, block)| block.clone());
        if let Some(opened) = opened(&line, block.as_ref()) {
            blocks.push((indent, opened));
            continue;
        }
        let (path, is_init): (&[String], bool) = match &block {
            None => (&[], false),
            Some(Block::Class(path)) => (path, false),
            Some(Block::Init(path)) => (path, true),
            Some(Block::Other) => continue,
        };
        let Some((target, value)) = assigned(&line) else { continue };
        let name = if is_init { target.strip_prefix("self.") } else { Some(target) };
        let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if let Some(name) = name.filter(is_name) {
            put(&mut found, path, name, value);
        }
    }
    found
}

/// The block that a line starts.
fn opened(line: &str, within: Option<&Block>) -> Option<Block> {
    if let Some(rest) = line.strip_prefix("class ") {
        let name = rest.split(['(', ':']).next().unwrap_or(rest).trim().to_owned();
        return Some(match within {
            None => Block::Class(vec![name]),
            Some(Block::Class(path)) => Block::Class(path.iter().cloned().chain([name]).collect()),
            _ => Block::Other,
        });
    }
    if !line.ends_with(':') {
        return None;
    }
    let is_init = line.strip_prefix("def ").is_some_and(|rest| rest.trim_start().starts_with("__init__"));
    Some(match within {
        Some(Block::Class(path)) if is_init => Block::Init(path.clone()),
        _ => Block::Other,
    })
}

fn put(found: &mut Map, path: &[String], name: &str, value: Option<Value>) {
    let mut map = found;
    for class in path {
        if !matches!(map.get(class).map(|node| &node.value), Some(Value::Map(_))) {
            map.insert(class.as_str(), Span::default(), Node::made(Value::Map(Map::default())));
        }
        match map.get_mut(class).map(|node| &mut node.value) {
            Some(Value::Map(below)) => map = below,
            _ => return,
        }
    }
    match value {
        Some(value) => {
            map.insert(name, Span::default(), Node::made(value));
        }
        // The new value can't be read here, and the old one is no longer right.
        None => {
            map.remove(name);
        }
    }
}

/// The statements of a text with their indentation, without comments; brackets and multi-line strings become one
/// line.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut line, mut depth, mut indent) = (String::new(), 0_usize, 0);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if line.trim().is_empty() && depth == 0 && (c == ' ' || c == '\t') {
            line.push(c);
            rest = &rest[1..];
            continue;
        }
        if line.trim().is_empty() && depth == 0 {
            indent = line.len();
        }
        match c {
            '#' => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            '"' | '\'' => {
                let length = string(rest).unwrap_or(rest.len());
                line.push_str(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            '\\' if rest.starts_with("\\\n") || rest.starts_with("\\\r\n") => {
                line.push(' ');
                rest = rest.find('\n').map_or("", |end| &rest[end + 1..]);
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '\n' if depth == 0 => {
                end(&mut line, indent, &mut found);
                rest = &rest[1..];
                continue;
            }
            _ => {}
        }
        line.push(c);
        rest = &rest[c.len_utf8()..];
    }
    end(&mut line, indent, &mut found);
    found
}

fn end(line: &mut String, indent: usize, found: &mut Vec<(usize, String)>) {
    if !line.trim().is_empty() {
        found.push((indent, line.trim().to_owned()));
    }
    line.clear();
}

/// The length in bytes of the string literal at the start of a text, including its quotes.
fn string(text: &str) -> Option<usize> {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let close = if text.starts_with(&triple) { triple.as_str() } else { quote };
    let mut at = close.len();
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with(close) {
            return Some(at + close.len());
        }
        let c = rest.chars().next()?;
        at += c.len_utf8();
        if c == '\\' {
            at += rest.chars().nth(1)?.len_utf8();
        }
    }
}

/// The target and the value of `name = value`, or of `name: type = value`.
fn assigned(line: &str) -> Option<(&str, Option<Value>)> {
    let (target, value) = line.split_once('=')?;
    let name = target.split(':').next().unwrap_or(target).trim();
    (!value.starts_with('=')).then(|| (name, whole(value)))
}

/// The whole text parsed as one literal.
fn whole(text: &str) -> Option<Value> {
    let mut literal = Literal { rest: text.trim() };
    let value = literal.value(0)?;
    literal.rest.is_empty().then_some(value)
}

/// Maximum nesting depth of lists and objects.
const MAX_DEPTH: usize = 32;

/// Reads a literal.
struct Literal<'t> {
    rest: &'t str,
}

impl Literal<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.rest.chars().next()? {
            '[' => self.list(']', depth),
            '(' => self.list(')', depth),
            '{' => self.map(depth),
            '"' | '\'' => self.text(),
            _ => {
                let end = self.rest.find([',', ']', ')', '}', ':']).unwrap_or(self.rest.len());
                let word = self.rest[..end].trim();
                self.skip(end);
                scalar(word)
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    fn takes(&mut self, c: char) -> bool {
        let takes = self.rest.starts_with(c);
        if takes {
            self.skip(c.len_utf8());
        }
        takes
    }

    fn list(&mut self, close: char, depth: usize) -> Option<Value> {
        self.skip(1);
        let mut items = Vec::new();
        while !self.takes(close) {
            items.push(Node::made(self.value(depth + 1)?));
            let is_comma = self.takes(',');
            // A value in parentheses is not a tuple.
            if close == ')' && items.len() == 1 && !is_comma {
                return self.takes(close).then(|| items.remove(0).value);
            }
            if !is_comma && !self.rest.starts_with(close) {
                return None;
            }
        }
        Some(Value::List(items))
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        self.skip(1);
        let mut map = Map::default();
        while !self.takes('}') {
            let key = Node::made(self.value(depth + 1)?).as_written()?.to_owned();
            if !self.takes(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            map.insert(key, Span::default(), Node::made(value));
            if !self.takes(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
        Some(Value::Map(map))
    }

    fn text(&mut self) -> Option<Value> {
        let length = string(self.rest)?;
        let written = &self.rest[..length];
        let quotes = if length >= 6 && written.starts_with(&written[..1].repeat(3)) { 3 } else { 1 };
        let inner = written.get(quotes..length - quotes)?;
        let value = (!inner.contains('\\')).then(|| Value::String(inner.into()));
        self.skip(length);
        value
    }
}

fn scalar(word: &str) -> Option<Value> {
    match word {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "None" => Some(Value::Null),
        number => {
            let plain = number.replace('_', "");
            let is_number = plain.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            let finite = plain.parse::<f64>().ok().filter(|value| value.is_finite() && is_number);
            finite.map(|value| match plain.parse::<i128>() {
                Ok(whole) => Value::Number(whole.to_string().into()),
                Err(_) => Value::Number(format!("{value:?}").into()),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::to_line;

    fn read(text: &str) -> String {
        to_line(&Node::made(Value::Map(constants(text))))
    }

    #[test]
    fn classes_lists_and_objects_are_read() {
        let text = "import os\nclass Train:\n    '''Text = 1'''\n    LAYERS = [64, 32,  # two\n              16]\n    OPT = {'lr': 1e-3, \"betas\": (0.9, 0.999)}\n    class Inner:\n        N = 1_000\n    def __init__(self):\n        self.seed = 7\n        local = 1\n    def other(self):\n        self.no = 1\nTOP = (3)\n";
        let found = read(text);
        for part in
            ["\"LAYERS\":[64,32,16]", "\"lr\":0.001", "[0.9,0.999]", "\"N\":1000", "\"seed\":7", "\"TOP\":3"]
        {
            assert!(found.replace(' ', "").contains(part), "{part} in {found}");
        }
        assert!(!found.contains("local") && !found.contains("\"no\"") && !found.contains("Text"), "{found}");
    }

    #[test]
    fn what_is_no_literal_is_left_out() {
        let found = read(
            "A = os.environ['x']\nB = 1 + 1\nC = 2\nC = f(3)\nD = [g(1)]\nif x:\n    E = 1\nF = 'it\\'s'\n",
        );
        assert_eq!(found.trim(), "{}");
    }
}
