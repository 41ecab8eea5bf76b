//! Recognises secrets by shape, whatever their name: service tokens, private keys, signed tokens.

use super::mask;

/// Prefixes of service tokens, and the minimum number of characters after them.
const TOKENS: [(&str, usize); 20] = [
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("hf_", 30),
    ("AKIA", 16),
    ("ASIA", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("sk-", 32),
    ("sk_live_", 16),
    ("pypi-", 50),
    ("npm_", 30),
    ("AIza", 35),
];
/// The start of a signed token (JWT): `{"` in base64.
const JWT: &str = "eyJ";
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// The text with tokens and keys masked; `None` if there are none.
pub(super) fn without_tokens(text: &str) -> Option<String> {
    // Most texts are short, but tokens are not.
    if text.len() < 14 {
        return None;
    }
    let keys = without_keys(text);
    let text = keys.as_deref().unwrap_or(text);
    if keys.is_none() && !text.split(|c: char| !in_word(c)).any(is_token) {
        return None;
    }
    let mut kept = String::new();
    let mut any = keys.is_some();
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        let (before, from) = rest.split_at(start);
        let (word, behind) = from.split_at(from.find(|c: char| !in_word(c)).unwrap_or(from.len()));
        kept.push_str(before);
        if is_token(word) {
            kept.push_str(&mask(word));
            any = true;
        } else {
            kept.push_str(word);
        }
        rest = behind;
    }
    kept.push_str(rest);
    any.then_some(kept)
}

/// The length in bytes of the shortest token.
pub(super) const SHORTEST: usize = 14;

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}

fn is_token(word: &str) -> bool {
    if word.len() < SHORTEST {
        return false;
    }
    let of_service = TOKENS.iter().any(|(start, least)| {
        word.strip_prefix(start).is_some_and(|rest| rest.len() >= *least && looks_random(rest))
    });
    let is_jwt = || {
        if !word.starts_with(JWT) {
            return false;
        }
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3 && parts[..2].iter().all(|part| part.starts_with(JWT) && part.len() >= 10)
    };
    of_service || is_jwt()
}

/// Whether a text looks random: a name consists of words, which are short, or in one case without digits; a token mixes
/// cases or digits over a long stretch.
fn looks_random(rest: &str) -> bool {
    rest.split(['_', '-', '.']).any(|part| {
        let has = |is: fn(&char) -> bool| part.chars().any(|c| is(&c));
        let kinds = [has(char::is_ascii_digit), has(char::is_ascii_lowercase), has(char::is_ascii_uppercase)];
        part.len() >= 10 && kinds.iter().filter(|kind| **kind).count() >= 2
    })
}

/// Masks private keys in PEM, on one line or several.
fn without_keys(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut rest = text;
    let mut any = false;
    while let Some(at) = rest.find(BEGIN) {
        let (before, from) = rest.split_at(at);
        let label = from[BEGIN.len()..].split("-----").next().unwrap_or_default();
        kept.push_str(before);
        if !label.contains("PRIVATE KEY") {
            kept.push_str(BEGIN);
            rest = &from[BEGIN.len()..];
            continue;
        }
        let last =
            from.find(END).and_then(|at| Some(at + END.len() + from[at + END.len()..].find("-----")? + 5));
        let end = last.unwrap_or(from.len());
        kept.push_str(&mask(&from[..end]));
        rest = &from[end..];
        any = true;
    }
    kept.push_str(rest);
    any.then_some(kept)
}
