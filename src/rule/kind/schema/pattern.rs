//! Translates JSON Schema's regular expressions, which are JavaScript's, for an engine with linear time.

use regex::Regex;

/// The most bytes of one compiled expression.
const COMPILED_BYTES: usize = 512 << 10;

/// Compiles a pattern; the error says why not.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(&translate(pattern)?)
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        })
}

/// In JavaScript, `\d`, `\w` and `\b` are ASCII only, and a bracket within brackets is a literal character.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('b') if !in_class => out.push_str("(?-u:\\b)"),
                Some(digit @ '1'..='9') => {
                    return Err(format!("`\\{digit}` is a backreference, which gate does not support"));
                }
                Some(escaped) => out.extend(['\\', escaped]),
                None => return Err("a `\\` ends it".into()),
            },
            '[' if in_class => out.push_str("\\["),
            '&' | '~' if in_class => out.extend(['\\', c]),
            '-' if in_class && characters.peek() == Some(&'-') => out.push_str("\\-"),
            '[' => {
                in_class = true;
                out.push('[');
                if characters.peek() == Some(&'^') {
                    characters.next();
                    out.push('^');
                }
                if characters.peek() == Some(&']') {
                    return Err("a class in brackets is empty".into());
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '(' if !in_class && characters.peek() == Some(&'?') => {
                let rest: String = characters.clone().take(3).collect();
                if rest.starts_with("?=")
                    || rest.starts_with("?!")
                    || rest.starts_with("?<=")
                    || rest.starts_with("?<!")
                {
                    return Err(
                        "lookahead and lookbehind (`(?…)`) are not supported: use `not` or `allOf`".into()
                    );
                }
                out.push('(');
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn patterns_mean_what_they_mean_in_javascript() {
        for (pattern, text, expected) in [
            ("^\\d+$", "12", true),
            ("^\\d+$", "١٢", false),
            ("^[\\d.]+$", "1.2", true),
            ("^[[]$", "[", true),
            ("^[a&&b]$", "&", true),
            ("\\bx\\b", "a x b", true),
            ("^a\\/b$", "a/b", true),
            ("b", "abc", true),
            ("^[0-9a-f]{40}$", "0", false),
        ] {
            assert_eq!(compile(pattern).expect(pattern).is_match(text), expected, "{pattern} {text}");
        }
        for pattern in ["(?=a)", "(?<!a)b", "(a)\\1", "(", "((a{1,1000}){1,1000}){1,1000}"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
